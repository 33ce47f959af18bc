// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isDrillName, parsePackageName } from '@holdfast/core'
import { drillEvent } from '../../src/flow/drill.ts'
import { isAlive, isServed, makePart, nameOf, openStage, seed } from '../../src/flow/drill-stage.ts'
import { createOrg, keepDrilling } from '../../src/flow/index.ts'
import { authorize, drillMachine, toPerson } from '../../src/identity/index.ts'
import { type Drill, emptyReport } from '../../src/incident/index.ts'
import { publishDocument } from '../live.ts'
import { dayMs, type Json, openWorld, type Someone, type World, whence } from '../world.ts'

const patienceMs = 60_000

test('a worm is contained by itself: its versions are held, its token is dead, responders are told', async t => {
  const { world, rae } = await openScene(t)
  await world.publish(await world.someone('ann'), 'plain', '1.0.0')
  const drill = await play(world, rae, { playbook: 'worm', packages: 100 })
  assert.equal(drill.state, 'done', JSON.stringify(drill.report))
  assert.equal(drill.report.fault, '')
  for (const mark of ['attackAt', 'detectedAt', 'notifiedAt', 'containedAt'] as const)
    assert.notEqual(drill[mark], null, mark)
  assert.ok(drill.report.infected >= 2 && drill.report.infected < 20, String(drill.report.infected))
  assert.deepEqual(drill.report.actions, [])
  assert.equal((await world.npm('GET /plain')).status, 200)
  await nothingIsLeft(world, drill)
  await world.check()
})

test('what no rule sees is contained by a responder with two acts, which the report counts', async t => {
  const { world, rae } = await openScene(t)
  const { id } = await begin(world, rae, { playbook: 'worm', path: 'people', packages: 5 })
  await waitFor(world, rae, id, each => each.notifiedAt !== null)
  const victim = `holdfast-drill-${id.slice(6, 14)}-victim`
  for (const [path, body] of [
    ['revoke', { account: victim }],
    ['', { kind: 'quarantine', publisher: victim }],
  ] as const) {
    const line = `POST /api/v1/measures${path === '' ? '' : `/${path}`}`
    const reply = await world.ask(line, { token: rae.token, body: { ...body, reason: 'malware' } })
    assert.ok(reply.status < 300, reply.text)
  }
  const drill = await waitFor(world, rae, id, each => each.endedAt !== null)
  assert.deepEqual([drill.state, drill.report.fault], ['done', ''])
  assert.notEqual(drill.containedAt, null)
  assert.ok(drill.report.infected >= 1)
  assert.deepEqual(
    drill.report.actions.map(each => each.by),
    ['rae', 'rae'],
  )
  await nothingIsLeft(world, drill)
  const measures = await world.ports.store.measures.list(10)
  assert.ok(measures.every(each => each.undoneAt !== null))
  await world.check()
})

test('a version that a stolen account publishes is held by itself', async t => {
  const { world, rae } = await openScene(t)
  const drill = await play(world, rae, { playbook: 'account-takeover' })
  assert.deepEqual([drill.state, drill.report.fault, drill.report.infected], ['done', '', 1])
  assert.notEqual(drill.containedAt, null)
  await nothingIsLeft(world, drill)
})

test('a token that leaks in a package is dead before anybody can use it, and those who respond hear of it', async t => {
  const { world, rae } = await openScene(t)
  const drill = await play(world, rae, { playbook: 'leaked-token' })
  assert.deepEqual([drill.state, drill.report.fault], ['done', ''])
  assert.deepEqual([drill.report.infected, drill.report.refused], [0, 2])
  for (const mark of ['detectedAt', 'notifiedAt', 'containedAt'] as const)
    assert.notEqual(drill[mark], null, mark)
  const letters = await world.ports.store.mail.listRecent(20)
  assert.ok(letters.some(each => each.subject.startsWith("DRILL: Your token 'drill' leaked")))
  await world.check()
})

test('what the upstream of a drill withdraws is found when it is read again, closed and told', async t => {
  const { world, rae } = await openScene(t)
  const { id } = await begin(world, rae, { playbook: 'upstream-takedown' })
  await waitFor(world, rae, id, each => each.attackAt !== null)
  world.advance(6 * 60_000)
  // What was read while the attack began counts for five minutes from then.
  const later = setTimeout(() => world.advance(6 * 60_000), 15_000)
  const drill = await waitFor(world, rae, id, each => each.endedAt !== null).finally(() =>
    clearTimeout(later),
  )
  assert.deepEqual([drill.state, drill.report.fault], ['done', ''])
  for (const mark of ['detectedAt', 'notifiedAt', 'containedAt'] as const)
    assert.notEqual(drill[mark], null, mark)
  const name = `@holdfast-drill-upstream/${id.slice(6, 14)}`
  for (const version of ['1.0.0', '1.0.1']) {
    const reply = await world.npm(`GET /${name}/-/${id.slice(6, 14)}-${version}.tgz`)
    assert.notEqual(reply.status, 200, version)
  }
  // It is no longer there at all, and that is found too: nobody is told again.
  const letters = (await world.ports.store.mail.listRecent(100)).length
  world.advance(7 * 60_000)
  await world.ports.mirrors.refresh(parsePackageName(name), 'holdfast-drill').catch(() => {})
  await delay(500)
  assert.equal((await world.ports.store.mail.listRecent(100)).length, letters)
  await nothingIsLeft(world, drill)
  await world.check()
})

