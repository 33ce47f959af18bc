// SPDX-License-Identifier: Apache-2.0
/** The packages of a drill: the smallest that say what an attack would, with nothing in them that does anything. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

/** What goes into one version. */
export interface DrillSample {
  readonly name: string
  readonly version: string
  /** Files beside package.json and index.js, by their path in the package. */
  readonly files?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
}

const description = 'Part of a drill: not a real package, and removed when the drill is over.'

/** The body of npm's `PUT /<name>` that publishes it under the tag `latest`. */
export function toPublishBody(sample: DrillSample): string {
  const { name, version } = sample
  const tarball = packSample(sample)
  const dist = {
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    shasum: createHash('sha1').update(tarball).digest('hex'),
  }
  const data = tarball.toString('base64')
  const attached = { content_type: 'application/octet-stream', data, length: tarball.length }
  return JSON.stringify({
    _id: name,
    name,
    access: 'public',
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifestOf(sample), _id: `${name}@${version}`, dist } },
    _attachments: { [`${name}-${version}.tgz`]: attached },
  })
}

/** Its tarball; the same bytes for the same sample. */
export function packSample(sample: DrillSample): Buffer {
  const { name, version, files = {} } = sample
  const entries = [
    packEntry('package/package.json', JSON.stringify(manifestOf(sample))),
    packEntry('package/index.js', `// ${name} ${version}\n`),
    ...Object.entries(files).map(([path, text]) => packEntry(`package/${path}`, text)),
  ]
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]))
}

function manifestOf({ name, version, scripts }: DrillSample) {
  return { name, version, description, ...(scripts && { scripts }) }
}

/** One file in the ustar format of POSIX.1-1988. */
function packEntry(path: string, text: string): Buffer {
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
