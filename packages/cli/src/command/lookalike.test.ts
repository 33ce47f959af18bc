// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openCommandLine } from '../../test/command-line.ts'

const home = await mkdtemp(join(tmpdir(), 'holdfast-lookalike-'))
after(() => rm(home, { recursive: true }))
const commandLine = openCommandLine(home)
const lookalike = (...words: string[]) => commandLine({}, 'lookalike', ...words)

test('holdfast lookalike tells verdict, target and trick without a server', async () => {
  const { code, out } = await lookalike('expresss', 'express', '--json')
  assert.equal(code, 1)
  assert.deepEqual(
    out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
    [
      { name: 'expresss', verdict: 'hold', target: 'express', technique: 'repetition' },
      { name: 'express', verdict: 'ok', target: null, technique: null },
    ],
  )
})

test('holdfast lookalike asks in words what was meant', async () => {
  assert.equal((await lookalike('expresss')).out, 'expresss: hold, did you mean express? (repetition)\n')
  assert.equal((await lookalike('express')).code, 0)
})

test('what cannot be a name is refused before anything is read', async () => {
  for (const bad of ['../x', 'a b', '@scope', '', 'x'.repeat(215)]) {
    const { code, out, err } = await lookalike(bad, '--json')
    assert.deepEqual([code, out], [2, ''], bad)
    assert.match(err, /cannot be a package name/)
  }
  assert.equal((await lookalike()).code, 2)
})
