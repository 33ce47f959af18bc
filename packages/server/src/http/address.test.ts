// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { addressReader } from './address.ts'

const read = addressReader(['10.0.0.0/8', '2001:db8:1::/48'])
const from = (forwarded: string, peer = '10.0.0.1') =>
  read({
    headers: { 'x-forwarded-for': forwarded },
    socket: { remoteAddress: peer },
  } as unknown as IncomingMessage)

test('the address is what the last trusted proxy saw, never what a client wrote left of it', () => {
  assert.equal(from('192.0.2.66, 192.0.2.7'), '192.0.2.7')
  assert.equal(from('192.0.2.66, 192.0.2.7, 10.0.0.2'), '192.0.2.7')
  assert.equal(from('10.0.0.3, 10.0.0.2'), '10.0.0.3')
  assert.equal(from('192.0.2.66', '192.0.2.7'), '192.0.2.7', 'from somebody who is no proxy')
})

test('a proxy that writes ports, brackets or mapped addresses is understood', () => {
  assert.equal(from('192.0.2.66, 192.0.2.7:4711'), '192.0.2.7')
  assert.equal(from('192.0.2.66, [2001:db8::7]:4711'), '2001:db8::7')
  assert.equal(from('192.0.2.66, ::ffff:192.0.2.7'), '192.0.2.7')
  assert.equal(from('2001:db8::7%25x'), '2001:db8::7')
  assert.equal(from('192.0.2.7', '::ffff:10.0.0.1'), '192.0.2.7')
})

test('left of what is no address nothing counts', () => {
  assert.equal(from('192.0.2.66, unknown'), '10.0.0.1')
  assert.equal(from('192.0.2.66, _hidden, 10.0.0.2'), '10.0.0.2')
  assert.equal(from(''), '10.0.0.1')
})
