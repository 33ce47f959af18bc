// SPDX-License-Identifier: Apache-2.0
/** What npm's protocol does for accounts with passkeys, and for those that have nothing else. */
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import {
  type CreationOptions,
  makeSoftwarePasskey,
  type RequestOptions,
  type SoftwarePasskey,
} from '../../../cli/src/assess/software-passkey.ts'
import {
  beginPasskey,
  beginPasskeyApproval,
  findApprovalForPage,
  finishPasskey,
  grantApproval,
  removePassword,
  renewRecoveryCodes,
} from '../../src/flow/index.ts'
import { type Person, toPerson, totpCode } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { openWorld, type Reply, type Sent, type Someone, whence } from '../world.ts'

const world = await openWorld()
const { ports } = world
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

interface Holder extends Someone {
  readonly passkey: SoftwarePasskey
  readonly person: Person
}

async function holder(login: string): Promise<Holder> {
  const who = await world.someone(login)
  const { session } = await world.browse(who)
  const account = await ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  const from = { ...whence, address: '127.0.0.1' }
  const { id, freshUntil } = session
  const person = toPerson(account, { kind: 'session', id, freshUntil }, from)
  const passkey = makeSoftwarePasskey(world.url.replace('127.0.0.1', 'localhost'))
  const { options, sealed } = await beginPasskey(ports, person)
  await finishPasskey(ports, person, { sealed, text: passkey.create(options as CreationOptions) }, 'key')
  return { ...who, passkey, person: { ...person, hasPasskey: true } }
}

/** Sends it, touches the passkey on the page that the answer names, and sends it again. */
async function touched(who: Holder, line: string, sent: Sent): Promise<Reply> {
  const headers = { 'npm-auth-type': 'web' }
  const asked = await world.npm(line, { token: who.token, ...sent, headers })
  assert.deepEqual([asked.status, asked.headers.get('www-authenticate')], [401, 'otp'], asked.text)
  const page = String(asked.body.authUrl).split('/').at(-1) ?? ''
  const approval = await findApprovalForPage(ports, who.person, page)
  const { options, sealed } = await beginPasskeyApproval(ports, who.person, approval)
  const text = who.passkey.get(options as RequestOptions)
  await grantApproval(ports, who.person, page, { passkey: { sealed, text } })
  const otp = new URL(String(asked.body.doneUrl)).searchParams.get('authId') ?? ''
  return world.npm(line, { token: who.token, ...sent, headers, otp })
}

test('a recovery code works with --otp, once', async () => {
  const who = await holder('ann')
  const [code = ''] = await renewRecoveryCodes(ports, who.person)
  const put = (version: string) =>
    world.npm('PUT /anns', { token: who.token, body: publishDocument('anns', version), otp: code })
  assert.equal((await put('1.0.0')).status, 201)
  assert.equal((await put('1.0.1')).status, 401)
})

test('digits of an authenticator that was only begun prove nothing', async () => {
  const who = await holder('bob')
  await renewRecoveryCodes(ports, who.person)
  const begin = { body: { tfa: { password: who.password, mode: 'auth-and-writes' } } }
  const begun = await touched(who, 'POST /-/npm/v1/user', begin)
  const seed = new URL(begun.body.tfa).searchParams.get('secret') ?? ''
  const otp = totpCode(seed, world.now())
  const put = await world.npm('PUT /bobs', { token: who.token, body: publishDocument('bobs', '1.0.0'), otp })
  assert.equal(put.status, 401)
})

test('without a password a touch is enough to make a token, and to set a password', async () => {
  const who = await holder('cal')
  await removePassword(ports, who.person)
  const made = await touched(who, 'POST /-/npm/v1/tokens', { body: { name: 'ci', readonly: true } })
  assert.equal(made.status, 200, made.text)
  const password = { old: '', new: 'eight quiet otters in a row' }
  assert.equal((await touched(who, 'POST /-/npm/v1/user', { body: { password } })).status, 200)
  const wrong = { old: 'not this one', new: 'nine quiet otters in a row' }
  assert.equal((await touched(who, 'POST /-/npm/v1/user', { body: { password: wrong } })).status, 401)
})

test('with a password, making a token asks for it and for a touch', async () => {
  const who = await holder('dan')
  const body = { name: 'ci', readonly: true }
  const without = await world.npm('POST /-/npm/v1/tokens', { token: who.token, body })
  assert.deepEqual([without.status, without.body.code], [401, 'bad-credentials'])
  const made = await touched(who, 'POST /-/npm/v1/tokens', { body: { ...body, password: who.password } })
  assert.equal(made.status, 200, made.text)
})

test('npm profile says that a passkey is a second factor, and does not say that it was switched off', async () => {
  const who = await holder('eve')
  const profile = await world.npm('GET /-/npm/v1/user', { token: who.token })
  assert.deepEqual(profile.body.tfa, { mode: 'auth-and-writes', pending: false })
  const end = { body: { tfa: { password: who.password, mode: 'disable' } } }
  const refused = await touched(who, 'POST /-/npm/v1/user', end)
  assert.deepEqual([refused.status, refused.body.code], [409, 'passkey-must-stay'])
})

test('a password neither signs in at the command line nor signs requests', async () => {
  const who = await holder('fay')
  const body = { _id: 'org.couchdb.user:fay', name: 'fay', password: who.password }
  const login = await world.npm('PUT /-/user/org.couchdb.user:fay', { body })
  assert.deepEqual([login.status, login.body.code], [403, 'passkey-must-confirm'])
  const authorization = `Basic ${Buffer.from(`fay:${who.password}`).toString('base64')}`
  assert.equal((await world.npm('GET /-/whoami', { headers: { authorization } })).status, 401)
})
