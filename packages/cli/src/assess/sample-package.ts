// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

/** A package that probes publish: the smallest that every registry takes. */
export interface SamplePackage {
  readonly name: string
  readonly version: string
  /** Goes into a file of the tarball, so that two samples of one version differ. */
  readonly content?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  /** Files beside the two that every sample has, by their path in the package. */
  readonly files?: Readonly<Record<string, string>>
}

/** The body of npm's `PUT /<name>` that publishes a sample under the tag `latest`. */
export function makePublishBody(sample: SamplePackage): string {
  const { name, version, dependencies = {}, scripts } = sample
  const tarball = makeTarball(sample)
  const dist = {
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    shasum: createHash('sha1').update(tarball).digest('hex'),
  }
  const manifest = {
    name,
    version,
    dependencies,
    ...(scripts && { scripts }),
    _id: `${name}@${version}`,
    readme: 'A sample.',
    dist,
  }
  const data = tarball.toString('base64')
  return JSON.stringify({
    _id: name,
    name,
    access: 'public',
    'dist-tags': { latest: version },
    versions: { [version]: manifest },
    _attachments: {
      [`${name}-${version}.tgz`]: { content_type: 'application/octet-stream', data, length: tarball.length },
    },
  })
}

/** The sample's tarball; the same bytes for the same sample. */
export function makeTarball(sample: SamplePackage): Buffer {
  const { name, version, content = '', dependencies = {}, scripts, files: more = {} } = sample
  const manifest = JSON.stringify({ name, version, dependencies, ...(scripts && { scripts }) })
  const files = [
    makeTarEntry('package/package.json', manifest),
    makeTarEntry('package/index.js', `// ${content}\n`),
    ...Object.entries(more).map(([path, text]) => makeTarEntry(`package/${path}`, text)),
  ]
  return gzipSync(Buffer.concat([...files, Buffer.alloc(1024)]))
}

/** One file in the ustar format of POSIX.1-1988. */
function makeTarEntry(path: string, text: string): Buffer {
  const content = Buffer.from(text)
  const header = Buffer.alloc(512)
  header.write(path, 0)
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write(`00000000000\0${' '.repeat(8)}0`, 136)
  header.write('ustar\0' + '00', 257)
  const checksum = header.reduce((sum, byte) => sum + byte, 0)
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}