test('a drill is news to nobody: no search, feed, watcher or download count knows of it', async t => {
  const { world, rae } = await openScene(t)
  const ann = await world.someone('ann')
  const since = await world.ports.store.events.head()
  const { id } = await begin(world, rae, { playbook: 'worm', path: 'people', packages: 2 })
  await waitFor(world, rae, id, each => each.notifiedAt !== null)
  const found = await world.npm('GET /-/v1/search?text=holdfast-drill', { token: ann.token })
  assert.deepEqual(found.body.objects, [])
  const feed = await world.ask(`GET /feed/changes?since=${since}`)
  assert.ok(!feed.text.includes('holdfast-drill'), feed.text)
  assert.ok(!(await world.ask('GET /')).text.includes('@holdfast-drill/'))
  await world.ask(`POST /api/v1/drills/${id}/stop`, { token: rae.token })
  await waitFor(world, rae, id, each => each.endedAt !== null)
  await world.ports.downloads.flush()
  const used = await world.ports.store.downloads.listUsed(0, 100)
  assert.deepEqual(
    used.filter(([name]) => isDrillName(name)),
    [],
  )
})

test('responders are told once that the last drill is older than 90 days', async t => {
  const { world, rae } = await openScene(t)
  const due = async () =>
    (await world.ports.store.mail.listRecent(100)).filter(each => each.subject.startsWith('A drill is due'))
  await play(world, rae, { playbook: 'leaked-token' })
  world.advance(89 * dayMs)
  await keepDrilling(world.ports)
  assert.equal((await due()).length, 0)
  world.advance(2 * dayMs)
  await keepDrilling(world.ports)
  await keepDrilling(world.ports)
  assert.deepEqual(
    (await due()).map(each => each.to),
    [rae.email],
  )
})

test('where the configuration says so the registry begins drills itself, one a day', async t => {
  const world = await openWorld({ drills: 'quarterly' })
  t.after(() => world.close())
  const { drills } = world.ports.store
  // Beside the job of this very registry.
  await keepDrilling(world.ports)
  await keepDrilling(world.ports)
  assert.equal((await drills.list(10)).length, 1)
  while ((await drills.findOpen()) !== undefined) await delay(50)
  world.advance(2 * dayMs)
  while ((await drills.list(10)).length < 2) await keepDrilling(world.ports).then(() => delay(50))
  const [second, first] = await drills.list(10)
  assert.deepEqual([first?.playbook, first?.startedBy], ['worm', 'drill'])
  assert.notEqual(second?.playbook, 'worm')
})

test('only those who respond or operate begin one, one at a time, and not while publishing is frozen', async t => {
  const { world, rae } = await openScene(t)
  const ann = await world.someone('ann')
  const ask = (token: string | undefined, body: Json) => world.ask('POST /api/v1/drills', { token, body })
  const worm = { playbook: 'worm', path: 'people', packages: 1 }
  assert.equal((await ask(undefined, worm)).status, 401)
  assert.equal((await ask(ann.token, worm)).status, 403)
  for (const wrong of [{ playbook: 'fire' }, { ...worm, packages: 5000 }, { ...worm, path: 'none' }, {}])
    assert.equal((await ask(rae.token, wrong)).body.code, 'drill-invalid', JSON.stringify(wrong))
  const measure = { kind: 'freeze', subject: 'publishing', reason: 'security' }
  const frozen = await world.ask('POST /api/v1/measures', { token: rae.token, body: measure })
  assert.equal((await ask(rae.token, worm)).body.code, 'frozen')
  await world.ask('POST /api/v1/measures/undo', { token: rae.token, body: { id: frozen.body.id } })
  const answers = await Promise.all([ask(rae.token, worm), ask(rae.token, worm)])
  assert.deepEqual(answers.map(each => each.status).sort(), [201, 409])
  const id = answers.find(each => each.status === 201)?.body.id
  assert.equal((await world.ask(`GET /api/v1/drills/${id}`, { token: ann.token })).status, 403)
  assert.equal((await world.ask(`POST /api/v1/drills/${id}/stop`, { token: ann.token })).status, 403)
  assert.equal((await world.ask(`POST /api/v1/drills/${id}/stop`, { token: rae.token })).status, 200)
  const drill = await waitFor(world, rae, id, each => each.endedAt !== null)
  assert.equal(drill.state, 'stopped')
  assert.equal((await world.ask(`POST /api/v1/drills/${id}/stop`, { token: rae.token })).status, 409)
  await world.check()
})

