// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import type { PackageName } from '@holdfast/core'
import {
  addOwner,
  criticalNoticeMs,
  markCritical,
  recomputeCritical,
  setPackageRole,
  unmarkCritical,
} from '../../src/flow/index.ts'
import { operator, totpCode } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { dayMs, openWorld, type Reply, type Someone, type World } from '../world.ts'

const world = await openWorld({ mfa: 'required' })
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

/** Somebody with an authenticator, which is asked for at sign-in only. */
async function withCodes(login: string, on = world): Promise<Someone & { readonly seed: string }> {
  const who = await on.someone(login)
  const profile = (tfa: unknown) => on.npm('POST /-/npm/v1/user', { token: who.token, body: { tfa } })
  const begun = await profile({ password: who.password, mode: 'auth-only' })
  const seed = new URL(begun.body.tfa).searchParams.get('secret') ?? ''
  assert.equal((await profile([totpCode(seed, on.now())])).status, 200)
  on.advance(60_000)
  return { ...who, seed }
}

const put = (who: Someone, name: string, version: string, on: World = world): Promise<Reply> =>
  on.npm(`PUT /${name}`, { token: who.token, body: publishDocument(name, version) })

const change = (who: Someone, line: string, body: unknown) => world.npm(line, { token: who.token, body })

test('whoever has a password alone publishes nothing, and npm prints where to enrol', async () => {
  const who = await world.someone('ann')
  const refused = await put(who, 'anns', '1.0.0')
  assert.deepEqual([refused.status, refused.body.code], [403, 'tfa-required'])
  assert.ok(refused.body.error.includes(`${world.url}/account/security`), refused.body.error)
  assert.equal((await world.npm('GET /anns')).status, 404)
})

test('with an authenticator the same publish passes', async () => {
  assert.equal((await put(await withCodes('bob'), 'bobs', '1.0.0')).status, 201)
})

test('whoever has no second factor changes neither tags, owners, access nor versions of a package', async () => {
  const [owner, other] = [await withCodes('cal'), await world.someone('dan')]
  await put(owner, 'cals', '1.0.0')
  await addOwner(world.ports, operator, 'cals' as PackageName, 'dan')
  const rev = (await world.document('cals', other.token))._rev
  const tries = [
    await change(other, 'PUT /-/package/cals/dist-tags/next', '1.0.0'),
    await change(other, 'POST /-/package/cals/access', { access: 'restricted' }),
    await change(other, 'PUT /-/package/cals/owners', { user: 'ann' }),
    await change(other, `DELETE /cals/-rev/${rev}`, {}),
  ]
  assert.deepEqual(
    tries.map(reply => reply.body.code),
    ['tfa-required', 'tfa-required', 'tfa-required', 'tfa-required'],
  )
})

test('a token that skips the second factor is not made with a password alone', async () => {
  const who = await world.someone('eli')
  const wish = {
    name: 'ci',
    password: who.password,
    bypass_2fa: true,
    packages_all: true,
    packages_and_scopes_permission: 'read-write',
  }
  const refused = await change(who, 'POST /-/npm/v1/tokens', wish)
  assert.deepEqual([refused.status, refused.body.code], [403, 'tfa-required'])
})

test('an owner marks a package for tokens that skip the second factor; without that only an owner’s own passes', async () => {
  const [owner, other] = [await withCodes('fay'), await withCodes('gus')]
  await put(owner, 'fays', '1.0.0')
  await setPackageRole(world.ports, operator, 'fays' as PackageName, 'gus', 'maintainer')
  const skipping = { ...other, token: await skippingToken(other) }
  const refused = await put(skipping, 'fays', '1.1.0')
  assert.deepEqual([refused.status, refused.body.code], [403, 'token-exception'])
  assert.equal((await put({ ...owner, token: await skippingToken(owner) }, 'fays', '1.1.0')).status, 201)
  const automation = { publish_requires_tfa: true, automation_token_overrides_tfa: true }
  const code = await change(owner, 'POST /-/package/fays/access', automation)
  assert.equal(code.status, 200, code.text)
  assert.equal((await put(skipping, 'fays', '1.2.0')).status, 201)
})

/** A token as `npm token create --bypass-2fa` makes it. */
async function skippingToken(who: Someone & { readonly seed: string }): Promise<string> {
  const body = {
    name: 'ci',
    password: who.password,
    bypass_2fa: true,
    packages: ['fays'],
    packages_and_scopes_permission: 'read-write',
  }
  const otp = totpCode(who.seed, world.now())
  const asked = await world.npm('POST /-/npm/v1/tokens', { token: who.token, otp, body })
  assert.equal(asked.status, 200, asked.text)
  return asked.body.token
}

