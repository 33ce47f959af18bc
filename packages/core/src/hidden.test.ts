// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeceptive, revealHidden, revealLine } from './hidden.ts'

test('nothing in a name is invisible, turns what is read, or moves a terminal', () => {
  const tricks = ['\u202e', '\u200b', '\u00ad', '\ufeff', '\u3164', '\u00a0', '\u2028', '\u{e0041}', '\ud800']
  for (const trick of [...tricks, '\u001b', '\u009b', '\r', '\n', '\t', '\u0007', '\u007f']) {
    const shown = revealHidden(`lib/a${trick}b.js`)
    assert.equal(shown, `lib/a\\u{${trick.codePointAt(0)?.toString(16)}}b.js`)
  }
  assert.equal(revealHidden('lib/ünï cødé-日本語.js'), 'lib/ünï cødé-日本語.js')
})

test('a line keeps its tabs and its emoji, and shows what a terminal would obey', () => {
  assert.equal(revealLine('\tlet a // ❤️ 👩‍👩‍👧\r'), '\tlet a // ❤️ 👩‍👩‍👧\r')
  assert.equal(revealLine('a\u001b[2Jb\rc'), 'a\\u{1b}[2Jb\\u{d}c')
  assert.equal(revealLine('a\u202eb'), 'a\\u{202e}b')
})

test('only what is there to deceive is deceptive', () => {
  assert.ok(isDeceptive('if (a\u2066) {}'))
  assert.ok(!isDeceptive('// ❤️ 👩‍👩‍👧 \u001b'))
})
