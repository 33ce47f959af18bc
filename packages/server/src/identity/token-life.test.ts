// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Token } from './port.ts'
import { dueNotice, tokenEnd } from './token-life.ts'

const dayMs = 24 * 3600_000
const reads = { permission: 'read-only', bypassTfa: false } as const
const writes = { permission: 'read-write', bypassTfa: false } as const

test('a token that says nothing of its end lives for 30 days, one of the operator for an hour', () => {
  assert.equal(tokenEnd('made', writes, undefined, 5), 5 + 30 * dayMs)
  assert.equal(tokenEnd('login', writes, undefined, 5), 5 + 30 * dayMs)
  assert.equal(tokenEnd('operator', reads, undefined, 5), 5 + 3600_000)
})

test('what may write lives for at most 90 days, of the operator for a day; what reads for a year', () => {
  const longest = [
    ['made', writes, 90],
    ['made', reads, 365],
    ['operator', writes, 1],
    ['operator', reads, 365],
  ] as const
  for (const [origin, limits, days] of longest) {
    assert.equal(tokenEnd(origin, limits, days * dayMs, 0), days * dayMs)
    assert.throws(() => tokenEnd(origin, limits, days * dayMs + 1, 0), {
      code: 'token-life-too-long',
      message: new RegExp(
        `may ${limits === reads ? 'read' : 'write'} lives at most ${days} days?, not ${days + 1} days`,
      ),
    })
  }
})

function tokenOf(lifeDays: number | null, origin: Token['origin'] = 'made'): Token {
  return {
    id: 't_1',
    holder: 'account',
    accountId: 'a_1',
    name: 'ci',
    description: '',
    origin,
    hint: '',
    limits: writes,
    createdAt: 0,
    expiresAt: lifeDays === null ? null : lifeDays * dayMs,
    lastUsedAt: null,
  }
}

/** The notices that a token's owner gets when somebody looks at these moments, in days since it was made. */
function noticesOn(token: Token, days: readonly number[]): number[] {
  const told: number[] = []
  for (const day of days) {
    const due = dueNotice(token, told.at(-1), day * dayMs)
    if (due !== undefined) told.push(due)
  }
  return told
}

const daily = Array.from({ length: 100 }, (_, day) => day)

test('owners are told 14, 3 and 1 days before the end, each once', () => {
  assert.deepEqual(noticesOn(tokenOf(30), daily), [14, 3, 1])
  assert.deepEqual(noticesOn(tokenOf(90), [...daily, ...daily]), [14, 3, 1])
})

test('a notice that was missed is not made up for when a later one is due', () => {
  assert.deepEqual(noticesOn(tokenOf(30), [28.5, 29.5, 31]), [3, 1])
})

test('an end that was near from the start is no news', () => {
  assert.deepEqual(noticesOn(tokenOf(7), daily), [3, 1])
  assert.deepEqual(noticesOn(tokenOf(1), [0, 0.5, 0.9]), [])
})

test('a login and a token without an end are never told of', () => {
  assert.deepEqual(noticesOn(tokenOf(30, 'login'), daily), [])
  assert.deepEqual(noticesOn(tokenOf(null), daily), [])
})
