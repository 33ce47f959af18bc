// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { diffLines, type Hunk } from './line-diff.ts'

/** What the hunks make of the old text. */
function apply(before: readonly string[], hunks: readonly Hunk[]): string[] {
  const after: string[] = []
  let at = 0
  for (const hunk of hunks) {
    while (at < hunk.beforeLine - 1) after.push(before[at++] ?? '')
    assert.equal(after.length, hunk.afterLine - 1)
    for (const { kind, text } of hunk.lines) {
      if (kind !== 'added') assert.equal(before[at++], text)
      if (kind !== 'removed') after.push(text)
    }
  }
  return [...after, ...before.slice(at)]
}

const text = fc.array(fc.constantFrom('a', 'b', 'c', '', '}'), { maxLength: 60 })

test('the hunks applied to the old text give the new one', () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      assert.deepEqual(apply(before, diffLines(before, after)), after)
    }),
    { numRuns: 500 },
  )
})

test('one changed line of many stands alone, with three lines around it', () => {
  const before = Array.from({ length: 100 }, (_, i) => `line ${i}`)
  const after = before.with(50, 'changed')
  const [hunk, ...others] = diffLines(before, after)
  assert.deepEqual(others, [])
  assert.deepEqual([hunk?.beforeLine, hunk?.afterLine, hunk?.lines.length], [48, 48, 8])
})

test('equal texts have no hunks', () => {
  assert.deepEqual(diffLines(['a', 'b'], ['a', 'b']), [])
})

test('two large texts with nothing in common are one taken out and one put in, and that soon', () => {
  const make = (word: string) => Array.from({ length: 20_000 }, (_, i) => `${word} ${i}`)
  const hunks = diffLines(make('old'), make('new'))
  assert.equal(hunks.length, 1)
  assert.equal(hunks[0]?.lines.length, 40_000)
  assert.deepEqual(apply(make('old'), hunks), make('new'))
})
