// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { Run } from './client.ts'

/** Asserts that a run ended well. */
export function passes(run: Run): Run {
  assert.equal(run.code, 0, run.text)
  return run
}

/** Asserts that a run failed and said so in these words. */
export function fails(run: Run, words: RegExp): Run {
  assert.notEqual(run.code, 0, run.text)
  // Some clients break lines at the width of a terminal.
  assert.match(run.text.replace(/\n[│\s]*/g, ' '), words)
  return run
}
