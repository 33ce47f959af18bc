// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProblem } from '@holdfast/core'
import type { Call } from './call.ts'
import { openTurns } from './turns.ts'

let now = 1_000_000
const turns = openTurns(() => now)
const from = (address: string) =>
  ({ actor: { kind: 'nobody', from: { address, client: '', web: false } } }) as unknown as Call
const work = async () => ({ status: 200 })

test('an address that asks for too many proofs waits, another does not, and after a quarter of an hour all is well', async () => {
  for (let i = 0; i < 1000; i++) await turns.take(from('192.0.2.1'), 20, work)
  const refused = () => turns.take(from('192.0.2.1'), 1, work)
  const isHonest = (error: unknown) =>
    isProblem(error) && error.code === 'rate-limited' && error.data['retryAfter'] === 900
  await assert.rejects(async () => refused(), isHonest)
  assert.equal((await turns.take(from('198.51.100.1'), 20, work)).status, 200)
  now += 15 * 60_000
  assert.equal((await refused()).status, 200)
})
