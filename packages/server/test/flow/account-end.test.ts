// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import type { PackageName } from '@holdfast/core'
import {
  addOwner,
  createOrg,
  deleteAccount,
  planDeletion,
  setMember,
  signIn,
  signUp,
} from '../../src/flow/index.ts'
import { type Person, toPerson } from '../../src/identity/index.ts'
import { get, post } from '../web/site.ts'
import { openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld({ mfa: 'optional', signUp: 'open' })
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})
const { ports } = world

async function inBrowser(who: Someone): Promise<Person> {
  const { session } = await signIn(ports, { login: who.login, password: who.password, otp: '' }, whence)
  const account = await ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  return toPerson(account, { kind: 'session', id: session.id, freshUntil: session.freshUntil }, whence)
}

const ownersOf = async (name: string) =>
  (await ports.store.catalog.listPeople(name as PackageName)).map(each => each.login)

test('an account that alone owns a package or an organisation is told so, and stays', async () => {
  const [ann, bob] = [await world.someone('ann'), await world.someone('bob')]
  await world.publish(ann, 'lonely', '1.0.0')
  const actor = await inBrowser(ann)
  await createOrg(ports, actor, 'acme')
  await setMember(ports, actor, 'acme', 'bob', 'developer')
  assert.deepEqual((await planDeletion(ports, actor)).alone, ['lonely', '@acme'])
  await assert.rejects(deleteAccount(ports, actor, ann), {
    code: 'account-needed',
    message: 'ann is the only owner of lonely, @acme',
  })
  await addOwner(ports, actor, 'lonely' as PackageName, 'bob')
  await setMember(ports, actor, 'acme', 'bob', 'owner')
  await deleteAccount(ports, actor, ann)
  assert.deepEqual(await ownersOf('lonely'), ['bob'])
  assert.equal(await ports.store.identity.orgRole(ann.id, 'acme'), undefined)
  assert.ok(bob.id !== '')
})

test('of two owners who delete their accounts at the same moment one is told to stay', async () => {
  const [cal, dan] = [await world.someone('cal'), await world.someone('dan')]
  await world.publish(cal, 'shared', '1.0.0')
  await addOwner(ports, await inBrowser(cal), 'shared' as PackageName, 'dan')
  const [one, two] = [await inBrowser(cal), await inBrowser(dan)]
  // Both have looked, and found the other, before either commits.
  let arrived = 0
  const both = Promise.withResolvers<void>()
  const commit: typeof ports.store.commit = async (...told) => {
    arrived += 1
    if (arrived === 2) both.resolve()
    await both.promise
    return ports.store.commit(...told)
  }
  const late = { ...ports, store: { ...ports.store, commit } }
  const tries = await Promise.allSettled([deleteAccount(late, one, cal), deleteAccount(late, two, dan)])
  assert.deepEqual(tries.map(each => each.status).sort(), ['fulfilled', 'rejected'])
  assert.equal((await ownersOf('shared')).length, 1)
})

test('nothing of a deleted account works any more, nothing says whose it was, and its name stays taken', async () => {
  const eve = await world.someone('eve')
  const { cookie } = await world.browse(eve)
  await deleteAccount(ports, await inBrowser(eve), eve)
  assert.notEqual((await get(world, '/account', { cookie })).status, 200)
  assert.equal((await world.npm('GET /-/whoami', { token: eve.token })).status, 401)
  await assert.rejects(inBrowser(eve), { code: 'bad-credentials' })
  const account = await ports.store.identity.findAccount(eve.id)
  assert.deepEqual([account?.email, account?.passwordHash, account?.profile], ['', null, {}])
  assert.deepEqual(await ports.store.identity.listAddresses(eve.id), [])
  await assert.rejects(
    signUp(ports, { login: 'eve', email: 'eve@other.example', password: 'four words in a row' }, whence),
    { code: 'user-exists' },
  )
  const letters = await ports.store.mail.listRecent(5)
  assert.ok(letters.some(each => each.to === eve.email && /was deleted/.test(each.subject)))
})

test('deleting wants the name and the password, in a fresh session, from our own page', async () => {
  const fay = await world.someone('fay')
  const actor = await inBrowser(fay)
  for (const typed of [
    { login: 'fay', password: 'wrong' },
    { login: 'eve', password: fay.password },
  ])
    await assert.rejects(deleteAccount(ports, actor, typed), { code: 'bad-credentials' })
  const { cookie } = await world.browse(fay)
  world.advance(11 * 60_000)
  const stale = await post(world, '/account/delete', { login: 'fay', password: fay.password }, { cookie })
  assert.equal(stale.headers.get('location'), '/confirm?next=%2Faccount%2Fdelete')
  const again = (await world.browse(fay)).cookie
  assert.match((await get(world, '/account/delete', { cookie: again })).text, /cannot be undone/)
  const form = { login: 'fay', password: fay.password }
  assert.equal((await post(world, '/account/delete', form, { cookie: again })).headers.get('location'), '/')
})

test('the last operator cannot leave', async () => {
  const gus = await world.someone('gus', ['operator'])
  await assert.rejects(deleteAccount(ports, await inBrowser(gus), gus), { code: 'last-operator' })
})
