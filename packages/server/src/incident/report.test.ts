// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTrusted, judgeReports } from './report.ts'

const trusted = { isTrusted: true }
const anybody = { isTrusted: false }
const young = { kind: 'malware', isYoung: true, breaker: '' } as const
const closes = (facts: Parameters<typeof judgeReports>[0]) => judgeReports(facts).closes

test('one trusted reporter closes what is younger than a day, and nobody else does', () => {
  assert.equal(closes({ ...young, reporters: [trusted] }), true)
  assert.equal(closes({ ...young, reporters: [anybody, anybody, anybody] }), false)
  assert.equal(closes({ ...young, kind: 'spam', reporters: [trusted, trusted] }), false)
})

test('of what is older two must say so, a trusted one among them', () => {
  const old = { ...young, isYoung: false }
  assert.equal(closes({ ...old, reporters: [trusted] }), false)
  assert.equal(closes({ ...old, reporters: [anybody, anybody] }), false)
  assert.equal(closes({ ...old, reporters: [trusted, anybody] }), true)
})

test('what is long out or much used is never closed by reports alone', () => {
  const used = { ...young, breaker: 'it is much used' }
  assert.equal(closes({ ...used, reporters: [trusted, trusted, trusted] }), false)
})

test('trust is earned by three cases and lost by being wrong, whatever a responder marked', () => {
  const record = (confirmed: number, dismissed: number, isMarked = false) =>
    isTrusted({ reporter: 'account a_1', confirmed, dismissed, isMarked })
  assert.deepEqual([record(2, 0), record(3, 0), record(3, 1), record(9, 1)], [false, true, false, true])
  assert.deepEqual([record(0, 0, true), record(0, 1, true), record(2, 3, true)], [true, false, true])
})
