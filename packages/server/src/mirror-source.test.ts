// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findSourceLine, listSourcePieces, readSourceLines, SourceWriter } from './mirror-source.ts'

test('lines come back as they went in, whatever their size, and each is found by its place', () => {
  const lines = ['', 'ü'.repeat(100), 'x'.repeat(700_000), '', 'ö'.repeat(300_000), ...'abc'.repeat(5000)]
  const writer = new SourceWriter(10)
  for (const [index, line] of lines.entries()) writer.add(index % 2 === 0 ? line : Buffer.from(line))
  const source = writer.end()
  assert.ok(listSourcePieces(source).length > 2)
  assert.deepEqual([...readSourceLines(source)].map(String), lines)
  for (const index of [0, 1, 2, 3, 4, 5, lines.length - 1])
    assert.equal(findSourceLine(source, index)?.toString(), lines[index])
  for (const index of [-1, lines.length]) assert.equal(findSourceLine(source, index), undefined)
})

test('of nothing there are no lines', () => {
  assert.deepEqual([...readSourceLines(new Uint8Array())], [])
  assert.equal(findSourceLine(new Uint8Array(), 0), undefined)
  assert.equal(new SourceWriter(0).end().length, 0)
})
