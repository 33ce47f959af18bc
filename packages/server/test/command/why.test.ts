// SPDX-License-Identifier: Apache-2.0
/** The commands for those who meet the policy: why, waiver ask, policy preview; each as a process of its own, over HTTP. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openCommandLine } from '../../../cli/test/command-line.ts'
import { parseRules } from '../../src/catalog/index.ts'
import { applyPolicy } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { openWorld, type Someone, type World } from '../world.ts'

let world: World
let alice: Someone
const home = await mkdtemp(join(tmpdir(), 'holdfast-why-'))

before(async () => {
  world = await openWorld()
  alice = await world.someone('alice')
  await world.publish(alice, 'ui', '1.0.0')
  await world.publish(alice, 'ui', '1.1.0', { manifest: { scripts: { install: 'node x.js' } } })
  await world.publish(alice, 'old', '1.0.0')
  world.advance(1000)
  const rules = [
    { kind: 'install-script', mode: 'enforce', origins: ['hosted'] },
    { kind: 'deny', packages: ['old'], origins: ['hosted'] },
  ]
  await applyPolicy(world.ports, operator, parseRules(rules))
  const host = new URL(world.url).host
  await writeFile(
    join(home, '.npmrc'),
    `registry=${world.url}/npm/\n//${host}/npm/:_authToken=${alice.token}\n`,
  )
})
after(async () => {
  await world.close()
  await rm(home, { recursive: true })
})

const commandLine = openCommandLine(home)
const run = (...words: string[]) => commandLine({}, ...words)

test('why says rule, reason and what to use instead, and its exit code says whether it can be installed', async () => {
  const closed = await run('why', 'ui@1.1.0')
  assert.equal(closed.code, 1, closed.err)
  for (const told of [
    'by the rule install-script',
    'runs code of its own',
    'Use ui@1.0.0 instead',
    '/why/npm/ui/1.1.0',
  ])
    assert.ok(closed.out.includes(told), `${told} in ${closed.out}`)
  const open = await run('why', 'ui@1.0.0', '--registry', world.url, '--json')
  assert.equal(open.code, 0)
  assert.equal(JSON.parse(open.out).served, true)
  assert.equal((await run('why', 'ui@9.9.9')).code, 2)
  assert.equal((await run('why', 'ui')).code, 2)
})

test('a waiver is asked for with the token that npm has for the registry, and for no other', async () => {
  const asked = await run('waiver', 'ask', 'ui@1.1.0', '--reason', 'the driver needs it')
  assert.equal(asked.code, 0, asked.err)
  assert.match(asked.out, /\/why\/npm\/ui\/1\.1\.0/)
  const [waiver] = await world.ports.store.policy.listAllWaivers('asked', 10)
  assert.deepEqual([waiver?.askedBy, waiver?.reason], [alice.id, 'the driver needs it'])
  // The same registry by another name: npm's token is not for it.
  const elsewhere = world.url.replace('127.0.0.1', 'localhost')
  const refused = await run('waiver', 'ask', 'ui@1.1.0', '--reason', 'x', '--registry', elsewhere)
  assert.equal(refused.code, 2)
})

test('a lock file is looked at: closed now, closed later, unknown; kept only by those who may', async () => {
  const packages = {
    'node_modules/ui': { version: '1.1.0' },
    'node_modules/old': { version: '1.0.0' },
    'node_modules/absent': { version: '1.0.0' },
    'node_modules/a/node_modules/ui': { version: '1.0.0' },
  }
  const file = join(home, 'package-lock.json')
  await writeFile(file, JSON.stringify({ lockfileVersion: 3, packages }))
  const seen = await run('policy', 'preview', 'package-lock.json', '--json')
  assert.equal(seen.code, 1, seen.err)
  const outcomes = Object.fromEntries(
    JSON.parse(seen.out).versions.map((each: { name: string; outcome: string }) => [each.name, each.outcome]),
  )
  assert.deepEqual(outcomes, { ui: 'closed', old: 'would-close', absent: 'unknown' })
  const kept = await run('policy', 'preview', 'package-lock.json', '--keep')
  assert.equal(kept.code, 2)
  assert.match(kept.err, /You may not spare what lock files name/)
  const responder = await world.someone('rita', ['responder'])
  const line = ['policy', 'preview', 'package-lock.json', '--keep']
  await writeFile(
    join(home, '.npmrc'),
    `registry=${world.url}/npm/\n//${new URL(world.url).host}/npm/:_authToken=${responder.token}\n`,
  )
  assert.equal((await run(...line)).code, 1)
  const spared = await world.ports.store.policy.listGrandfathered('old' as never)
  assert.deepEqual([...spared], [['1.0.0', world.now()]])
  await writeFile(file, 'hello')
  assert.equal((await run('policy', 'preview', 'package-lock.json')).code, 2)
})

test('a lock file that was emptied is no lock file in which everything is open', async () => {
  await writeFile(join(home, 'package.json'), JSON.stringify({ dependencies: { old: '^1.0.0' } }))
  await writeFile(join(home, 'pnpm-lock.yaml'), 'lockfileVersion: "9.0"\nimporters:\n  .: {}\n')
  const { code, err } = await run('policy', 'preview', 'pnpm-lock.yaml')
  assert.deepEqual([code, /does not hold all that is needed: there is no old/.test(err)], [2, true], err)
})
