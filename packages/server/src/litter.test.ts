// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Litter } from './litter.ts'

test('what ten thousand versions left is collected, and then the next ten thousand', () => {
  let collected = 0
  const litter = new Litter(10_000, () => {
    collected += 1
  })
  litter.add(9999)
  assert.equal(collected, 0)
  litter.add(1)
  assert.equal(collected, 1)
  litter.add(9000)
  assert.equal(collected, 1)
  litter.add(50_000)
  assert.equal(collected, 2)
})

test('what nobody holds any more is gone after it', async () => {
  const gone = new WeakRef({ left: 'behind' })
  await turn()
  new Litter(10_000).add(10_000)
  assert.equal(gone.deref(), undefined)
})