test('a token that a password alone made before there was a second factor publishes nothing by itself afterwards', async () => {
  const who = await withCodes('kai')
  const thief = await world.someone('lou')
  const signIn = async (login: Someone, otp?: string) => {
    const body = { _id: `org.couchdb.user:${login.login}`, name: login.login, password: login.password }
    const sent = otp === undefined ? { body } : { body, otp }
    return (await world.npm(`PUT /-/user/org.couchdb.user:${login.login}`, sent)).body.token as string
  }
  const before = { ...thief, token: await signIn(thief) }
  const enrol = (tfa: unknown) => world.npm('POST /-/npm/v1/user', { token: thief.token, body: { tfa } })
  const begun = await enrol({ password: thief.password, mode: 'auth-only' })
  const seed = new URL(begun.body.tfa).searchParams.get('secret') ?? ''
  await enrol([totpCode(seed, world.now())])
  world.advance(60_000)
  assert.equal((await put(before, 'lous', '1.0.0')).body.code, 'otp-required')
  const after = { ...thief, token: await signIn(thief, totpCode(seed, world.now())) }
  assert.equal((await put(after, 'lous', '1.0.0')).status, 201)
  assert.equal((await put(who, 'kais', '1.0.0')).status, 201)
})

test('a marked package takes changes from passkeys only, at once, and says why and where to get one', async () => {
  const who = await withCodes('hal')
  await put(who, 'hals', '1.0.0')
  await markCritical(world.ports, operator, 'hals' as PackageName, 'everybody builds on it')
  const refused = await put(who, 'hals', '1.1.0')
  assert.deepEqual([refused.status, refused.body.code], [403, 'passkey-required'])
  for (const words of ['everybody builds on it', '/account/security'])
    assert.ok(refused.body.error.includes(words), refused.body.error)
  await unmarkCritical(world.ports, operator, 'hals' as PackageName)
  assert.equal((await put(who, 'hals', '1.1.0')).status, 201)
})

test('only operators and responders mark a package, and only one that is there', async () => {
  const who = await withCodes('ian')
  await put(who, 'ians', '1.0.0')
  const mark = async (roles: readonly ('operator' | 'responder' | 'auditor')[], name = 'ians') => {
    const account = await world.ports.store.identity.findAccount(who.id)
    assert.ok(account !== undefined)
    const from = { address: '', client: '', web: false }
    const credential = { kind: 'session', id: '', freshUntil: world.now() + 1 } as const
    const actor = { ...account, kind: 'person', verified: true, roles, credential, from } as const
    await markCritical(world.ports, actor, name as PackageName, 'a test')
  }
  await assert.rejects(mark([]), { code: 'forbidden' })
  await assert.rejects(mark(['auditor']), { code: 'forbidden' })
  await mark(['responder'])
  await mark(['operator'])
  await assert.rejects(mark(['operator'], 'not-there'), { code: 'package-not-found' })
})

test('the most used of a hundred packages becomes critical with seven days’ notice by mail, and stays while it is near the top', async t => {
  const other = await openWorld()
  t.after(() => other.close())
  const who = await withCodes('jan', other)
  const names = Array.from({ length: 100 }, (_, index) => `used-${String(index).padStart(3, '0')}`)
  for (const name of names) await put(who, name, '1.0.0', other)
  await downloads(other, 'used-041', 20)
  await downloads(other, 'used-007', 10)
  await recomputeCritical(other.ports)
  const [entry, ...more] = await other.ports.store.identity.listCritical()
  assert.deepEqual([entry?.package, entry?.bindsAt, more], ['used-041', other.now() + criticalNoticeMs, []])
  const letters = (await other.ports.store.mail.listRecent(10)).filter(letter =>
    letter.text.includes('used-041'),
  )
  assert.deepEqual(
    letters.map(letter => letter.to),
    [who.email],
  )
  assert.equal((await put(who, 'used-041', '1.1.0', other)).status, 201)
  other.advance(criticalNoticeMs)
  assert.equal((await put(who, 'used-041', '1.2.0', other)).body.code, 'passkey-required')
  await downloads(other, 'used-007', 20)
  await recomputeCritical(other.ports)
  assert.deepEqual(await criticalNames(other), ['used-007', 'used-041'])
  other.advance(91 * dayMs)
  await downloads(other, 'used-001', 3)
  await downloads(other, 'used-002', 2)
  await recomputeCritical(other.ports)
  assert.deepEqual(await criticalNames(other), ['used-001'])
})

async function criticalNames(on: World): Promise<readonly string[]> {
  return (await on.ports.store.identity.listCritical()).map(each => each.package)
}

async function downloads(on: World, name: string, count: number): Promise<void> {
  const at = on.now()
  await on.ports.store.downloads.add([
    {
      package: name as PackageName,
      version: '1.0.0' as never,
      accountId: '',
      tokenId: '',
      address: '',
      client: '',
      count,
      firstAt: at,
      lastAt: at,
    },
  ])
}
