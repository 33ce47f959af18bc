// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findSilence } from './monitor.ts'

const minute = 60_000
const now = Date.UTC(2026, 0, 1)

test('a log that no witness signed for half an hour alarms, once for each silence', () => {
  const seen = (minutes: number) => ({ size: 7, cosignedAt: now - minutes * minute })
  assert.deepEqual(findSilence(seen(29), undefined, now), [])
  const [alarm] = findSilence(seen(31), undefined, now)
  assert.equal(alarm?.level, 'alarm')
  assert.match(alarm?.why[0] ?? '', /anything newer for 31 minutes/)
  assert.deepEqual(findSilence(seen(31), seen(31).cosignedAt, now), [])
  assert.equal(findSilence(seen(40), seen(90).cosignedAt, now).length, 1)
})

test('without witnesses nobody can tell a quiet log from one that stands still', () => {
  assert.deepEqual(findSilence({ size: 7, cosignedAt: undefined }, undefined, now), [])
})
