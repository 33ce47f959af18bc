// SPDX-License-Identifier: Apache-2.0
/** npm run bench:measure [VERSIONS [OF-EACH]]: closes versions by one predicate on a live instance over SQLite, and opens them again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PackageName, parseNamePattern, type Version } from '@holdfast/core'
import { contain, hostNames, parseDraft, undoMeasure } from '../packages/server/src/flow/index.ts'
import { authorize, operator } from '../packages/server/src/identity/index.ts'
import { readConfig, startInstance } from '../packages/server/src/main.ts'
import { publishDocument, put, tokenOf } from '../packages/server/test/live.ts'

const total = Number(process.argv[2] ?? 10_000)
const ofEach = Number(process.argv[3] ?? 100)
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-measure-'))
const silent = { request() {}, say() {}, flush() {} }
const instance = await startInstance(readConfig({ data: folder, port: '0' }, {}), silent)
const { ports } = instance
try {
  await hostNames(ports, operator, [parseNamePattern('*')])
  await fill()
  const draft = parseDraft({
    kind: 'quarantine',
    publisher: 'evil',
    reason: 'malware',
    confirm: 'everything',
  })
  const begun = performance.now()
  const { id, count } = await contain(ports, operator, draft)
  const closed = performance.now()
  await undoMeasure(ports, operator, id)
  const seconds = (ms: number) => (ms / 1000).toFixed(1)
  process.stdout.write(
    `${count} versions, ${ofEach} a package: closed in ${seconds(closed - begun)} s (wanted: 10), ` +
      `opened in ${seconds(performance.now() - closed)} s\n`,
  )
} finally {
  await instance.stop()
  rmSync(folder, { recursive: true, force: true })
}

/** One real publish, and as many rows like it as asked for. */
async function fill(): Promise<void> {
  const token = await tokenOf(ports, 'alice')
  await put({ url: instance.url, token }, 'seed', publishDocument('seed', '1.0.0'))
  const seed = await ports.store.catalog.findVersion('seed' as PackageName, '1.0.0' as Version)
  if (seed === undefined) throw new Error('nothing was published')
  const grant = await authorize(ports, operator, 'version:contain', '')
  const own = { approverId: '', dependencies: [], hasInstallScript: false }
  const row = { ...seed, ...own, status: 'live', publisherId: 'evil' } as const
  for (let at = 0; at * ofEach < total; at++)
    await ports.store.commit(grant, [], async tx => {
      const name = `p${at}` as PackageName
      await tx.catalog.addPackage(name, name, 'public', ports.clock())
      for (let n = 0; n < ofEach; n++)
        await tx.catalog.addVersion({ ...row, package: name, version: `1.0.${n}` as Version })
    })
}
