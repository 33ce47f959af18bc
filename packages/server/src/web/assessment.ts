// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'

const shape = v.object({
  release: v.string(),
  at: v.pipe(v.string(), v.isoTimestamp()),
  levels: v.record(v.string(), v.number()),
  capabilities: v.array(
    v.object({
      id: v.string(),
      status: v.picklist(['pass', 'fail', 'missing', 'not-applicable']),
      evidence: v.array(v.string()),
    }),
  ),
})

/** What `holdfast assess self --json` printed, as the operator stored it. */
export type StoredAssessment = v.InferOutput<typeof shape>

const read = new Map<string, { readonly changedAt: number; readonly result: StoredAssessment | undefined }>()

/** The last self-assessment in the data folder; undefined when there is none, or it cannot be read. */
export async function findAssessment(data: string): Promise<StoredAssessment | undefined> {
  const file = join(data, 'assessment.json')
  const changedAt = await stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
  if (changedAt === undefined) return undefined
  const known = read.get(file)
  if (known?.changedAt === changedAt) return known.result
  const result = await parseFile(file)
  read.set(file, { changedAt, result })
  return result
}

async function parseFile(file: string): Promise<StoredAssessment | undefined> {
  try {
    const parsed = v.safeParse(shape, JSON.parse(await readFile(file, 'utf8')))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}
