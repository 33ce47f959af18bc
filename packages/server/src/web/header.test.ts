// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problem } from '@holdfast/core'
import { retryHeaders } from './header.ts'

test('a page that cannot be made now says when to come again, and no other page does', () => {
  assert.deepEqual(retryHeaders(problem('unavailable', { why: 'the database does not answer' })), {
    'retry-after': '5',
  })
  assert.deepEqual(retryHeaders(problem('package-not-found', { name: 'left' })), {})
  assert.deepEqual(retryHeaders(undefined), {})
})
