// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isProblem } from '../problem.ts'
import { formatWitnessRequest, parseWitnessRequest } from './witness-request.ts'

const { events } = JSON.parse(readFileSync(new URL('./fixture/tlog-vectors.json', import.meta.url), 'utf8'))
const hash = `${'A'.repeat(43)}=`

test('the published request is read and written back to the same text', () => {
  const request = parseWitnessRequest(events.add_checkpoint_3_to_5)
  assert.equal(request.oldSize, 3)
  assert.equal(request.path.length, 4)
  assert.equal(request.checkpoint, events.checkpoint_5)
  assert.equal(formatWitnessRequest(request), events.add_checkpoint_3_to_5)
})

test('63 hashes are read, and none at all', () => {
  assert.equal(parseWitnessRequest(`old 3\n${`${hash}\n`.repeat(63)}\nnote`).path.length, 63)
  assert.deepEqual(parseWitnessRequest('old 0\n\nnote'), { oldSize: 0, path: [], checkpoint: 'note' })
})

test('what is no request is refused as one that is expected', () => {
  const bad = {
    nothing: '',
    'no old size': `${hash}\n\nnote`,
    'a size with a leading zero': 'old 01\n\nnote',
    'a size below zero': 'old -1\n\nnote',
    'a size beyond safe integers': 'old 9007199254740993\n\nnote',
    'a size of twenty digits': 'old 18446744073709551615\n\nnote',
    'a size with more behind it': 'old 1 \n\nnote',
    'no empty line': `old 3\n${hash}\nnote`,
    '64 hashes': `old 3\n${`${hash}\n`.repeat(64)}\nnote`,
    'a short hash': 'old 3\nAAAA\n\nnote',
    'stray bits in a hash': `old 3\n${'A'.repeat(42)}B=\n\nnote`,
    'a carriage return': `old 3\r\n${hash}\r\n\r\nnote`,
  }
  for (const [what, text] of Object.entries(bad))
    assert.throws(
      () => parseWitnessRequest(text),
      error => isProblem(error) && error.code === 'note-refused',
      what,
    )
})
