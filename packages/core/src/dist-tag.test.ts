// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDistTag } from './dist-tag.ts'

test('words are tags, also with a slash or a number inside', () => {
  for (const tag of [
    'latest',
    'next',
    'be/ta',
    'next-11',
    'v2-lts',
    '2024-lts',
    'x64',
    'canary.3',
    'toString',
  ]) {
    assert.equal(parseDistTag(tag), tag)
  }
})

test('whatever a client would take for a version or a range is no tag', () => {
  const ranges = [
    ...['1', 'v1', 'v1.4', '1.x', '1.2.3', '1.2.3-beta.1', '1.2.3+build', '=1', 'v=1'],
    ...[
      '^1',
      '~1.2',
      '~>1',
      '>=1',
      '<2',
      '>1.2.3',
      '*',
      'x',
      'X',
      '1.*',
      '||',
      '1||2',
      '^1||',
      '01',
      '1+a',
      '+a',
      '1+a',
      '+a',
    ],
  ]
  for (const tag of ranges) {
    assert.throws(() => parseDistTag(tag), { code: 'invalid-dist-tag', message: /range/ }, tag)
  }
})

test('tags that would reach a prototype, a terminal or the log as something else are refused', () => {
  const refused = [
    '',
    '__proto__',
    'constructor',
    'prototype',
    'a b',
    'a\n',
    'a\u0000',
    'bêta',
    't'.repeat(215),
    1,
    {},
  ]
  for (const input of refused) {
    assert.throws(() => parseDistTag(input), { code: 'invalid-dist-tag' }, String(input))
  }
})
