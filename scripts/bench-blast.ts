// SPDX-License-Identifier: Apache-2.0
/** npm run bench:blast [RECORDS] [PACKAGES]: who has the bytes of a case, asked of a store full of records of downloads, on SQLite. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PackageName, Version } from '@holdfast/core'
import { sql } from 'kysely'
import { authorize, operator } from '../packages/server/src/identity/index.ts'
import type { HolderMark } from '../packages/server/src/incident/index.ts'
import type { Ports } from '../packages/server/src/ports.ts'
import { openSqlite, openStore } from '../packages/server/src/store/index.ts'

const records = Number(process.argv[2] ?? 1_000_000)
const packages = Number(process.argv[3] ?? 50)
const atOnce = 10_000
const incident = 'case-0123456789abcdef'
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-blast-'))
const driver = openSqlite(join(folder, 'holdfast.db'))
const store = await openStore(driver, Date.now, 'registry.example/log')
try {
  for (let at = 0; at < records; at += atOnce)
    await store.downloads.add(
      Array.from({ length: Math.min(atOnce, records - at) }, (_, n) => recordAt(at + n)),
    )
  const config = {} as Ports['config']
  const grant = await authorize({ store, config }, operator, 'instance:operate', '')
  await store.commit(grant, { type: 'case' }, tx =>
    tx.incident.addCaseSubjects(incident, [{ package: 'p0' as PackageName, version: '' }]),
  )
  const pageMs = await timed(() => store.blast.listHolders(incident, undefined, 200))
  const totalsMs = await timed(() => store.blast.sumHolders(incident))
  const exported = await exportAll()
  const countMs = await timed(() => sql`select count(*) from download`.execute(driver.db))
  const sum = pageMs + totalsMs
  process.stdout.write(
    `${records} records, ${records / packages} of the package: first page ${pageMs.toFixed(0)} ms, totals ${totalsMs.toFixed(0)} ms, ` +
      `together ${sum.toFixed(0)} ms (wanted: 1000), ${(sum / countMs).toFixed(1)} of a count(*) of ${countMs.toFixed(0)} ms\n` +
      `all holders exported: ${exported.holders} in ${exported.ms.toFixed(0)} ms, ${exported.megabytes.toFixed(0)} MB of heap more at most\n`,
  )
  const step = () => store.downloads.rollUp(1_700_000_000_000 + 91 * 24 * 3600_000, 1000)
  const stepMs = await timed(step)
  process.stdout.write(`1000 records made holders in ${stepMs.toFixed(0)} ms\n`)
} finally {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
}

function recordAt(at: number) {
  const when = 1_700_000_000_000 + at
  return {
    package: `p${at % packages}` as PackageName,
    version: `1.0.${at % 7}` as Version,
    accountId: at % 3 === 0 ? '' : `a_${at % 5000}`,
    tokenId: at % 3 === 0 ? '' : `h_${at % 9000}`,
    address: `10.${at % 200}.${at % 251}.${at % 13}`,
    client: `npm/11.${at % 5}`,
    count: 1,
    firstAt: when,
    lastAt: when,
  }
}

/** As an export does it: a page, then the next. */
async function exportAll() {
  const begun = performance.now()
  const before = process.memoryUsage().heapUsed
  let [holders, most] = [0, before]
  let mark: HolderMark | undefined
  for (;;) {
    const page = await store.blast.listHolders(incident, mark, 1000)
    holders += page.length
    most = Math.max(most, process.memoryUsage().heapUsed)
    mark = page.at(-1)
    if (page.length < 1000)
      return { holders, ms: performance.now() - begun, megabytes: (most - before) / 1e6 }
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
