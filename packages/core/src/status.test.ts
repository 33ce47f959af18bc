// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventTable } from './event.ts'
import { problemTable } from './problem-table.ts'
import { type StatusRow, statusTable } from './status.ts'

const rows: [string, StatusRow][] = Object.entries(statusTable)
const only = (is: (row: StatusRow) => boolean) => rows.filter(([, row]) => is(row)).map(([status]) => status)

test('ranges and tags pick live versions only', () => {
  assert.deepEqual(
    only(row => row.resolves),
    ['live'],
  )
})

test('only live and yanked versions stand in the packument and give their bytes, and only live ones are found', () => {
  assert.deepEqual(
    only(row => row.listed),
    ['live', 'yanked'],
  )
  assert.deepEqual(
    only(row => row.served),
    ['live', 'yanked'],
  )
  assert.deepEqual(
    only(row => row.searchable),
    ['live'],
  )
})

test('every status whose bytes are not given answers with a problem of the same HTTP status', () => {
  for (const [status, row] of rows) {
    assert.equal(row.served, row.httpStatus === 200, status)
    assert.equal(row.problem === undefined, row.served, status)
    if (row.problem !== undefined) assert.equal(problemTable[row.problem].status, row.httpStatus, status)
  }
})

test('outsiders cannot tell a pending or staged version from one that never was', () => {
  for (const status of ['pending', 'staged'] as const) {
    assert.equal(statusTable[status].problem, 'version-not-found')
  }
})

test('removal is final, and nothing but time ends no other status', () => {
  assert.deepEqual(
    only(row => row.leftBy.length === 0),
    ['removed'],
  )
})

test('every hidden or yanked version that can come back has an event that brings it back', () => {
  const back = new Set(['publish', 'release', 'unyank', 'policy'])
  for (const [status, row] of rows) {
    if (row.reversible && status !== 'live')
      assert.ok(
        row.leftBy.some(type => back.has(type)),
        status,
      )
  }
})

test('every status is reached by an event', () => {
  for (const [status, row] of rows) {
    assert.ok(row.enteredBy.length > 0, status)
    for (const type of row.enteredBy) assert.ok(type in eventTable)
  }
})

test('what takes a published version away from its users stands in the public log, except a short hold', () => {
  for (const status of ['yanked', 'quarantined', 'blocked', 'removed'] as const) {
    for (const type of statusTable[status].enteredBy) assert.equal(eventTable[type].audience, 'log', status)
  }
})
