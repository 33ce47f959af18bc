// SPDX-License-Identifier: Apache-2.0
/** Whether the bytes that a registry gives out are those that its log names. */
import { createHash } from 'node:crypto'
import { formatIntegrity, parseDigest } from '@holdfast/core'
import { fetchBounded, type Registry } from '../registry.ts'
import type { VersionReport } from './version.ts'

const maxTarballBytes = 512 * 1024 * 1024
const atOnce = 6

/** The reports, with a fault where a tarball is not what the log says. A version without a sha512 in the lock file is then known by its bytes. */
export async function checkTarballs(
  registry: Registry,
  reports: readonly VersionReport[],
): Promise<readonly VersionReport[]> {
  const checked = [...reports]
  let next = 0
  const work = async () => {
    for (let at = next++; at < reports.length; at = next++) {
      const report = reports[at]
      if (report?.integrity !== undefined) checked[at] = await checkTarball(registry, report)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return checked
}

async function checkTarball(registry: Registry, report: VersionReport): Promise<VersionReport> {
  const { name, version, kind, integrity, faults, notes } = report
  const path = `npm/${name}/-/${name.split('/').at(-1)}-${version}.tgz`
  const answer = await fetchBounded(registry, 'GET', path, maxTarballBytes, { accept: '*/*' })
  if (!answer.isOk) return fail(report, `the registry does not give its tarball (${answer.status})`)
  const digest = createHash('sha512').update(answer.body).digest('hex')
  if (formatIntegrity(parseDigest(digest)) !== integrity)
    return fail(report, 'the registry gives other bytes than its log names')
  if (kind !== 'unverifiable') return { ...report, faults, notes }
  const said =
    'the lock file has no sha512 for it; the bytes that the registry gives now are those of its log'
  return { ...report, faults: [], notes: [...notes, said] }
}

function fail(report: VersionReport, why: string): VersionReport {
  return { ...report, faults: [...report.faults, why] }
}
