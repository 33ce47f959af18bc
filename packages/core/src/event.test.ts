// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventTable } from './event.ts'

test('exactly the leaf types of the log format are public; what names people or sessions stays in the record', () => {
  const forLog = Object.entries(eventTable)
    .filter(([, row]) => row.audience === 'log')
    .map(([type]) => type)
  assert.deepEqual(forLog.sort(), [
    'account',
    'advisory',
    'deprecate',
    'dist-tag',
    'ingest',
    'key',
    'owner',
    'policy',
    'publish',
    'quarantine',
    'release',
    'token-revoke',
    'trust-root',
    'trusted-publisher',
    'unpublish',
    'unyank',
    'yank',
  ])
})
