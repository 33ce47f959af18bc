// SPDX-License-Identifier: Apache-2.0
/** What is kept of who fetched what gets less with time, and ends when the privacy page says so. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parsePackageName } from '@holdfast/core'
import { ageDownloads, downloadLife, openCase, readFilledPolicy } from '../../src/flow/index.ts'
import { authorize } from '../../src/identity/index.ts'
import { openWorld, type World } from '../world.ts'

const dayMs = 24 * 3600_000
let world: World
let id = ''

before(async () => {
  world = await openWorld()
  const ann = await world.someone('ann')
  await world.publish(ann, 'left-pad', '1.0.0')
  await world.npm('GET /left-pad/-/left-pad-1.0.0.tgz', { token: ann.token })
  await world.ports.downloads.flush()
  const grant = await authorize(world.ports, { kind: 'system', id: 'reconcile' }, 'version:contain', '')
  const subjects = [{ package: parsePackageName('left-pad'), version: '' }] as const
  const draft = { kind: 'malware', title: 'it steals', severity: 'critical', subjects, words: 'x' } as const
  const { store, clock } = world.ports
  id = (await store.commit(grant, [], tx => openCase(tx, 'reconcile', clock(), draft))).id
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.close()
})

async function look(days: number) {
  world.advance(days * dayMs)
  await ageDownloads(world.ports)
  const holders = await world.ports.store.blast.listHolders(id, undefined, 5)
  return holders.map(({ login, address, client }) => [login, address, client !== ''])
}

test('a name outlives its address and client, and ends with the days that the privacy page names', async () => {
  const { address, record, holder } = downloadLife
  assert.deepEqual(await look(address + 1), [['ann', '127.0.0.0/24', true]])
  assert.deepEqual(await look(record - address), [['ann', '', false]])
  assert.deepEqual(await look(holder - record - 2), [['ann', '', false]])
  assert.deepEqual(await look(2), [])
  const { text } = await readFilledPolicy(world.ports, 'privacy')
  for (const days of [address, record, holder]) assert.match(text, new RegExp(`${days} days`))
})
