// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checklist, type Safety } from './security-checklist.ts'

const bare: Safety = {
  isConfirmed: false,
  canHavePasskeys: true,
  passkeys: 0,
  codes: 0,
  hasFactor: false,
  hasAuthenticator: false,
  hasPassword: true,
}
const nextOf = (safety: Partial<Safety>) =>
  /Next: ([^<]+)|well kept/.exec(String(checklist({ ...bare, ...safety })))?.slice(0, 2)

test('the next thing to do is one thing, in the order in which an account becomes safe', () => {
  assert.equal(nextOf({})?.[1], 'confirm your address')
  assert.equal(nextOf({ isConfirmed: true })?.[1], 'add a passkey')
  const withOne = { isConfirmed: true, passkeys: 1, hasFactor: true }
  assert.equal(nextOf(withOne)?.[1], 'make recovery codes')
  assert.equal(nextOf({ ...withOne, codes: 10 })?.[1], 'add a second passkey')
  assert.equal(nextOf({ ...withOne, codes: 10, passkeys: 2 })?.[0], 'well kept')
})

test('where browsers have no passkeys, an authenticator takes their place', () => {
  const without = { isConfirmed: true, canHavePasskeys: false }
  assert.equal(nextOf(without)?.[1], 'set up an authenticator')
  const done = { ...without, hasFactor: true, hasAuthenticator: true, codes: 3 }
  assert.equal(nextOf(done)?.[0], 'well kept')
})
