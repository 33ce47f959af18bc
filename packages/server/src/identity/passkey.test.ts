// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tfaModeOf } from './passkey.ts'

test('a passkey is a second factor for everything, unless its owner chose the mode of an authenticator', () => {
  assert.equal(tfaModeOf({ tfa: 'none', hasPasskey: false }), 'none')
  assert.equal(tfaModeOf({ tfa: 'none', hasPasskey: true }), 'auth-and-writes')
  assert.equal(tfaModeOf({ tfa: 'auth-only', hasPasskey: true }), 'auth-only')
  assert.equal(tfaModeOf({ tfa: 'auth-and-writes', hasPasskey: false }), 'auth-and-writes')
})
