// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { excerpt, isProblem, problem } from './problem.ts'

test('a problem carries its code, HTTP status, filled texts and facts', () => {
  const found = problem('name-not-hosted', { name: '@acme/ui' })
  assert.equal(found.code, 'name-not-hosted')
  assert.equal(found.status, 403)
  assert.equal(found.message, "'@acme/ui' is not among the names this registry hosts")
  assert.match(found.hint, /npx holdfast operator host --data DIR '@acme\/ui'/)
  assert.deepEqual(found.data, { name: '@acme/ui' })
})

test('a republish says what npm users know', () => {
  const found = problem('version-exists', { version: '1.0.0' })
  assert.equal(found.message, 'You cannot publish over the previously published versions: 1.0.0.')
  assert.equal(found.status, 403)
})

test('the one-time password problem holds the phrase that clients look for', () => {
  assert.match(problem('otp-required').message, /one-time pass/)
})

test('facts are filled in once: a place inside a fact stays text', () => {
  const found = problem('forbidden', { act: '{ask}', ask: 'secret' })
  assert.equal(found.message, 'You may not {ask}')
})

test('facts cannot move the cursor of a terminal, start a log line or turn the reading direction', () => {
  const found = problem('user-not-found', { user: 'a\u001b[2J\n\u202eb\u2028c\ud800d\u009be' })
  assert.equal(found.message, 'There is no user a?[2J??b?c?d?e')
})

test('only problems are expected; any other error is a bug', () => {
  assert.ok(isProblem(problem('not-found')))
  for (const caught of [new Error('not-found'), { code: 'not-found', status: 404 }, undefined]) {
    assert.ok(!isProblem(caught))
  }
})

test('hostile input is quoted short, in one line, and named by its type when it is no text', () => {
  assert.equal(excerpt('x'.repeat(1000)), `${'x'.repeat(80)}…`)
  assert.equal(excerpt('a\r\nb'), 'a??b')
  assert.deepEqual([null, [], {}, 1, undefined].map(excerpt), [
    '(null)',
    '(array)',
    '(object)',
    '(number)',
    '(undefined)',
  ])
})
