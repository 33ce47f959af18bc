// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeLeaf, encodeCanonical, encodeLeaf } from './canonical-json.ts'

const leaf =
  '{"actor":{"id":"a_4f1d9c0e7b2a4a55","kind":"user"},"at":1767225600000,"dist":{"integrity":"sha512-rk4R6yGv0lJHuZ5NA47klor+1tuCSFzOHQS94MSv7V9netpiqvIy/oLUug0s0baSJmFwXMl49XJ6W2wjHJGE/w==","manifest":"sha256-OWwAVV+2dmj3xB1R89Ayd909gIS4Yq9tNavdBwXDWYA=","size":1234},"id":"0198f0a0-0000-7000-8000-000000000001","log":"registry.example/log","pkg":"@acme/widget","prev":"","seq":1,"type":"publish","v":1,"ver":"1.0.0"}'

test('the published example leaf is read, written back to the same bytes, and has its published hash', () => {
  assert.equal(encodeLeaf(decodeLeaf(leaf)), leaf)
  const hash = createHash('sha256').update('\0').update(leaf).digest('hex')
  assert.equal(hash, '56da3e920eb8e66e115b8a636117144504eb3e1dba733de85cfeee663d248c87')
})

test('a leaf written in any other way is refused, though it says the same', () => {
  const texts = [
    '{ "a":1}',
    '{"a":1}\n',
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    '{"a":1,"a":2}',
    '{"a":1.0}',
    '{"a":1e2}',
    '{"a":-0}',
    '{"a":"\\u0041"}',
    '{"a":"\\/"}',
    '{"a":"<\\u003e"}',
    '\ufeff{"a":1}',
  ]
  for (const text of texts) assert.throws(() => decodeLeaf(text), { code: 'invalid-json' }, text)
})

test('what JSON libraries disagree about never enters a leaf', () => {
  const values = [
    { a: 1.5 },
    { a: -0 },
    { a: 2 ** 53 },
    { a: Number.NaN },
    { a: 'é' },
    { a: 'line\nbreak' },
    { a: '\u007f' },
    { é: 1 },
    { a: undefined },
    { a: 1n },
    { a: new Date(0) },
    { a: [undefined] },
    [],
    'text',
    null,
  ]
  for (const value of values) assert.throws(() => encodeLeaf(value), { code: 'invalid-json' })
})

test('text that is no object, no JSON, or nested to break the stack is refused as a leaf', () => {
  for (const text of [
    '',
    '[]',
    'null',
    '1',
    '{',
    '{"a":1}}',
    `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
  ]) {
    assert.throws(() => decodeLeaf(text), { code: 'invalid-json' })
  }
})

test('every encoded leaf decodes to the same value', () => {
  const ascii = fc.string({ unit: 'grapheme-ascii' })
  const { value } = fc.letrec(tie => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.boolean(),
      fc.maxSafeInteger().filter(n => !Object.is(n, -0)),
      ascii,
      fc.array(tie('value')),
      fc.dictionary(ascii, tie('value'), { noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(ascii, value, { noNullPrototype: true }), object => {
      assert.deepEqual(decodeLeaf(encodeLeaf(object)), object)
    }),
  )
})

test('one byte changed in a leaf is another leaf or none, never the same event', () => {
  for (let index = 0; index < leaf.length; index += 1) {
    const changed = `${leaf.slice(0, index)}${leaf[index] === 'a' ? 'b' : 'a'}${leaf.slice(index + 1)}`
    try {
      assert.equal(encodeLeaf(decodeLeaf(changed)), changed)
    } catch (error) {
      assert.equal((error as { code: string }).code, 'invalid-json')
    }
  }
})

test('the samples of RFC 8785 come out as the RFC prints them', () => {
  const sample = {
    numbers: [JSON.parse('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"\u002f',
    literals: [null, true, false],
  }
  assert.equal(
    encodeCanonical(sample),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
  const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }
  assert.equal(encodeCanonical(keys), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}')
})

test('canonical text does not depend on the order in which keys were set', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), object => {
      const turned = Object.fromEntries(Object.entries(object).reverse())
      assert.equal(encodeCanonical(turned), encodeCanonical(object))
      assert.deepEqual(JSON.parse(encodeCanonical(object)), JSON.parse(JSON.stringify(object)))
    }),
  )
})

test('text that has no UTF-8 and numbers that have no JSON are refused', () => {
  for (const value of ['\ud800', { '\udc00': 1 }, Number.POSITIVE_INFINITY, Number.NaN]) {
    assert.throws(() => encodeCanonical(value), { code: 'invalid-json' })
  }
})
