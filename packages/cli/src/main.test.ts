// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serverVerbs } from '@holdfast/server/command'
import { usage } from './main.ts'

const launcher = fileURLToPath(new URL('../bin/holdfast.js', import.meta.url))

function holdfast(...args: string[]) {
  return spawnSync(process.execPath, [launcher, ...args], { encoding: 'utf8' })
}

test('--help prints every command and exits with 0', () => {
  const { status, stdout } = holdfast('--help')
  assert.equal(status, 0)
  assert.equal(stdout, usage())
})

test('the usage lists every verb that the server has, and no other', () => {
  const listed = [...usage().matchAll(/^ {2}(\w+) {2}/gm)].map(([, verb]) => verb)
  const onTheirOwn = [
    'assess',
    'audit',
    'ci',
    'diff',
    'drill',
    'fix',
    'incident',
    'log',
    'lookalike',
    'match',
    'policy',
    'provenance',
    'reach',
    'report',
    'sbom',
    'screen',
    'token',
    'trust',
    'verify',
    'waiver',
    'why',
    'witness',
  ]
  // `holdfast log recover` is an act of the verb `log`.
  const onServer = serverVerbs.filter(verb => verb !== 'log-recover')
  assert.deepEqual(listed.filter(verb => !onTheirOwn.includes(verb ?? '')).sort(), onServer.sort())
})

test('--version prints the version of the package', () => {
  assert.match(holdfast('--version').stdout, /^\d+\.\d+\.\d+\n$/)
})

test('no command at all prints the usage as an error', () => {
  const { status, stdout, stderr } = holdfast()
  assert.deepEqual([status, stdout, stderr], [2, '', usage()])
})

test('an unknown command exits with 2 and a hint, also one that every object has', () => {
  for (const word of ['nonsense', 'toString', '__proto__']) {
    const { status, stderr } = holdfast(word)
    assert.equal(status, 2)
    assert.equal(stderr, `there is no command ${word}\nholdfast --help lists the commands.\n`)
  }
})

test('an unknown option exits with 2 and a hint, without a stack', () => {
  const { status, stderr } = holdfast('assess', 'self', '--frobnicate')
  assert.equal(status, 2)
  assert.match(stderr, /--frobnicate/)
  assert.match(stderr, /--help/)
  assert.doesNotMatch(stderr, /^ +at /m)
})

test('assess without saying what exits with 2 and the words to write', () => {
  const { status, stderr } = holdfast('assess')
  assert.equal(status, 2)
  assert.match(stderr, /holdfast assess self/)
})
