// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewEvent } from './integrity/index.ts'
import type { Ports, Refusal, Store } from './ports.ts'
import { openTrail } from './trail.ts'

const refusal: Refusal = {
  type: 'denied',
  accountId: 'a_1',
  what: 'package:publish',
  subject: 'ui',
  why: 'forbidden',
  address: '192.0.2.7',
  client: '',
}

/** A store that keeps events, and fails while told to. */
function storeOf(kept: NewEvent[], state: { failing: boolean }): Store {
  const commit = async (_: unknown, events: readonly NewEvent[]) => {
    await new Promise(resolve => setImmediate(resolve))
    if (state.failing) throw new Error('the disk is full')
    kept.push(...events)
  }
  return { commit } as unknown as Store
}

const countOf = (events: readonly NewEvent[]) =>
  events.reduce((sum, event) => sum + Number(event.detail?.['count']), 0)

test('whoever flushes while another flush runs finds what was noted before, once', async t => {
  const kept: NewEvent[] = []
  const trail = openTrail(
    { config: {} as Ports['config'], store: storeOf(kept, { failing: false }) },
    () => 0,
  )
  t.after(() => trail.close())
  trail.note(refusal)
  trail.note(refusal)
  void trail.flush()
  await trail.flush()
  assert.deepEqual(
    kept.map(event => [event.type, event.detail?.['count']]),
    [['denied', 2]],
  )
})

test('what the store did not take is counted when it takes again', async t => {
  const kept: NewEvent[] = []
  const state = { failing: true }
  const trail = openTrail({ config: {} as Ports['config'], store: storeOf(kept, state) }, () => 0)
  t.after(() => trail.close())
  trail.note(refusal)
  await assert.rejects(trail.flush())
  state.failing = false
  trail.note({ ...refusal, subject: 'other' })
  await trail.flush()
  assert.equal(countOf(kept), 2)
})
