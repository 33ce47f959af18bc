// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetwork, isSameNetwork, networkList } from './network.ts'

test('addresses and networks of both families are taken, all else is not', () => {
  for (const good of ['10.0.0.1', '10.0.0.0/8', '::1', '2001:db8::/32', '0.0.0.0/0'])
    assert.ok(isNetwork(good), good)
  for (const bad of [
    '',
    '10.0.0.0/33',
    '10.0.0/8',
    '::1/129',
    'example.org',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10.0.0.0/ 8',
  ])
    assert.ok(!isNetwork(bad), bad)
})

test('an address is in a network of its own family only', () => {
  const inside = networkList(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'])
  for (const address of ['10.1.2.3', '2001:db8::9', '192.0.2.7']) assert.ok(inside(address), address)
  for (const address of ['11.0.0.1', '2001:db9::1', '192.0.2.8', 'nonsense', ''])
    assert.ok(!inside(address), address)
})

test('neighbours share a /24, or a /48 of IPv6; what is no address has none', () => {
  assert.equal(isSameNetwork('192.0.2.7', '192.0.2.200'), true)
  assert.equal(isSameNetwork('192.0.2.7', '192.0.3.7'), false)
  assert.equal(isSameNetwork('2001:db8:1::7', '2001:db8:1:ff::9'), true)
  assert.equal(isSameNetwork('2001:db8:1::7', '2001:db8:2::7'), false)
  assert.equal(isSameNetwork('192.0.2.7', '2001:db8:1::7'), false)
  assert.equal(isSameNetwork('somewhere', '192.0.2.7'), false)
  assert.equal(isSameNetwork('', '192.0.2.7'), false)
})
