// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import type { PackageName } from '@holdfast/core'
import { openWorld } from '../world.ts'
import { get, post, signInByPage } from './site.ts'

const world = await openWorld()
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const { identity } = world.ports.store
const operator = await world.someone('olga', ['operator'])
const ann = await world.someone('ann')
const bob = await world.someone('bob')
await world.publish(ann, '@acme/ui', '1.0.0')
const path = '/access/npm/@acme/ui'

test('owners change roles and settings on the page of access; others are refused, strangers sent to sign in', async () => {
  const cookie = await signInByPage(world, ann)
  const page = await get(world, path, { cookie })
  assert.equal(page.status, 200)
  assert.ok((await get(world, '/package/npm/@acme/ui', { cookie })).text.includes(`href="${path}"`))
  assert.equal(
    (await post(world, path, { act: 'role', login: 'bob', role: 'triager' }, { cookie })).status,
    303,
  )
  assert.equal((await identity.listOwnRoles(bob.id)).get('@acme/ui' as PackageName), 'triager')
  assert.equal(
    (await post(world, path, { act: 'settings', access: 'restricted', presence: 'none' }, { cookie })).status,
    303,
  )
  const stranger = await signInByPage(world, bob)
  assert.equal((await get(world, path, { cookie: stranger })).status, 403)
  assert.equal(
    (await post(world, path, { act: 'role', login: 'bob', role: 'owner' }, { cookie: stranger })).status,
    403,
  )
  assert.equal((await get(world, path)).status, 303)
  assert.equal((await post(world, path, { act: 'remove', login: 'bob' }, { cookie })).status, 303)
  assert.equal((await identity.listOwnRoles(bob.id)).size, 0)
  const last = await post(world, path, { act: 'remove', login: 'ann' }, { cookie })
  assert.equal(last.status, 409)
  assert.ok(last.text.includes('last owner'))
})

test('the operator changes roles, switches off, hands over and marks; to others these pages do not exist', async () => {
  const cookie = await signInByPage(world, operator)
  const person = '/operate/people/ann'
  const shown = await get(world, person, { cookie })
  assert.ok(shown.text.includes('@acme/ui') && shown.text.includes('only owner'))
  assert.equal((await post(world, person, { act: 'roles', roles: 'auditor' }, { cookie })).status, 303)
  assert.deepEqual((await identity.findAccount(ann.id))?.roles, ['auditor'])
  assert.equal(
    (await post(world, '/operate/critical', { act: 'add', name: '@acme/ui', why: 'all use it' }, { cookie }))
      .status,
    303,
  )
  assert.ok((await get(world, '/operate/critical', { cookie })).text.includes('all use it'))
  assert.equal(
    (await post(world, '/operate/critical', { act: 'remove', name: '@acme/ui' }, { cookie })).status,
    303,
  )
  assert.ok((await get(world, '/operate/risk', { cookie })).text.includes('ann is the only owner'))
  assert.equal((await post(world, person, { act: 'disable' }, { cookie })).status, 303)
  assert.notEqual((await identity.findAccount(ann.id))?.disabledAt, null)
  assert.equal((await post(world, person, { act: 'transfer', to: 'bob' }, { cookie })).status, 303)
  assert.equal((await identity.listOwnRoles(bob.id)).get('@acme/ui' as PackageName), 'owner')
  assert.equal((await post(world, person, { act: 'enable' }, { cookie })).status, 303)
  const stranger = await signInByPage(world, bob)
  for (const each of [person, '/operate/people', '/operate/risk', '/operate/critical'])
    assert.equal((await get(world, each, { cookie: stranger })).status, 404, each)
  for (const act of ['disable', 'roles', 'transfer', 'enable'])
    assert.equal(
      (await post(world, person, { act, to: 'bob', roles: 'operator' }, { cookie: stranger })).status,
      404,
    )
})

test('a list is invited by the page, and a wrong line is said above it', async () => {
  const cookie = await signInByPage(world, operator)
  const done = await post(
    world,
    '/operate/people',
    { act: 'list', csv: 'new@people.example,auditor\nbob@people.example' },
    { cookie },
  )
  assert.ok(done.text.includes('/invitation/') && done.text.includes('is bob already'))
  const wrong = await post(
    world,
    '/operate/people',
    { act: 'list', csv: 'ok@people.example\nnot one' },
    { cookie },
  )
  assert.equal(wrong.status, 400)
  assert.ok(wrong.text.includes('line 2') && wrong.text.includes('ok@people.example'))
})

test('an organisation is made and managed by pages: people, teams, rights; members look, others do not', async () => {
  const cookie = await signInByPage(world, operator)
  const path = '/organisation/pages'
  const send = async (fields: Readonly<Record<string, string>>) =>
    (await post(world, path, fields, { cookie })).status
  assert.equal(
    (await post(world, '/account/organisations', { name: '@pages' }, { cookie })).headers.get('location'),
    path,
  )
  await world.publish(operator, '@pages/ui', '1.0.0')
  assert.equal(await send({ act: 'set-member', login: 'bob', role: 'developer' }), 303)
  assert.equal(await send({ act: 'add-team', team: 'core' }), 303)
  assert.equal(await send({ act: 'join', team: 'core', login: 'bob' }), 303)
  assert.equal(await send({ act: 'grant-write', team: 'core', package: '@pages/ui' }), 303)
  assert.equal(await identity.roleOn(bob.id, '@pages/ui' as PackageName), 'maintainer')
  const member = await signInByPage(world, bob)
  const seen = (await get(world, path, { cookie: member })).text
  assert.ok(seen.includes('@pages/ui') && !seen.includes('<button type="submit" name="act"'))
  assert.equal(
    (await post(world, path, { act: 'set-member', login: 'bob', role: 'owner' }, { cookie: member })).status,
    403,
  )
  assert.equal(await send({ act: 'ungrant', team: 'core', package: '@pages/ui' }), 303)
  assert.equal(await identity.roleOn(bob.id, '@pages/ui' as PackageName), 'reader')
  assert.equal(await send({ act: 'drop', team: 'core', login: 'bob' }), 303)
  assert.equal(await send({ act: 'remove-team', team: 'core' }), 303)
  assert.equal(await send({ act: 'remove-member', login: 'olga' }), 409)
  assert.equal(await send({ act: 'remove-member', login: 'bob' }), 303)
  assert.equal((await get(world, path, { cookie: member })).status, 403)
  assert.equal((await post(world, '/account/organisations', { name: 'bob' }, { cookie })).status, 409)
})

test('an old session is asked once more before any of it', async () => {
  const cookie = await signInByPage(world, operator)
  world.advance(11 * 60_000)
  const asked = await post(world, '/operate/people/bob', { act: 'disable' }, { cookie })
  assert.equal(asked.status, 303)
  assert.match(asked.headers.get('location') ?? '', /^\/confirm/)
  assert.equal((await identity.findAccount(bob.id))?.disabledAt, null)
})
