// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { verifyAcknowledged, verifyPorts } from '../fault/verify.ts'
import { publishDocument, put, startLive } from '../live.ts'
import { engines, makeDatabase } from './engine.ts'
import { storeContract } from './store.ts'

const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
after(() => rm(folder, { recursive: true }))

for (const engine of engines) storeContract(engine)

test('on PostgreSQL a whole instance publishes, serves, and finds everything again after a restart', async () => {
  const database = await makeDatabase()
  const data = join(folder, 'data')
  const first = await startLive({ folder: data, flags: { database } })
  const versions = Array.from({ length: 12 }, (_, at) => ({ name: `pg-${at % 3}`, version: `1.0.${at}` }))
  for (const { name } of versions.slice(0, 3)) {
    const answer = await put(first, name, publishDocument(name, '0.1.0'))
    assert.equal(answer.status, 201, await answer.text())
  }
  const answers = await Promise.all(
    versions.map(({ name, version }) => put(first, name, publishDocument(name, version))),
  )
  assert.deepEqual(new Set(answers.map(answer => answer.status)), new Set([201]))
  await verifyAcknowledged(first.url, versions)
  assert.deepEqual(first.errors, [])
  await first.stop()
  const again = await startLive({ folder: data, flags: { database } })
  await verifyAcknowledged(again.url, versions)
  await verifyPorts(again.ports)
  await again.stop()
})