test('nobody else publishes in the sandbox, passes for it, or gets a letter marked as a drill', async t => {
  const { world, rae } = await openScene(t)
  const ann = await world.someone('ann')
  const { ports } = world
  const put = (name: string) =>
    world.npm(`PUT /${name.replace('/', '%2f')}`, { token: ann.token, body: publishDocument(name, '1.0.0') })
  for (const name of ['@holdfast-drill/mine', '@holdfast-drill-upstream/mine'])
    assert.equal((await put(name)).status, 403, name)
  for (const name of ['@holdfast_drill/mine', '@holdfast-drills/mine', 'holdfast-drill'])
    assert.equal((await put(name)).status, 400, name)
  await assert.rejects(createOrg(ports, await personOf(world, ann), 'holdfast-drill'), /drills/)
  await assert.rejects(world.someone('holdfast-drill-0-victim'), /drills/)
  await world.publish(ann, '@acme/holdfast-drill', '1.0.0')
  const report = { package: '@acme/holdfast-drill', kind: 'malware', words: '@holdfast-drill/x is a drill' }
  assert.equal((await world.ask('POST /api/v1/reports', { token: rae.token, body: report })).status, 201)
  const [letter] = await ports.store.mail.listRecent(1)
  assert.match(letter?.subject ?? '', /^@acme\/holdfast-drill is reported/)
})

test('a drill whose process ended is cleaned up by the next one', async t => {
  const { world, rae } = await openScene(t)
  const { ports } = world
  const grant = await authorize(ports, drillMachine, 'drill:play', '')
  const drill = makeDrill(world)
  const stage = await openStage(ports, drill, new AbortController().signal)
  const victim = await makePart(stage, 'victim')
  await seed(stage, victim.account, [{ name: nameOf(stage, 0), version: '1.0.0' }])
  await ports.store.commit(grant, drillEvent(drill, 'begin'), tx => tx.drills.add(drill))
  const ended = await waitFor(world, rae, drill.id, each => each.endedAt !== null)
  assert.equal(ended.state, 'broken')
  assert.match(ended.report.fault, /process/)
  assert.equal(await isServed(stage, victim.secret, nameOf(stage, 0), '1.0.0'), false)
  assert.equal(await isAlive(stage, victim.secret, nameOf(stage, 0)), false)
  await world.check()
})

async function openScene(t: { after(work: () => Promise<void>): void }) {
  const world = await openWorld()
  t.after(() => world.close())
  return { world, rae: await world.someone('rae', ['responder']) }
}

function makeDrill(world: World): Drill {
  return {
    ...{ id: 'drill-0123456789abcdef', playbook: 'worm', path: 'automatic', packages: 1, state: 'running' },
    ...{ startedBy: 'operator', startedAt: world.now(), endedAt: null, report: emptyReport },
    ...{ attackAt: null, detectedAt: null, containedAt: null, notifiedAt: null },
  }
}

async function personOf({ ports }: World, { id }: Someone) {
  const account = await ports.store.identity.findAccount(id)
  assert.ok(account !== undefined)
  return toPerson(account, { kind: 'session', id: '', freshUntil: Number.MAX_SAFE_INTEGER }, whence)
}

async function begin(world: World, by: Someone, body: Json): Promise<Drill> {
  const reply = await world.ask('POST /api/v1/drills', { token: by.token, body })
  assert.equal(reply.status, 201, reply.text)
  return reply.body
}

async function waitFor(
  world: World,
  by: Someone,
  id: string,
  isSo: (drill: Drill) => boolean,
): Promise<Drill> {
  for (let waited = 0; waited < patienceMs; waited += 50) {
    const { body } = await world.ask(`GET /api/v1/drills/${id}`, { token: by.token })
    if (isSo(body)) return body
    await delay(50)
  }
  throw new Error(`the drill ${id} got no further`)
}

async function play(world: World, by: Someone, body: Json): Promise<Drill> {
  const { id } = await begin(world, by, body)
  return waitFor(world, by, id, drill => drill.endedAt !== null)
}

/** Nothing of it can be installed or signed in with, no case of it is open, and every letter says what it is. */
async function nothingIsLeft({ ports, errors }: World, { id }: Drill): Promise<void> {
  const { store } = ports
  for (const name of await store.catalog.listNames('', 10_000)) {
    if (!isDrillName(name)) continue
    assert.notEqual((await store.catalog.findPackage(name))?.removedAt, null, name)
    for (const { version, status } of await store.catalog.listKeptFacts(name))
      assert.equal(status, 'removed', `${name}@${version}`)
  }
  const victim = await store.identity.findAccountByLogin(`holdfast-drill-${id.slice(6, 14)}-victim`)
  assert.notEqual(victim?.disabledAt, null)
  assert.deepEqual(await store.incident.listOpenCases(10), [])
  assert.deepEqual(await store.screening.listHolds('open', 10), [])
  const letters = (await store.mail.listRecent(200)).filter(each => each.text.includes('@holdfast-drill'))
  assert.ok(letters.length > 0)
  for (const { subject } of letters) assert.ok(subject.startsWith('DRILL: '), subject)
  assert.deepEqual(errors, [])
}
