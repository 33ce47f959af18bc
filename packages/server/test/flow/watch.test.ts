// SPDX-License-Identifier: Apache-2.0
/** People hear of what they watch, by letter and by feed, and only of what they may read. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parsePackageName, parseVersion } from '@holdfast/core'
import { changeAccess, takeMeasure, tellWatchers } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { get, post } from '../web/site.ts'
import { dayMs, openWorld, type Someone, type World } from '../world.ts'

async function open(t: TestContext) {
  const world = await openWorld()
  t.after(() => world.close())
  const [ann, bob] = [await world.someone('ann'), await world.someone('bob')]
  const visit = await world.browse(bob)
  return { world, ann, bob, visit }
}

const begin = (world: World, visit: { readonly cookie: string }, kind: string, subject: string) =>
  post(world, '/watch', { act: 'begin', kind, subject, next: `/package/npm/${subject}` }, visit)

/** The letters to somebody about what they watch, once the consumer has read everything. */
async function letters(world: World, who: Someone): Promise<readonly string[]> {
  const { store } = world.ports
  while ((await store.leases.position('watches')) < (await store.events.head())) await delay(20)
  await tellWatchers(world.ports)
  const all = await store.mail.listRecent(100)
  return all
    .filter(each => each.to === who.email && /account\/watches/.test(each.text))
    .map(({ text }) => text)
}

async function makePrivate(world: World, name: string): Promise<void> {
  await changeAccess(world.ports, operator, parsePackageName(name), { access: 'restricted' })
}

test('the button works without a script; a letter says what happened, and its link ends letters without signing in', async t => {
  const { world, ann, bob, visit } = await open(t)
  await world.publish(ann, 'ui', '1.0.0')
  assert.match((await get(world, '/package/npm/ui')).text, /Sign in<\/a> to hear of changes/)
  const pressed = await begin(world, visit, 'package', 'ui')
  assert.deepEqual([pressed.status, pressed.headers.get('location')], [303, '/package/npm/ui'])
  assert.match((await get(world, '/package/npm/ui', visit)).text, /Stop watching/)
  await world.publish(ann, 'ui', '1.1.0')
  const [letter = ''] = await letters(world, bob)
  assert.match(letter, /ui@1\.1\.0 was published/)
  assert.doesNotMatch(letter, /ui@1\.0\.0/)
  assert.equal((await letters(world, bob)).length, 1)
  const link = new URL(/http\S+\/unwatch\/\S+/.exec(letter)?.[0] ?? '').pathname
  assert.equal((await get(world, link)).status, 200)
  await world.publish(ann, 'ui', '1.2.0')
  assert.equal((await letters(world, bob)).length, 2)
  assert.equal((await post(world, link, {})).status, 200)
  await world.publish(ann, 'ui', '1.3.0')
  assert.equal((await letters(world, bob)).length, 2)
  assert.equal((await get(world, '/unwatch/bm9uc2Vuc2U')).status, 410)
})

test('who may no longer read a package hears nothing of it, and the watch ends', async t => {
  const { world, ann, bob, visit } = await open(t)
  await world.publish(ann, 'secret', '1.0.0')
  await begin(world, visit, 'package', 'secret')
  await makePrivate(world, 'secret')
  await world.publish(ann, 'secret', '1.1.0')
  assert.deepEqual(await letters(world, bob), [])
  assert.deepEqual(await world.ports.store.community.listWatches(bob.id), [])
  assert.equal((await begin(world, visit, 'package', 'secret')).status, 404)
  assert.equal((await world.ask('GET /feed/package/secret.atom', { token: bob.token })).status, 404)
  const mine = await world.ask('GET /feed/package/secret.atom', { token: ann.token })
  assert.match(mine.headers.get('cache-control') ?? '', /^private/)
  assert.match(mine.text, /secret@1\.1\.0 was published/)
})

