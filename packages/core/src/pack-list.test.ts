// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPackList, parsePackList } from './pack-list.ts'

const digest = 'a'.repeat(64)
const text = `holdfast-pack/v1\n2026-11-23T12:00:00.000Z\n${digest} a.yar\n${digest} b.hashes\n`

test('a list is read and written as the same text', () => {
  const list = parsePackList(text)
  assert.deepEqual([...list.files.keys()], ['a.yar', 'b.hashes'])
  assert.equal(formatPackList(list), text)
})

test('what is no list is refused', () => {
  for (const wrong of [
    '',
    text.replace('v1', 'v2'),
    text.replace('2026', 'x'),
    text.replace('a.yar', '../a.yar'),
    text.replace('a.yar', 'PACK'),
    text.replace('b.hashes', 'a.yar'),
    text.replace('a'.repeat(64), 'a'.repeat(63)),
    text.slice(0, -1),
  ])
    assert.throws(() => parsePackList(wrong), { code: 'note-refused' }, wrong)
})
