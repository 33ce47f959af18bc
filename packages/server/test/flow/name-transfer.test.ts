// SPDX-License-Identifier: Apache-2.0
/** A name changes hands: asked, answered, granted, taken, and in effect after a wait in which it can be stopped. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { decodeLeaf, parsePackageName } from '@holdfast/core'
import { finishTransfers, freezeOwn, undoMeasure } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/index.ts'
import { get, post } from '../web/site.ts'
import { dayMs, openWorld, type Someone, type World } from '../world.ts'

const path = '/transfer/npm/left-pad'
const name = parsePackageName('left-pad')

async function open(t: TestContext) {
  const world = await openWorld()
  t.after(() => world.close())
  const [ann, bob] = [await world.someone('ann'), await world.someone('bob')]
  await world.publish(ann, 'left-pad', '1.0.0')
  const act = async (who: Someone, what: string, reason = 'it is abandoned') =>
    (await post(world, path, { act: what, reason }, await world.browse(who))).status
  return { world, ann, bob, act }
}

const owners = async (world: World) =>
  (await world.ports.store.catalog.listPeople(name)).map(({ login, role }) => `${login} ${role}`)

const letters = async (world: World, who: Someone, subject: RegExp) =>
  (await world.ports.store.mail.listRecent(100)).filter(
    each => each.to === who.email && subject.test(each.subject),
  ).length

test('where the owner agrees one responder grants; after the wait the name has its new owner, and the log says so', async t => {
  const { world, ann, bob, act } = await open(t)
  const rae = await world.someone('rae', ['responder'])
  assert.equal(await act(bob, 'ask'), 303)
  assert.equal(await letters(world, ann, /asks for the name left-pad/), 1)
  assert.equal(await act(bob, 'yes'), 403)
  assert.equal(await act(rae, 'grant'), 409)
  assert.equal(await act(ann, 'yes'), 303)
  assert.equal(await act(bob, 'confirm'), 409)
  assert.equal(await act(rae, 'grant'), 303)
  assert.equal(await act(bob, 'confirm'), 303)
  assert.equal(await letters(world, ann, /will change hands/), 1)
  await finishTransfers(world.ports)
  assert.deepEqual(await owners(world), ['ann owner'])
  world.advance(7 * dayMs)
  const frozen = await freezeOwn(world.ports, operator, name, 'looked into')
  await finishTransfers(world.ports)
  assert.deepEqual(await owners(world), ['ann owner'])
  await undoMeasure(world.ports, operator, frozen.id)
  await finishTransfers(world.ports)
  await finishTransfers(world.ports)
  assert.deepEqual(await owners(world), ['bob owner'])
  assert.equal(await letters(world, ann, /no longer owner/), 1)
  const events = await world.ports.store.events.ofPackage(name)
  const leaves = events.filter(({ type }) => type === 'owner').map(({ leaf }) => decodeLeaf(leaf ?? '{}'))
  assert.deepEqual(
    leaves.slice(1).map(({ op }) => op),
    ['add', 'remove'],
  )
  await world.check()
})

test('an owner who is silent has two weeks; who comes back stops it', async t => {
  const { world, ann, bob, act } = await open(t)
  const rae = await world.someone('rae', ['responder'])
  await act(bob, 'ask')
  world.advance(13 * dayMs)
  assert.equal(await act(rae, 'grant'), 409)
  world.advance(dayMs)
  assert.equal(await act(rae, 'grant'), 303)
  await act(bob, 'confirm')
  assert.equal(await act(ann, 'stop'), 303)
  world.advance(8 * dayMs)
  await finishTransfers(world.ports)
  assert.deepEqual(await owners(world), ['ann owner'])
})

test('against an owner’s no two responders must agree, neither of them the asker, and then the owner cannot stop it', async t => {
  const { world, ann, act } = await open(t)
  const rae = await world.someone('rae', ['responder'])
  const roy = await world.someone('roy', ['responder'])
  const sue = await world.someone('sue', ['responder'])
  assert.equal(await act(sue, 'ask'), 303)
  await act(ann, 'no')
  assert.equal(await act(sue, 'grant'), 409)
  assert.equal(await act(rae, 'grant'), 303)
  assert.equal(await act(rae, 'grant'), 409)
  assert.equal(await act(sue, 'confirm'), 409)
  assert.equal(await act(roy, 'grant'), 303)
  assert.equal(await act(sue, 'confirm'), 303)
  assert.equal(await act(ann, 'stop'), 409)
  assert.equal(await act(rae, 'stop'), 303)
})

test('one asks at a time, nobody for their own, and what waits is no stranger’s business', async t => {
  const { world, ann, bob, act } = await open(t)
  const eve = await world.someone('eve')
  assert.equal(await act(ann, 'ask'), 409)
  assert.equal(await act(bob, 'ask', ' '), 400)
  assert.equal(await act(bob, 'ask', 'mine <b>now</b>'), 303)
  assert.equal(await act(eve, 'ask'), 409)
  assert.equal(await act(eve, 'stop'), 404)
  const seen = async (who: Someone) => (await get(world, path, await world.browse(who))).text
  assert.doesNotMatch(await seen(eve), /mine/)
  assert.match(await seen(ann), /bob asked for it[\s\S]*mine &lt;b&gt;now/)
  const mine = await world.ask('GET /api/v1/transfers?name=left-pad', { token: bob.token })
  assert.deepEqual([mine.status, mine.body.state, mine.body.answer], [200, 'asked', ''])
  const theirs = await world.ask('GET /api/v1/transfers?name=left-pad', { token: eve.token })
  assert.equal(theirs.status, 404)
  const stop = { name: 'left-pad', act: 'stop' }
  assert.equal((await world.ask('POST /api/v1/transfers', { token: bob.token, body: stop })).status, 200)
  const ask = { name: 'left-pad', act: 'ask', reason: 'again' }
  assert.equal((await world.ask('POST /api/v1/transfers', { token: bob.token, body: ask })).status, 201)
})
