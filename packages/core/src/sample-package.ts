// SPDX-License-Identifier: Apache-2.0
/** The smallest packages that every registry takes, for whoever plays somebody who publishes: probes and drills. */

/** The digests of a tarball, as a publish body claims them. */
export interface PackedTarball {
  readonly base64: string
  readonly length: number
  /** SHA-512 as Subresource Integrity text. */
  readonly integrity: string
  /** SHA-1 in hexadecimal. */
  readonly shasum: string
}

/** The body of npm's `PUT /<name>` that publishes one version under the tag `latest`. */
export function formatPublishBody(
  manifest: { readonly name: string; readonly version: string } & Readonly<Record<string, unknown>>,
  { base64, length, integrity, shasum }: PackedTarball,
): string {
  const { name, version } = manifest
  const attached = { content_type: 'application/octet-stream', data: base64, length }
  return JSON.stringify({
    _id: name,
    name,
    access: 'public',
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist: { integrity, shasum } } },
    _attachments: { [`${name}-${version}.tgz`]: attached },
  })
}

/** A tar archive of texts by their paths, in the ustar format of POSIX.1-1988; the same bytes for the same files. */
export function packTar(files: readonly (readonly [path: string, text: string])[]): Uint8Array {
  const blocks = files.flatMap(([path, text]) => packEntry(path, new TextEncoder().encode(text)))
  const tar = new Uint8Array(blocks.reduce((sum, each) => sum + each.length, 1024))
  let at = 0
  for (const block of blocks) {
    tar.set(block, at)
    at += block.length
  }
  return tar
}

function packEntry(path: string, content: Uint8Array): readonly Uint8Array[] {
  const header = new Uint8Array(512)
  const write = (text: string, at: number) => header.set(new TextEncoder().encode(text), at)
  write(path, 0)
  write('0000644\0' + '0000000\0' + '0000000\0', 100)
  write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  write(`00000000000\0${' '.repeat(8)}0`, 136)
  write('ustar\0' + '00', 257)
  const checksum = header.reduce((sum, byte) => sum + byte, 0)
  write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148)
  return [header, content, new Uint8Array((512 - (content.length % 512)) % 512)]
}