test('a publisher is heard by what they publish; a digest comes once a day', async t => {
  const { world, ann, bob, visit } = await open(t)
  await begin(world, visit, 'publisher', 'ann')
  await post(world, '/account/watches', { act: 'digest', digest: 'daily' }, visit)
  await world.publish(ann, 'one', '1.0.0')
  assert.equal((await letters(world, bob)).length, 1)
  await world.publish(ann, 'two', '1.0.0')
  await world.publish(ann, 'three', '1.0.0')
  assert.equal((await letters(world, bob)).length, 1)
  world.advance(dayMs)
  const [newest = ''] = (await letters(world, bob)).toSorted((a, b) => b.length - a.length)
  assert.match(newest, /two@1\.0\.0[\s\S]*three@1\.0\.0/)
  const feed = await world.ask('GET /feed/publisher/ann.atom')
  assert.match(feed.headers.get('content-type') ?? '', /atom\+xml/)
  assert.match(feed.text, /three@1\.0\.0 was published[\s\S]*one@1\.0\.0 was published/)
  assert.equal((await world.ask('GET /feed/publisher/nobody.atom')).status, 404)
})

test('what is quarantined is told; the feed is the same until something happens', async t => {
  const { world, ann, bob, visit } = await open(t)
  await world.publish(ann, 'bad', '1.0.0')
  await begin(world, visit, 'package', 'bad')
  const before = await world.ask('GET /feed/package/bad.atom')
  const etag = before.headers.get('etag') ?? ''
  const again = await world.ask('GET /feed/package/bad.atom', { headers: { 'if-none-match': etag } })
  assert.equal(again.status, 304)
  const subject = { name: parsePackageName('bad'), version: parseVersion('1.0.0') }
  await takeMeasure(world.ports, operator, 'quarantine', subject, { code: 'malware', words: 'steals' })
  assert.match((await letters(world, bob))[0] ?? '', /bad@1\.0\.0 was quarantined/)
  assert.match((await world.ask('GET /feed/package/bad.atom')).text, /was quarantined/)
})

test('changes are read on from where a reader was, without what is private, and wait for the next', async t => {
  const { world, ann, bob } = await open(t)
  await world.publish(ann, 'open', '1.0.0')
  await world.publish(ann, 'closed', '1.0.0')
  await makePrivate(world, 'closed')
  await world.publish(ann, 'closed', '1.1.0')
  const read = async (search: string, token?: string) => {
    const { text, status } = await world.ask(`GET /feed/changes?${search}`, { token })
    assert.equal(status, 200)
    const lines = text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    return { next: lines.at(-1).next as number, news: lines.slice(0, -1) }
  }
  const specs = (news: readonly { kind: string; package: string; version?: string }[]) =>
    news.filter(({ kind }) => kind === 'publish').map(each => `${each.package}@${each.version}`)
  const forBob = await read('since=0', bob.token)
  assert.deepEqual(specs(forBob.news), ['open@1.0.0'])
  assert.deepEqual(specs((await read('since=0', ann.token)).news), [
    'open@1.0.0',
    'closed@1.0.0',
    'closed@1.1.0',
  ])
  assert.deepEqual((await read(`since=${forBob.next}`, bob.token)).news, [])
  assert.equal((await read('since=now')).next, await world.ports.store.events.head())
  const waiting = read(`since=${forBob.next}&wait=30`)
  await world.publish(ann, 'open', '1.1.0')
  assert.deepEqual(specs((await waiting).news), ['open@1.1.0'])
  assert.equal((await world.ask('GET /feed/changes?since=x')).status, 400)
})

test('who deletes the account leaves no watch behind', async t => {
  const { world, visit, bob } = await open(t)
  await begin(world, visit, 'advisories', '')
  assert.match((await get(world, '/account/watches', visit)).text, /All advisories/)
  const { store } = world.ports
  assert.equal((await store.community.listWatches(bob.id)).length, 1)
  const typed = { login: bob.login, password: bob.password }
  assert.equal((await post(world, '/account/delete', typed, visit)).status, 303)
  assert.deepEqual(await store.community.listWatches(bob.id), [])
})
