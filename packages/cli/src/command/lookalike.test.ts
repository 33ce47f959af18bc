// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const launcher = join(import.meta.dirname, '../../bin/holdfast.js')

function lookalike(...args: string[]) {
  return spawnSync(process.execPath, [launcher, 'lookalike', ...args], { encoding: 'utf8' })
}

test('holdfast lookalike tells verdict, target and trick without a server', () => {
  const { status, stdout } = lookalike('expresss', 'express', '--json')
  assert.equal(status, 1)
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
    [
      { name: 'expresss', verdict: 'hold', target: 'express', technique: 'repetition' },
      { name: 'express', verdict: 'ok', target: null, technique: null },
    ],
  )
})

test('holdfast lookalike asks in words what was meant', () => {
  assert.equal(lookalike('expresss').stdout, 'expresss: hold, did you mean express? (repetition)\n')
  assert.equal(lookalike('express').status, 0)
})

test('what cannot be a name is refused before anything is read', () => {
  for (const bad of ['../x', 'a b', '@scope', '', 'x'.repeat(215)]) {
    const { status, stdout, stderr } = lookalike(bad, '--json')
    assert.deepEqual([status, stdout], [2, ''], bad)
    assert.match(stderr, /cannot be a package name/)
  }
  assert.equal(lookalike().status, 2)
})
