// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import {
  instanceOfToken,
  isToken,
  tokenChecksum,
  tokenLength,
  tokenPattern,
  tokenPrefix,
} from './token-form.ts'

const body = `holdfast_abcd1234_${'x7'.repeat(16)}`
const token = body + tokenChecksum(body)

test('a token has its prefix, its length and its form, and names its instance', () => {
  assert.ok(token.startsWith(tokenPrefix) && token.length === tokenLength)
  assert.match(token, new RegExp(`^${tokenPattern}$`))
  assert.ok(isToken(token))
  assert.equal(instanceOfToken(token), 'abcd1234')
})

test('the checksum is the CRC-32 of all before it', () => {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const value = [...tokenChecksum(body)].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0)
  assert.equal(value, crc32(body))
})

test('one changed, missing or added character makes it no token', () => {
  for (let at = 0; at < token.length; at++) {
    const changed = `${token.slice(0, at)}${token[at] === 'Q' ? 'R' : 'Q'}${token.slice(at + 1)}`
    assert.ok(!isToken(changed), changed)
  }
  for (const near of [token.slice(1), token.slice(0, -1), `${token}0`, ` ${token}`, `${token}\n`, ''])
    assert.ok(!isToken(near), near)
})
