// SPDX-License-Identifier: Apache-2.0
/** Scores of the vectors that advisories carry. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scoreCvss } from '../packages/server/src/vulnerability/index.ts'
import type { Figure, Part } from '../scripts/evaluate.ts'

const file = join(import.meta.dirname, '../packages/server/test/fixture/evaluation/cvss-vectors.tsv')

/** Figures of CVSS 3.0, 3.1 and 4.0. */
export const part: Part = { name: 'cvss', run }

async function run(): Promise<readonly Figure[]> {
  const cases = readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.split('\t'))
  const right = cases.filter(([vector = '', score, severity]) => {
    const found = scoreCvss(vector)
    return found?.score === Number(score) && found.severity === severity
  })
  const value = `${right.length} of ${cases.length}`
  const isMet = right.length === cases.length
  return [{ row: 'vectors with their score and severity', value, wanted: `${cases.length}`, isMet }]
}
