// SPDX-License-Identifier: Apache-2.0
/** The thread that looks into tarballs: the bytes of one in, what was found out. */
import { isProblem } from '@holdfast/core'
import { findSourceLine, readSourceLines } from '../mirror-source.ts'
import { answerJobs } from '../thread.ts'
import { checkManifestAgrees, inspectTarball } from './inspect.ts'
import type { InsideJob, InsideWords, RecordPlace } from './look-inside.ts'

type Manifest = Readonly<Record<string, unknown>>

answerJobs<InsideJob, InsideWords>(async ({ bytes, limits, record }) => {
  try {
    const { hasInstallScript, manifest } = await inspectTarball(bytes, limits)
    const said = findManifest(record)
    // What its registry does not list any more is a takedown, and told as such.
    const disagreement = said === undefined ? '' : findDisagreement(manifest, said)
    return { hasInstallScript, fault: '', disagreement }
  } catch (error) {
    if (!isProblem(error)) throw error
    return { hasInstallScript: true, fault: String(error.data['why']), disagreement: '' }
  }
})

function findDisagreement(inTarball: Manifest, said: Manifest): string {
  try {
    checkManifestAgrees(inTarball, said)
    return ''
  } catch (error) {
    if (!isProblem(error)) throw error
    const { field, found, wanted } = error.data
    return `${field} is ${found} in its package.json and ${wanted} in the record of its registry`
  }
}

/** Where it is said to be, else wherever it is. */
function findManifest({ source, index, version }: RecordPlace): Manifest | undefined {
  const place = index < 0 ? undefined : parseLine(findSourceLine(source, index + 1))
  if (place?.['version'] === version) return place
  const sign = `"version":${JSON.stringify(version)}`
  for (const line of readSourceLines(source).drop(1)) {
    const said = line.includes(sign) ? parseLine(line) : undefined
    if (said?.['version'] === version) return said
  }
  return undefined
}

function parseLine(line: Buffer | undefined): Manifest | undefined {
  return line === undefined || line.length === 0 ? undefined : JSON.parse(line.toString())
}
