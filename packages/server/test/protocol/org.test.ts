// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { createOrg } from '../../src/flow/index.ts'
import { toPerson } from '../../src/identity/index.ts'
import { type Json, openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld()
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const ann = await world.someone('ann')
const bob = await world.someone('bob')
const eve = await world.someone('eve')

async function found(who: Someone, org: string): Promise<void> {
  const account = await world.ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  const session = { kind: 'session', id: '', freshUntil: world.now() + 1 } as const
  await createOrg(world.ports, toPerson(account, session, whence), org)
}

const as = (who: Someone, line: string, body?: Json) =>
  world.npm(line, { token: who.token, ...(body === undefined ? {} : { body }) })

test('members are listed, added with a role, and removed with a body on DELETE', async () => {
  await found(ann, 'acme')
  const added = await as(ann, 'PUT /-/org/acme/user', { user: 'bob', role: 'admin' })
  assert.deepEqual(added.body, { org: { name: 'acme', size: 2 }, user: 'bob', role: 'admin' })
  assert.deepEqual((await as(bob, 'GET /-/org/acme/user')).body, { ann: 'owner', bob: 'admin' })
  assert.equal((await as(ann, 'DELETE /-/org/acme/user', { user: 'bob' })).status, 200)
  assert.deepEqual((await as(ann, 'GET /-/org/acme/user')).body, { ann: 'owner' })
})

test('an admin makes no owner, and the last owner stays', async () => {
  await found(ann, 'admins')
  await as(ann, 'PUT /-/org/admins/user', { user: 'bob', role: 'admin' })
  assert.equal((await as(bob, 'PUT /-/org/admins/user', { user: 'bob', role: 'owner' })).status, 403)
  assert.equal((await as(bob, 'DELETE /-/org/admins/user', { user: 'ann' })).status, 403)
  assert.equal((await as(bob, 'PUT /-/org/admins/user', { user: 'eve' })).status, 200)
  assert.equal((await as(ann, 'DELETE /-/org/admins/user', { user: 'ann' })).status, 409)
  assert.equal((await as(ann, 'PUT /-/org/admins/user', { user: 'ann', role: 'developer' })).status, 409)
})

test('outsiders see neither members nor teams, and an unknown organisation is 404', async () => {
  await found(ann, 'closed')
  for (const path of ['org/closed/user', 'org/closed/team']) {
    assert.equal((await as(eve, `GET /-/${path}`)).status, 403, path)
    assert.equal((await world.npm(`GET /-/${path}`)).status, 401, path)
  }
  assert.equal((await as(eve, 'PUT /-/org/closed/user', { user: 'eve' })).status, 403)
  assert.equal((await as(ann, 'GET /-/org/not-there/user')).status, 404)
})

test('teams have the shape that each client wants', async () => {
  await found(ann, 'shapes')
  assert.deepEqual((await as(ann, 'PUT /-/org/shapes/team', { name: 'builders' })).body, { name: 'builders' })
  assert.equal((await as(ann, 'PUT /-/org/shapes/team', { name: 'builders' })).status, 409)
  assert.deepEqual((await as(ann, 'GET /-/org/shapes/team?format=cli')).body, ['shapes:builders'])
  assert.deepEqual((await as(ann, 'GET /-/org/shapes/team')).body, [{ name: 'builders' }])
  await as(ann, 'PUT /-/org/shapes/user', { user: 'bob', role: 'developer' })
  assert.deepEqual((await as(ann, 'PUT /-/team/shapes/builders/user', { user: 'bob' })).body, { user: 'bob' })
  assert.deepEqual((await as(ann, 'GET /-/team/shapes/builders/user?format=cli')).body, ['bob'])
  assert.deepEqual((await as(ann, 'GET /-/team/shapes/builders/user')).body, [{ name: 'bob' }])
  assert.equal((await as(ann, 'DELETE /-/team/shapes/builders/user', { user: 'bob' })).status, 200)
  assert.equal((await as(ann, 'DELETE /-/team/shapes/builders')).status, 200)
  assert.equal((await as(ann, 'GET /-/team/shapes/builders/user')).status, 404)
})

test('only members of the organisation join its teams', async () => {
  await found(ann, 'joined')
  await as(ann, 'PUT /-/org/joined/team', { name: 'builders' })
  const refused = await as(ann, 'PUT /-/team/joined/builders/user', { user: 'eve' })
  assert.deepEqual([refused.status, refused.body.code], [403, 'not-a-member'])
})

test('a team’s right to write lets its members publish, and no longer when it is taken away', async () => {
  await found(ann, 'granted')
  await world.publish(ann, '@granted/tool', '1.0.0', { access: 'restricted' })
  await as(ann, 'PUT /-/org/granted/team', { name: 'builders' })
  await as(ann, 'PUT /-/org/granted/user', { user: 'bob', role: 'developer' })
  await as(ann, 'PUT /-/team/granted/builders/user', { user: 'bob' })
  await assert.rejects(world.publish(bob, '@granted/tool', '1.1.0'), /403/)
  const grant = { package: '@granted/tool', permissions: 'read-write' }
  assert.equal((await as(ann, 'PUT /-/team/granted/builders/package', grant)).status, 200)
  await world.publish(bob, '@granted/tool', '1.1.0')
  assert.deepEqual((await as(bob, 'GET /-/team/granted/builders/package?format=cli')).body, {
    '@granted/tool': 'write',
  })
  assert.deepEqual((await as(bob, 'GET /-/org/granted/package')).body, { '@granted/tool': 'write' })
  assert.deepEqual((await as(eve, 'GET /-/org/granted/package')).body, {})
  await as(ann, 'DELETE /-/team/granted/builders/package', { package: '@granted/tool' })
  await assert.rejects(world.publish(bob, '@granted/tool', '1.2.0'), /403/)
})

test('an organisation cannot help itself to packages of others', async () => {
  await found(eve, 'greedy')
  await as(eve, 'PUT /-/org/greedy/team', { name: 'takers' })
  await world.publish(ann, 'anns-treasure', '1.0.0')
  const grant = { package: 'anns-treasure', permissions: 'read-write' }
  assert.equal((await as(eve, 'PUT /-/team/greedy/takers/package', grant)).status, 403)
})

test('an organisation has neither the name of a user nor of another organisation', async () => {
  await assert.rejects(found(ann, 'bob'), { code: 'org-exists' })
  await found(eve, 'eve')
  await assert.rejects(found(ann, 'eve'), { code: 'org-exists' })
})

test('a name that is no organisation is 404, so that npm asks for the user', async () => {
  assert.equal((await as(ann, 'GET /-/org/ann/package?format=cli')).status, 404)
})

test('yarn 1’s paths without the prefix are 404, whatever packages are called', async () => {
  await world.publish(ann, 'team', '1.0.0')
  await world.publish(ann, 'org', '1.0.0')
  assert.equal((await as(ann, 'PUT /team/acme', { name: 'builders' })).status, 404)
  assert.equal((await as(ann, 'PUT /team/acme/builders/user', { user: 'bob' })).status, 404)
  assert.equal((await as(ann, 'DELETE /team/acme/builders')).status, 404)
  assert.equal((await as(ann, 'GET /org/acme/team?format=cli')).status, 404)
})
