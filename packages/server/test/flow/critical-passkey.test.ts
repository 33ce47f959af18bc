// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import type { PackageName } from '@holdfast/core'
import {
  type CreationOptions,
  makeSoftwarePasskey,
  type RequestOptions,
  type SoftwarePasskey,
} from '../../../cli/src/assess/software-passkey.ts'
import {
  beginPasskey,
  beginPasskeyApproval,
  beginPasskeySignIn,
  createOrg,
  createTeam,
  findApprovalForPage,
  finishPasskey,
  grantApproval,
  markCritical,
  type PasskeyWish,
  removeMember,
  setMember,
  setPackageRole,
  setTeamGrant,
  signInByPasskey,
} from '../../src/flow/index.ts'
import { operator, type Person, type Session, toPerson, totpCode } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld({ mfa: 'required' })
const { ports } = world
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const from = { ...whence, address: '127.0.0.1' }

async function visitor(session: Session): Promise<Person> {
  const account = await ports.store.identity.findAccount(session.accountId)
  const found = (await ports.store.identity.listSessions(session.accountId)).find(
    ({ id }) => id === session.id,
  )
  assert.ok(account !== undefined && found !== undefined)
  const { id, freshUntil, byPasskey } = found
  return toPerson(account, { kind: 'session', id, freshUntil, byPasskey }, from)
}

const uses = (wish: PasskeyWish, passkey: SoftwarePasskey) => ({
  sealed: wish.sealed,
  text: passkey.get(wish.options as RequestOptions),
})

interface Enrolled extends Someone {
  readonly passkey: SoftwarePasskey
  readonly code: () => string
}

/** Somebody with a passkey and an authenticator. */
async function withBoth(login: string): Promise<Enrolled> {
  const who = await world.someone(login)
  const profile = (tfa: unknown) => world.npm('POST /-/npm/v1/user', { token: who.token, body: { tfa } })
  const begun = await profile({ password: who.password, mode: 'auth-and-writes' })
  const seed = new URL(begun.body.tfa).searchParams.get('secret') ?? ''
  assert.equal((await profile([totpCode(seed, world.now())])).status, 200)
  const code = () => {
    world.advance(60_000)
    return totpCode(seed, world.now())
  }
  const person = await visitor((await world.browse(who, code())).session)
  const passkey = makeSoftwarePasskey(world.url.replace('127.0.0.1', 'localhost'))
  const wish = await beginPasskey(ports, person)
  const text = passkey.create(wish.options as CreationOptions)
  await finishPasskey(ports, person, { sealed: wish.sealed, text }, 'key')
  return { ...who, passkey, code }
}

const put = (who: Someone, version: string, sent: { otp?: string; headers?: Record<string, string> } = {}) =>
  world.npm('PUT /core-lib', { token: who.token, body: publishDocument('core-lib', version), ...sent })
const web = { headers: { 'npm-auth-type': 'web' } }

const ann = await withBoth('ann')
assert.equal((await put(ann, '1.0.0', { otp: ann.code() })).status, 201)
await markCritical(ports, operator, 'core-lib' as PackageName, 'a test')

test('on a critical package no code counts, not even of somebody who has a passkey too', async () => {
  const refused = await put(ann, '1.1.0', { otp: ann.code() })
  assert.deepEqual([refused.status, refused.body.code], [403, 'passkey-proof-required'])
})

test('a publish that a passkey approved passes; one that a code would approve cannot be approved', async () => {
  const asked = await put(ann, '1.1.0', web)
  assert.deepEqual([asked.status, asked.body.code], [401, 'otp-required'])
  const page = String(asked.body.authUrl).split('/').at(-1) ?? ''
  const { session, cookie } = await world.browse(ann, ann.code())
  const person = await visitor(session)
  const pageOf = async (address: string) =>
    (await fetch(`${world.url}${new URL(address).pathname}`, { headers: { cookie } })).text()
  assert.doesNotMatch(await pageOf(asked.body.authUrl), /Use a code instead/)
  const login = await world.npm('POST /-/v1/login', { body: {} })
  assert.match(await pageOf(login.body.loginUrl), /Use a code instead/)
  await assert.rejects(grantApproval(ports, person, page, { otp: ann.code() }), {
    code: 'passkey-proof-required',
  })
  const again = await put(ann, '1.1.0', web)
  const other = String(again.body.authUrl).split('/').at(-1) ?? ''
  const wish = await beginPasskeyApproval(ports, person, await findApprovalForPage(ports, person, other))
  await grantApproval(ports, person, other, { passkey: uses(wish, ann.passkey) })
  const otp = new URL(String(again.body.doneUrl)).searchParams.get('authId') ?? ''
  const done = await put(ann, '1.1.0', { otp, ...web })
  assert.equal(done.status, 201, done.text)
})

test('in the browser a session that a code opened changes nothing of it, one that a passkey opened does', async () => {
  await world.someone('bob')
  const give = async (session: Session) =>
    setPackageRole(ports, await visitor(session), 'core-lib' as PackageName, 'bob', 'triager')
  const byCode = await world.browse(ann, ann.code())
  await assert.rejects(give(byCode.session), { code: 'passkey-proof-required' })
  const byPasskey = await signInByPasskey(ports, uses(beginPasskeySignIn(ports), ann.passkey), from)
  await give(byPasskey.session)
})

test('who may come into an organisation with a critical package is confirmed by a passkey too', async () => {
  const code = await world.browse(ann, ann.code())
  await createOrg(ports, await visitor(code.session), 'crit')
  await world.someone('eve')
  const give = async (session: Session) =>
    setMember(ports, await visitor(session), 'crit', 'eve', 'developer')
  const drop = async (session: Session) => removeMember(ports, await visitor(session), 'crit', 'eve')
  await give(code.session)
  await drop(code.session)
  await createTeam(ports, await visitor(code.session), 'crit', 'core')
  const touched = await signInByPasskey(ports, uses(beginPasskeySignIn(ports), ann.passkey), from)
  await setTeamGrant(
    ports,
    await visitor(touched.session),
    'crit',
    'core',
    'core-lib' as PackageName,
    'read-write',
  )
  const byCode = await world.browse(ann, ann.code())
  await assert.rejects(give(byCode.session), { code: 'passkey-proof-required' })
  await give(touched.session)
  const asked = await world.npm('PUT /-/org/crit/user', {
    token: ann.token,
    body: { user: 'eve', role: 'admin' },
    ...web,
  })
  const page = String(asked.body.authUrl).split('/').at(-1) ?? ''
  await assert.rejects(grantApproval(ports, await visitor(byCode.session), page, { otp: ann.code() }), {
    code: 'passkey-proof-required',
  })
})
