// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { probes } from '../src/assess/probe-list.ts'
import { startThrowAwayInstance } from '../src/assess/throw-away-instance.ts'

test('every probe passes on a fresh instance, as an assessment runs them, and leaves evidence', async t => {
  const instance = await startThrowAwayInstance()
  t.after(() => instance.stop())
  for (const probe of probes) assert.ok((await probe.run(instance)).length > 0, probe.capability)
})
