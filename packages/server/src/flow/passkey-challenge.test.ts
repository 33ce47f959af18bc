// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPasskeyPlace } from './passkey-challenge.ts'

test('passkeys belong to the host name of the public address, and to its origin alone', () => {
  assert.deepEqual(findPasskeyPlace('https://registry.example'), {
    rpId: 'registry.example',
    origin: 'https://registry.example',
  })
  assert.deepEqual(findPasskeyPlace('https://registry.example:8443/packages'), {
    rpId: 'registry.example',
    origin: 'https://registry.example:8443',
  })
})

test('browsers make none for numbers, but one’s own machine has a name', () => {
  for (const address of ['http://127.0.0.1:4873', 'http://[::1]:4873', 'http://localhost:4873'])
    assert.deepEqual(findPasskeyPlace(address), { rpId: 'localhost', origin: 'http://localhost:4873' })
  assert.equal(findPasskeyPlace('https://192.0.2.7'), undefined)
  assert.equal(findPasskeyPlace('https://[2001:db8::1]'), undefined)
})
