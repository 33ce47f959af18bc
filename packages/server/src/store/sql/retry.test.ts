// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProblem } from '@holdfast/core'
import { retryWhileBusy } from './retry.ts'

const busy = new Error('busy')
const isBusy = (error: unknown) => error === busy

test('an attempt is repeated while the engine is busy', async () => {
  let rounds = 0
  const result = await retryWhileBusy(async () => {
    if (++rounds < 5) throw busy
    return 'done'
  }, isBusy)
  assert.equal(result, 'done')
  assert.equal(rounds, 5)
})

test('another error is not repeated', async () => {
  let rounds = 0
  const other = new Error('other')
  const attempt = retryWhileBusy(async () => {
    rounds++
    throw other
  }, isBusy)
  await assert.rejects(attempt, error => error === other)
  assert.equal(rounds, 1)
})

test('an engine that stays busy is unavailable, and the cause is kept for the log', async () => {
  const attempt = retryWhileBusy(() => Promise.reject(busy), isBusy, 0)
  await assert.rejects(
    attempt,
    error => isProblem(error) && error.code === 'unavailable' && error.cause === busy,
  )
})
