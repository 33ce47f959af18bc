// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findNearestWord } from './nearest-word.ts'

const words = ['audit', 'assess', 'fix', 'log', 'json', 'registry']

test('a word with a slip or two is known again, and what is far from all is not', () => {
  const meant = { adit: 'audit', adutis: undefined, fxi: 'fix', regsitry: 'registry', reigstyr: 'registry' }
  for (const [typed, word] of Object.entries({ ...meant, jsn: 'json', audits: 'audit', xyz: undefined }))
    assert.equal(findNearestWord(typed, words), word, typed)
  assert.equal(findNearestWord('a'.repeat(1e7), words), undefined)
  assert.equal(findNearestWord('', ['a']), 'a')
})
