// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator assessment …`: what assessments of this registry found. */
import { readFile } from 'node:fs/promises'
import { keepAssessment } from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { type Arguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast operator assessment list|keep [FILE] --data DIR

  list         when it was assessed, on which release, how many capabilities passed
  keep FILE    keep and sign what holdfast assess self --json printed; prints what turned red since the last one`

/** One of the acts above; what it prints. */
export async function assessmentAct(
  ports: Ports,
  _args: Arguments,
  [act, file, ...more]: readonly string[],
): Promise<string> {
  if (act === 'list' && file === undefined) return list(ports)
  if (act !== 'keep' || file === undefined || more.length > 0) throw new UsageError(usage)
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`)
  })
  return (await keepAssessment(ports, operator, text)).join('\n')
}

async function list({ store }: Ports): Promise<string> {
  const kept = await store.assessments.list(100)
  return kept
    .map(({ at, release, passed }) => `${new Date(at).toISOString()}\t${release}\t${passed} passed`)
    .join('\n')
}
