// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatIntegrity, isShasum, parseDigest, parseIntegrity } from './digest.ts'

test('a digest survives the way through integrity text, which is the one npm writes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      const hash = createHash('sha512').update(bytes).digest()
      const digest = parseDigest(hash.toString('hex'))
      assert.equal(formatIntegrity(digest), `sha512-${hash.toString('base64')}`)
      assert.equal(parseIntegrity(formatIntegrity(digest)), digest)
    }),
  )
})

const integrity = formatIntegrity(parseDigest('0f'.repeat(64)))

test('of several algorithms the SHA-512 is taken, options are passed over', () => {
  assert.equal(parseIntegrity(`sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= \n ${integrity}?foo`), '0f'.repeat(64))
})

test('an integrity text without a whole, canonical SHA-512 gives nothing', () => {
  const refused = [
    '',
    'sha512-',
    'sha512-AAAA',
    integrity.slice(0, -1),
    integrity.replace('==', ''),
    integrity.toUpperCase(),
    integrity.replace(/.==$/, 'x=='),
    `x${integrity}`,
    `sha256-${'A'.repeat(43)}=`,
  ]
  for (const text of refused) assert.equal(parseIntegrity(text), undefined, text)
})

test('only lower-case hexadecimal of the right length is a digest, so that it can be a file name', () => {
  for (const input of [
    '',
    'A'.repeat(128),
    'a'.repeat(127),
    `${'a'.repeat(128)}\n`,
    '../'.repeat(43),
    5,
    null,
  ]) {
    assert.throws(() => parseDigest(input), { code: 'invalid-digest' }, String(input))
  }
})

test('a shasum is 40 lower-case hexadecimal characters', () => {
  assert.ok(isShasum('da39a3ee5e6b4b0d3255bfef95601890afd80709'))
  for (const text of [
    '',
    'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709',
    'a'.repeat(41),
    `${'a'.repeat(40)}\n`,
  ]) {
    assert.ok(!isShasum(text))
  }
})
