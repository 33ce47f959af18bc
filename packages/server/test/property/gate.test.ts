// SPDX-License-Identifier: Apache-2.0
/**
 * No path disagrees with the gate: after each of a random sequence of changes, every address by which a version can be
 * seen or had answers as the gate's table says, at once for changes of this process and soon for those of another.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type PackageName, type Status, statusTable, type Version } from '@holdfast/core'
import fc from 'fast-check'
import { parseRules } from '../../src/catalog/index.ts'
import { takeMeasure, type Viewing } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { type OpenPorts, openPorts } from '../../src/main.ts'
import { configIn, type Live, publishDocument, put, startLive, tokenOf } from '../live.ts'
import { request } from '../request.ts'
import { anyChange, type Change, kinds, make, setStatus } from './change.ts'
import { holds } from './holds.ts'
import { checkPaths, readTruth, type Viewer } from './path.ts'

interface History {
  readonly scoped: boolean
  readonly changes: readonly Change[]
}

let live: Live
/** Another process's view: no memory of the server's in between. */
let other: OpenPorts
let viewers: readonly Viewer[]
/** What the other process reads from the database, with the policy that counts in this one. */
let eyes: Viewing
let counter = 0

before(async () => {
  live = await startLive()
  other = await openPorts(configIn(live.folder))
  const { store } = other.ports
  eyes = {
    ...other.ports,
    store: { ...store, policy: { ...store.policy, current: live.ports.store.policy.current } },
  }
  viewers = [
    { name: 'nobody', authorization: undefined, isOwner: false },
    { name: 'the owner', authorization: `Bearer ${live.token}`, isOwner: true },
    { name: 'a stranger', authorization: `Bearer ${await tokenOf(live.ports, 'mallory')}`, isOwner: false },
  ]
})

after(async () => {
  await other.close()
  await live.stop()
})

const anyHistory: fc.Arbitrary<History> = fc.record({
  scoped: fc.boolean(),
  changes: fc.array(anyChange, { minLength: 4, maxLength: 12 }),
})

for (const status of Object.keys(statusTable) as Status[]) {
  test(`every path agrees with the gate on a version that is ${status}: alone, beside a live one, in private`, async () => {
    const name = freshName(false)
    await (await put(live, name, publishDocument(name, '1.0.0'))).text()
    await setStatus(live.ports, name, '1.0.0' as never, status)
    await checkPaths(live.url, await readTruth(eyes, name), viewers)
    await (await put(live, name, publishDocument(name, '0.9.0'))).text()
    await checkPaths(live.url, await readTruth(eyes, name), viewers)
    await make(live, live.ports, name, { kind: 'access', access: 'restricted' })
    await checkPaths(live.url, await readTruth(eyes, name), viewers)
  })
}

for (const rule of kinds) {
  test(`every path agrees with the gate under the rule ${rule.kind}: enforced, waived, only watched`, async () => {
    const name = freshName(false)
    await (await put(live, name, publishDocument(name, '1.0.0'))).text()
    await (await put(live, name, publishDocument(name, '1.0.1'))).text()
    const version = '1.0.1' as Version
    await make(live, live.ports, name, { kind: 'malware', version, isWithdrawn: false })
    await make(live, live.ports, name, { kind: 'deprecate', version, message: 'use another' })
    await checkPaths(live.url, await readTruth(eyes, name), viewers)
    // Nobody fetched this one before the rule came.
    await (await put(live, name, publishDocument(name, '1.1.0'))).text()
    const change = (mode: 'enforce' | 'monitor'): Change => ({
      kind: 'policy',
      rules: parseRules([{ ...rule, mode, action: 'block', origins: ['hosted'] }]),
    })
    for (const each of [
      change('enforce'),
      { kind: 'waiver', version, act: 'grant' },
      change('monitor'),
    ] as const) {
      await make(live, live.ports, name, each)
      await checkPaths(live.url, await readTruth(eyes, name), viewers)
    }
  })
}

