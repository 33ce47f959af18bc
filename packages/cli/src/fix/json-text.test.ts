// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setJsonText } from './json-text.ts'

const text =
  '{\r\n\t"name": "a\\"}",\r\n\t"list": [1, {"b": 2}],\r\n\t"dependencies": {\r\n\t\t"b": "^1.0.0"\r\n\t}\r\n}\r\n'

test('a value is replaced and nothing else moves', () => {
  assert.equal(setJsonText(text, ['dependencies', 'b'], '^1.0.1'), text.replace('^1.0.0', '^1.0.1'))
})

test('what is not there is put in with the indentation and the line ends of the rest', () => {
  assert.equal(
    setJsonText(text, ['dependencies', 'c'], '2.0.0'),
    text.replace('"^1.0.0"', '"^1.0.0",\r\n\t\t"c": "2.0.0"'),
  )
  assert.equal(
    setJsonText(text, ['pnpm', 'overrides', 'c@^1'], '2.0.0'),
    text.replace(
      '\r\n\t}\r\n}',
      '\r\n\t},\r\n\t"pnpm": {\r\n\t\t"overrides": {\r\n\t\t\t"c@^1": "2.0.0"\r\n\t\t}\r\n\t}\r\n}',
    ),
  )
  assert.equal(setJsonText('{"a":{}}', ['a', 'b'], 'c'), '{"a":{"b": "c"}}')
})

test('of members that stand twice the one that counts is changed, and no JSON is refused', () => {
  assert.equal(setJsonText('{"a":"1","a":"2"}', ['a'], '3'), '{"a":"1","a":"3"}')
  assert.throws(() => setJsonText('{"a":', ['a'], '3'), SyntaxError)
})
