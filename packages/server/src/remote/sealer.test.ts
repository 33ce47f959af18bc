// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isProblem } from '@holdfast/core'
import { makeSealer } from './sealer.ts'

const isBroken = (error: unknown) => isProblem(error) && error.code === 'seal-broken'
const sealer = makeSealer(randomBytes(32))

test('what was sealed opens again, and looks different each time', () => {
  for (const text of ['', 'secret', 'ü ✓ 𝄞', 'x'.repeat(10_000)]) {
    const sealed = sealer.seal(text)
    assert.equal(sealer.open(sealed), text)
    assert.notEqual(sealer.seal(text), sealed)
    assert.ok(text === '' || !sealed.includes(text))
  }
})

test('a seal with any bit changed, cut short or made with another key does not open', () => {
  const sealed = sealer.seal('secret')
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.throws(() => sealer.open(`v1.${changed.toString('base64url')}`), isBroken)
  }
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => sealer.open(`v1.${bytes.subarray(0, length).toString('base64url')}`), isBroken)
  }
  assert.throws(() => makeSealer(randomBytes(32)).open(sealed), isBroken)
  assert.throws(() => sealer.open(sealed.slice(3)), isBroken)
})
