// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serverVerbs } from '@holdfast/server/command'
import { openCommandLine } from '../test/command-line.ts'
import { usage } from './main.ts'

const launcher = fileURLToPath(new URL('../bin/holdfast.js', import.meta.url))

const home = await mkdtemp(join(tmpdir(), 'holdfast-main-'))
after(() => rm(home, { recursive: true }))
const commandLine = openCommandLine(home)

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
    'pack',
    'bundle',
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

test('every command says what it does, which exit codes it has, and an example that is its own', async () => {
  const listed = [...usage().matchAll(/^ {2}(\w+) {2}/gm)].map(([, verb]) => verb ?? '')
  assert.ok(listed.length > 25)
  for (const verb of listed) {
    const { code, out, err } = await commandLine({}, verb, '--help')
    assert.deepEqual([code, err], [0, ''], verb)
    assert.match(out, new RegExp(`^(Usage: )?holdfast ${verb === 'waiver' ? 'why' : verb} `), verb)
    assert.match(out, /Exit code/, verb)
    assert.match(out, new RegExp(`^(Example:|        ) holdfast ${verb}( .*)?$`, 'm'), verb)
  }
})

test('a mistyped command, act or option is answered with what was likely meant', async () => {
  const typed: readonly (readonly [string[], RegExp])[] = [
    [['adit'], /^there is no command adit\nDid you mean holdfast audit\?/],
    [['audit', '--jsn'], /^there is no option --jsn\nDid you mean --json\?/],
    [['serve', '--prot', '1'], /^There is no option --prot\. Did you mean port\?/],
    [['operator', 'hsot', '--data', 'x'], /^There is no act hsot\. Did you mean host\?/],
  ]
  for (const [words, said] of typed) {
    const { code, err } = await commandLine({}, ...words)
    assert.equal(code, 2)
    assert.match(err, said)
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