test('every path agrees with the gate while measures overlap and end', async () => {
  const name = freshName(false)
  await make(live, live.ports, name, { kind: 'policy', rules: [] })
  for (const version of ['1.0.0', '1.0.1'])
    await (await put(live, name, publishDocument(name, version))).text()
  const version = '1.0.0' as Version
  const changes: readonly Change[] = [
    { kind: 'contain', by: 'version', version },
    { kind: 'contain', by: 'package', version },
    { kind: 'freeze' },
    { kind: 'undo', which: 'newest' },
    { kind: 'undo', which: 'oldest' },
    { kind: 'undo', which: 'newest' },
    { kind: 'contain', by: 'indicator', version },
  ]
  for (const change of changes) {
    await checkPaths(live.url, await readTruth(eyes, name), viewers)
    await make(live, live.ports, name, change)
  }
  const truth = await readTruth(eyes, name)
  assert.deepEqual(truth.versions.map(each => each.status).sort(), ['live', 'quarantined'])
  await checkPaths(live.url, truth, viewers)
})

test('every path agrees with the gate after every change', { timeout: 120_000 }, async () => {
  const run = async ({ scoped, changes }: History) => {
    const name = freshName(scoped)
    const first: Change = { kind: 'publish', version: '1.0.0' as never, tag: 'latest' as never }
    for (const change of [first, ...changes]) {
      await make(live, live.ports, name, change)
      await checkPaths(live.url, await readTruth(eyes, name), viewers)
    }
  }
  await holds(anyHistory, run, { numRuns: 12, interruptAfterTimeLimit: 60_000 })
  assert.deepEqual(live.errors, [])
})

test('what another process changes bites here as well, without anybody asking for it', {
  timeout: 120_000,
}, async () => {
  const run = async ({ scoped, changes }: History) => {
    const name = freshName(scoped)
    for (const version of ['1.0.0', '1.0.1'])
      await (await put(live, name, publishDocument(name, version))).text()
    await checkPaths(live.url, await readTruth(eyes, name), viewers)
    for (const change of changes) await make(live, other.ports, name, change)
    await noticed()
    await checkPaths(live.url, await readTruth(eyes, name), viewers)
  }
  await holds(anyHistory, run, { numRuns: 6, interruptAfterTimeLimit: 60_000 })
  assert.deepEqual(live.errors, [])
})

test('a tarball that is being asked for all the time stops the moment it is quarantined', async () => {
  const name = freshName(false)
  // Whatever policy the last random change left would speak of this one too.
  await make(live, live.ports, name, { kind: 'policy', rules: [] })
  await (await put(live, name, publishDocument(name, '1.0.0'))).text()
  const path = `/npm/${name}/-/${name}-1.0.0.tgz`
  const subject = { name, version: '1.0.0' as never }
  const reason = { code: 'malware', words: 'steals tokens' } as const
  for (let round = 0; round < 6; round++) {
    let isClosed = false
    const ask = async () => {
      const wasClosed = isClosed
      const { status } = await request(live.url, 'GET', path)
      assert.ok(!wasClosed || status === 403, `asked after the quarantine, answered ${status}`)
    }
    const askers = Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 10; i++) await ask()
    })
    await takeMeasure(live.ports, operator, 'quarantine', subject, reason)
    isClosed = true
    await Promise.all(askers)
    await ask()
    await takeMeasure(live.ports, operator, 'release', subject, reason)
    assert.equal((await request(live.url, 'GET', path)).status, 200)
  }
})

function freshName(scoped: boolean): PackageName {
  counter += 1
  // Far enough apart that none looks like another one.
  const letters = [...String(counter)].map(digit => 'bcdfghjkqz'[Number(digit)]).join('')
  return (scoped ? `@gate${letters}/piece` : `gate${letters}`) as PackageName
}

/** Resolves when the server heard of everything the other process committed. */
async function noticed(): Promise<void> {
  const head = await other.ports.store.events.head()
  let seen = 0
  const stop = live.ports.store.events.follow(events => {
    seen = events.at(-1)?.position ?? seen
  })
  const mark = await tokenOf(other.ports, 'bell')
  assert.ok(mark)
  for (let waited = 0; seen <= head; waited += 20) {
    assert.ok(waited < 30_000, 'the server did not hear of the other process')
    await delay(20)
  }
  stop()
}
