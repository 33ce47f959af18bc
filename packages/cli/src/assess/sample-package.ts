// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { formatPublishBody, packTar } from '@holdfast/core'

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
  const tarball = makeTarball(sample)
  return formatPublishBody(
    { ...manifestOf(sample), readme: 'A sample.' },
    {
      base64: tarball.toString('base64'),
      length: tarball.length,
      integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
      shasum: createHash('sha1').update(tarball).digest('hex'),
    },
  )
}

/** The sample's tarball; the same bytes for the same sample. */
export function makeTarball(sample: SamplePackage): Buffer {
  const { content = '', files = {} } = sample
  return gzipSync(
    packTar([
      ['package/package.json', JSON.stringify(manifestOf(sample))],
      ['package/index.js', `// ${content}\n`],
      ...Object.entries(files).map(([path, text]) => [`package/${path}`, text] as const),
    ]),
  )
}

function manifestOf({ name, version, dependencies = {}, scripts }: SamplePackage) {
  return { name, version, dependencies, ...(scripts && { scripts }) }
}
