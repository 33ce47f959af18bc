// SPDX-License-Identifier: Apache-2.0
/** The packages of a drill: the smallest that say what an attack would, with nothing in them that does anything. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { formatPublishBody, packTar } from '@holdfast/core'

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
  const tarball = packSample(sample)
  return formatPublishBody(manifestOf(sample), {
    base64: tarball.toString('base64'),
    length: tarball.length,
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    shasum: createHash('sha1').update(tarball).digest('hex'),
  })
}

/** Its tarball; the same bytes for the same sample. */
export function packSample(sample: DrillSample): Buffer {
  const { name, version, files = {} } = sample
  return gzipSync(
    packTar([
      ['package/package.json', JSON.stringify(manifestOf(sample))],
      ['package/index.js', `// ${name} ${version}\n`],
      ...Object.entries(files).map(([path, text]) => [`package/${path}`, text] as const),
    ]),
  )
}

function manifestOf({ name, version, scripts }: DrillSample) {
  return { name, version, description, ...(scripts && { scripts }) }
}
