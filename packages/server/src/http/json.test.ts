// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJson } from './json.ts'

test('a body is read from bytes and from text', () => {
  assert.deepEqual(parseJson(Buffer.from('{"a":"é"}')), { a: 'é' })
  assert.deepEqual(parseJson(new Uint8Array([0x5b, 0x5d])), [])
  assert.deepEqual(parseJson('{"a":1}'), { a: 1 })
})

test('a body that is not UTF-8 is refused', () => {
  assert.throws(() => parseJson(Buffer.from('{"a":"\xe9"}', 'latin1')), { code: 'invalid-json' })
  // An overlong slash, and half a surrogate pair.
  assert.throws(() => parseJson(Buffer.from([0x22, 0xc0, 0xaf, 0x22])), { code: 'invalid-json' })
  assert.throws(() => parseJson(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), { code: 'invalid-json' })
})

test('an empty body is refused', () => {
  assert.throws(() => parseJson(Buffer.alloc(0)), { code: 'invalid-json' })
})
