// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkParameters, countPlaces } from './parameter.ts'

test('places are counted outside of text, names and comments', () => {
  const cases: readonly [string, number][] = [
    ['select 1', 0],
    ['select ?, ?', 2],
    ["select '?', ?", 1],
    ["select 'it''s ?', ?", 1],
    ['select "a?b", "c""?" from t where x = ?', 1],
    ['select ? -- really?\n, ?', 2],
    ['select /* ? \n ? */ ?', 1],
  ]
  for (const [sql, places] of cases) assert.equal(countPlaces(sql), places, sql)
})

test('NUL in text is the problem of whoever sent it', () => {
  assert.throws(() => checkParameters(['a\0b']), { code: 'invalid-text' })
})

test('a refused parameter is named by its position', () => {
  assert.throws(() => checkParameters([1, 'a', undefined]), /parameter 3 is of type undefined/)
  checkParameters([null, '', 0, -1.5, 1n, new Uint8Array(1), Buffer.alloc(1)])
})
