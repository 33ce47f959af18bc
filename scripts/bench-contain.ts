// SPDX-License-Identifier: Apache-2.0
/**
 * npm run bench:contain [ROUNDS]: two instances over one PostgreSQL, whose caches both hold a version. It is quarantined on one;
 * from that click both are asked for its bytes and its packument until they refuse. Then the same with the block of its hash.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PackageName, parseNamePattern, type Version } from '@holdfast/core'
import { contain, type Draft, hostNames, parseDraft, undoMeasure } from '../packages/server/src/flow/index.ts'
import { operator } from '../packages/server/src/identity/index.ts'
import { readConfig, startInstance } from '../packages/server/src/main.ts'
import { publishDocument, put, tokenOf } from '../packages/server/test/live.ts'
import { startPostgres } from '../packages/server/test/postgres.ts'

const rounds = Number(process.argv[2] ?? 20)
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-contain-'))
const silent = { request() {}, say() {}, flush() {} }
const server = await startPostgres()
const database = server.url(await server.createDatabase())
const start = () => startInstance(readConfig({ data: folder, port: '0', database }, {}), silent)
const one = await start()
const other = await start()
try {
  await hostNames(one.ports, operator, [parseNamePattern('*')])
  const token = await tokenOf(one.ports, 'alice')
  await put({ url: one.url, token }, 'bad', publishDocument('bad', '1.0.0'))
  const found = await one.ports.store.catalog.findVersion('bad' as PackageName, '1.0.0' as Version)
  if (found === undefined) throw new Error('nothing was published')
  const reason = { reason: 'malware' }
  await measure('quarantine', parseDraft({ kind: 'quarantine', package: 'bad', ...reason }))
  await measure('block by hash', parseDraft({ kind: 'block', hash: found.digest, ...reason }))
} finally {
  await Promise.all([one.stop(), other.stop()])
  rmSync(folder, { recursive: true, force: true })
}

async function measure(what: string, draft: Draft): Promise<void> {
  const times: { readonly here: number; readonly there: number }[] = []
  for (let round = 0; round < rounds; round++) {
    await Promise.all([one.url, other.url].map(url => until(url, true)))
    const begun = performance.now()
    const taken = contain(one.ports, operator, draft)
    const since = async (url: string) => {
      await until(url, false)
      return performance.now() - begun
    }
    const [here, there] = await Promise.all([since(one.url), since(other.url)])
    times.push({ here, there })
    await undoMeasure(one.ports, operator, (await taken).id)
  }
  const list = (each: 'here' | 'there') => times.map(time => time[each]).sort((a, b) => a - b)
  const tell = (sorted: readonly number[]) =>
    `median ${sorted[Math.floor(sorted.length / 2)]?.toFixed(0)} ms, most ${sorted.at(-1)?.toFixed(0)} ms`
  process.stdout.write(
    `${what}, ${rounds} rounds: refused where it was taken ${tell(list('here'))}; by the other instance ${tell(list('there'))} (wanted: 1000)\n`,
  )
}

/** Asks, as clients do, until bytes and packument both say so. */
async function until(url: string, isOpen: boolean): Promise<void> {
  for (;;) {
    const bytes = await fetch(`${url}/npm/bad/-/bad-1.0.0.tgz`)
    await bytes.arrayBuffer()
    const packument = await fetch(`${url}/npm/bad`)
    const listed = ((await packument.json()) as { versions?: Record<string, unknown> }).versions ?? {}
    if ((bytes.status === 200) === isOpen && '1.0.0' in listed === isOpen) return
  }
}
