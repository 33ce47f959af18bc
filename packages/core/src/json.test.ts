// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJson } from './json.ts'

test('plain JSON is read as JSON.parse reads it', () => {
  for (const text of ['{}', '[]', '0', '"a:b,{}"', 'null', '{"a":{"b":[1,"\\"",{"c":"\\\\"}]},"b":"}"}']) {
    assert.deepEqual(parseJson(text), JSON.parse(text))
  }
})

test('what is not JSON is refused', () => {
  for (const text of [
    '',
    '{',
    '{"a"}',
    '{"a":1,}',
    '"',
    '"\\',
    '{"a":1} x',
    '\ufeff{}',
    '{"a":"\n"}',
    'undefined',
  ]) {
    assert.throws(() => parseJson(text), { code: 'invalid-json' }, text)
  }
})

test('a key twice in one object is refused, however it is written', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '[{"b":{"c":1,"d":[],"c":2}}]',
    '{"__proto__":1,"__proto__":2}',
  ]) {
    assert.throws(() => parseJson(text), { code: 'invalid-json', message: /twice/ }, text)
  }
  assert.deepEqual(parseJson('[{"a":1},{"a":2,"b":{"a":"a"}}]'), [{ a: 1 }, { a: 2, b: { a: 'a' } }])
})

test('a key may repeat where the caller says so', () => {
  const mayRepeat = (path: readonly string[]) => path.join('.') === 'x.a'
  assert.deepEqual(parseJson('{"x":{"a":1,"a":2}}', mayRepeat), { x: { a: 2 } })
  assert.throws(() => parseJson('{"y":{"a":1,"a":2}}', mayRepeat), { code: 'invalid-json' })
  assert.throws(() => parseJson('{"x":[{"a":1,"a":2}]}', mayRepeat), { code: 'invalid-json' })
})

test('keys that reach a prototype are dropped, written plainly or with escapes', () => {
  for (const key of ['__proto__', '\\u005f_proto__', '__pr\\u006fto__', '\\u005F\\u005Fproto__']) {
    const value = parseJson(`{"a":[{"${key}":{"x":1},"b":2}]}`)
    assert.deepEqual(Object.getOwnPropertyNames((value as { a: object[] }).a[0]), ['b'])
  }
  assert.deepEqual(parseJson('{"constructor":{"prototype":{}},"b":2}'), { b: 2 })
})

test('a package may be called constructor', () => {
  assert.deepEqual(Object.keys(parseJson('{"dependencies":{"constructor":"1"}}') as object), ['dependencies'])
  assert.equal(JSON.stringify(parseJson('{"constructor":"1"}')), '{"constructor":"1"}')
})

test('depth is bounded at 64', () => {
  assert.ok(parseJson('['.repeat(64) + ']'.repeat(64)))
  assert.throws(() => parseJson('['.repeat(65) + ']'.repeat(65)), { code: 'invalid-json', message: /deeper/ })
  assert.throws(() => parseJson('{"a":'.repeat(10_000_000)), { code: 'invalid-json', message: /deeper/ })
})

test('the number of objects and lists is bounded', () => {
  assert.throws(() => parseJson(`[${'[],'.repeat(1_000_000)}[]]`), {
    code: 'invalid-json',
    message: /more than/,
  })
})
