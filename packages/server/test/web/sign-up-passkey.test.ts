// SPDX-License-Identifier: Apache-2.0
/** Accounts that begin with a passkey, by the forms as the page's script sends them. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  type CreationOptions,
  makeSoftwarePasskey,
  type RequestOptions,
  type SoftwarePasskey,
} from '../../../cli/src/assess/software-passkey.ts'
import { setUpLink } from '../../src/flow/index.ts'
import { openWorld, type Reply } from '../world.ts'
import { get, post } from './site.ts'

const world = await openWorld({ signUp: 'open' })
const origin = world.url.replace('127.0.0.1', 'localhost')
after(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
  await world.close()
})

/** What a page asks the device for. */
function wishOf({ text }: Reply): { options: CreationOptions & RequestOptions; challenge: string } {
  const options = /data-options="([^"]*)"/.exec(text)?.[1]?.replaceAll('&quot;', '"') ?? '{}'
  const challenge = /name="challenge" value="([^"]*)"/.exec(text)?.[1] ?? ''
  return { options: JSON.parse(options), challenge }
}

async function signUp(page: Reply, path: string, passkey: SoftwarePasskey, fields: Record<string, string>) {
  const { options, challenge } = wishOf(page)
  return post(world, path, { ...fields, challenge, passkey: passkey.create(options) })
}

async function signIn(passkey: SoftwarePasskey): Promise<Reply> {
  const { options, challenge } = wishOf(await get(world, '/sign-in'))
  return post(world, '/sign-in', { challenge, passkey: passkey.get(options) })
}

test('the first operator sets up the registry by passkey, and hosts names at once', async () => {
  const path = new URL((await setUpLink(world.ports)) ?? '').pathname
  const passkey = makeSoftwarePasskey(origin)
  const fields = { login: 'olga', email: 'olga@people.example', patterns: '@acme/*' }
  const reply = await signUp(await get(world, path), path, passkey, fields)
  assert.deepEqual([reply.status, reply.headers.get('location')], [303, '/operate'])
  assert.ok((await world.ports.store.catalog.listHosted()).includes('@acme/*' as never))
  const account = await world.ports.store.identity.findAccountByLogin('olga')
  assert.deepEqual([account?.passwordHash, account?.hasPasskey, account?.roles], [null, true, ['operator']])
  assert.equal((await signIn(passkey)).status, 303)
})

test('a password that was filled in beside a passkey is not kept', async () => {
  const passkey = makeSoftwarePasskey(origin)
  const fields = { login: 'pia', email: 'pia@people.example', password: 'filled in by a manager' }
  const reply = await signUp(await get(world, '/sign-up'), '/sign-up', passkey, fields)
  assert.equal(reply.status, 303)
  assert.equal((await world.ports.store.identity.findAccountByLogin('pia'))?.passwordHash, null)
})

test('a refused sign-up asks for a passkey of the same account again, so that the device replaces its first', async () => {
  const first = await get(world, '/sign-up')
  const passkey = makeSoftwarePasskey(origin)
  const refused = await signUp(first, '/sign-up', passkey, { login: 'pia', email: 'quin@people.example' })
  assert.equal(refused.status, 409)
  assert.equal(wishOf(refused).options.user.id, wishOf(first).options.user.id)
  assert.notEqual(wishOf(refused).options.challenge, wishOf(first).options.challenge)
  assert.notEqual(wishOf(await get(world, '/sign-up')).options.user.id, wishOf(first).options.user.id)
  const next = makeSoftwarePasskey(origin)
  const made = await signUp(refused, '/sign-up', next, { login: 'quin', email: 'quin@people.example' })
  assert.equal(made.status, 303)
  assert.equal((await signIn(next)).status, 303)
})

test('nobody makes an account in the place of another: its id comes from the seal, once', async () => {
  const page = await get(world, '/sign-up')
  const fields = { login: 'rob', email: 'rob@people.example' }
  assert.equal((await signUp(page, '/sign-up', makeSoftwarePasskey(origin), fields)).status, 303)
  const again = { login: 'robs-twin', email: 'twin@people.example' }
  const replayed = await signUp(page, '/sign-up', makeSoftwarePasskey(origin), again)
  assert.equal(replayed.status, 401)
  assert.equal(await world.ports.store.identity.findAccountByLogin('robs-twin'), undefined)
})
