// SPDX-License-Identifier: Apache-2.0
/** Which advisories are about which versions. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { PackageName } from '@holdfast/core'
import { matchOsv, readOsv } from '../packages/server/src/vulnerability/index.ts'
import type { Figure, Part } from '../scripts/evaluate.ts'

const fixture = join(import.meta.dirname, '../packages/server/test/fixture/evaluation')

/** Figures of matching. */
export const part: Part = { name: 'osv', run }

async function run(): Promise<readonly Figure[]> {
  const lines = gunzipSync(readFileSync(join(fixture, 'osv-npm.ndjson.gz')))
    .toString()
    .trim()
    .split('\n')
  const readings = lines.map(line => readOsv(JSON.parse(line)))
  const advisories = readings.flatMap(each => (each.kind === 'read' ? each.advisories : []))
  const read = readings.filter(each => each.kind === 'read').length
  const ofName = Map.groupBy(advisories, each => each.package)
  const cases = readFileSync(join(fixture, 'osv-match-cases.tsv'), 'utf8')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.split('\t'))
  const began = performance.now()
  const right = cases.filter(([name = '', version = '', , wanted]) => {
    const hits = matchOsv(ofName.get(name as PackageName) ?? [], name as PackageName, version)
    return (hits.map(each => each.id).join(',') || '-') === wanted
  }).length
  const eachMs = (performance.now() - began) / cases.length
  return [
    whole('records read', read, lines.length),
    whole('versions with exactly the ids that are about them', right, cases.length),
    { row: 'one version', value: `${eachMs.toFixed(3)} ms`, wanted: '', isMet: true },
  ]
}

function whole(row: string, count: number, of: number): Figure {
  return { row, value: `${count} of ${of}`, wanted: `${of}`, isMet: count === of }
}
