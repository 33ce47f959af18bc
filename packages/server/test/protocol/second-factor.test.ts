// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { denyApproval, grantApproval } from '../../src/flow/index.ts'
import { toPerson, totpCode } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld()
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

interface Enrolled extends Someone {
  readonly seed: string
  readonly recovery: readonly string[]
}

const profile = (token: string, body: unknown, otp?: string) =>
  world.npm('POST /-/npm/v1/user', { token, body, ...(otp === undefined ? {} : { otp }) })

/** Somebody with a second factor, set up as `npm profile enable-2fa` does. */
async function enrol(login: string, mode = 'auth-and-writes'): Promise<Enrolled> {
  const who = await world.someone(login)
  const begun = await profile(who.token, { tfa: { password: who.password, mode } })
  const seed = new URL(begun.body.tfa).searchParams.get('secret') ?? ''
  const finished = await profile(who.token, { tfa: [totpCode(seed, world.now())] })
  assert.equal(finished.body.tfa.length, 10)
  world.advance(60_000)
  return { ...who, seed, recovery: finished.body.tfa }
}

/** The code of now; moves the clock, so that the next one is another. */
function nextCode(who: Enrolled): string {
  world.advance(60_000)
  return totpCode(who.seed, world.now())
}

const put = (who: Someone, name: string, sent: { otp?: string; headers?: Record<string, string> } = {}) =>
  world.npm(`PUT /${name}`, { token: who.token, body: publishDocument(name, '1.0.0'), ...sent })

async function inBrowser(who: Enrolled) {
  const { session } = await world.browse(who, nextCode(who))
  const account = await world.ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  const from = { ...whence, address: '127.0.0.1' }
  return toPerson(account, { kind: 'session', id: session.id, freshUntil: session.freshUntil }, from)
}

test('the second factor is set up as npm does it, and shows in the profile', async () => {
  const who = await world.someone('ann')
  const state = async () => (await world.npm('GET /-/npm/v1/user', { token: who.token })).body.tfa
  assert.equal(await state(), false)
  const begun = await profile(who.token, { tfa: { password: who.password, mode: 'auth-only' } })
  assert.match(begun.body.tfa, /^otpauth:\/\/totp\//)
  assert.deepEqual(await state(), { pending: true, mode: 'auth-only' })
  const seed = new URL(begun.body.tfa).searchParams.get('secret') ?? ''
  assert.equal((await profile(who.token, { tfa: ['000000'] })).status, 401)
  assert.deepEqual(await state(), { pending: true, mode: 'auth-only' })
  assert.equal((await profile(who.token, { tfa: [totpCode(seed, world.now())] })).status, 200)
  assert.deepEqual(await state(), { pending: false, mode: 'auth-only' })
  const kept = await world.ports.store.identity.findAccount(who.id)
  assert.ok(!kept?.totpSealed?.includes(seed), 'the seed lies open in the store')
})

test('a pending set-up can be reset, and a wrong password begins none', async () => {
  const who = await world.someone('bea')
  assert.equal((await profile(who.token, { tfa: { password: 'wrong', mode: 'auth-only' } })).status, 401)
  await profile(who.token, { tfa: { password: who.password, mode: 'auth-only' } })
  const reset = await profile(who.token, { tfa: { password: who.password, mode: 'disable' } })
  assert.deepEqual(reset.body, { tfa: false })
})

test('a challenge says otp in lower case, one-time password in words, and nothing is published', async () => {
  const who = await enrol('cal')
  const refused = await put(who, 'cals')
  assert.equal(refused.status, 401)
  assert.equal(refused.headers.get('www-authenticate'), 'otp')
  assert.match(refused.body.error, /one-time pass/)
  assert.ok((refused.headers.get('npm-notice') ?? '').length > 0)
  // yarn and berry, and npm with --otp, cannot use pages.
  assert.deepEqual([refused.body.authUrl, refused.body.doneUrl], [undefined, undefined])
  assert.equal((await world.npm('GET /cals')).status, 404)
})

test('digits work once, in their half minute and the ones beside it, and not with white space', async () => {
  const who = await enrol('dan')
  const code = nextCode(who)
  for (const otp of [`${code.slice(0, 3)} ${code.slice(3)}`, '000000', `${code}0`]) {
    assert.equal((await put(who, 'dans', { otp })).status, 401, otp)
  }
  // A form sends white space as it was typed; folding it away would give a used code a second spelling.
  for (const otp of [` ${code}`, `${code} `, `${code}\n`, `${code}\u200b`]) {
    await assert.rejects(world.browse(who, otp), { code: 'otp-required' })
  }
  assert.equal((await put(who, 'dans', { otp: code })).status, 201)
  assert.equal((await put(who, 'dans-other', { otp: code })).status, 401)
  const old = totpCode(who.seed, world.now())
  world.advance(5 * 60_000)
  assert.equal((await put(who, 'dans-other', { otp: old })).status, 401)
})

test('of many who bring one code at once, one passes', async () => {
  const who = await enrol('eli')
  const otp = nextCode(who)
  const replies = await Promise.all([1, 2, 3, 4, 5].map(index => put(who, `elis-${index}`, { otp })))
  assert.deepEqual(replies.map(reply => reply.status).sort(), [201, 401, 401, 401, 401])
})

test('a recovery code works once, exactly as it was written down', async () => {
  const who = await enrol('fay')
  const [code = '', other = ''] = who.recovery
  for (const bad of [code.toUpperCase(), code.replaceAll('-', ''), `${code}-`]) {
    assert.equal((await put(who, 'fays', { otp: bad })).status, 401, bad)
  }
  assert.equal((await put(who, 'fays', { otp: code })).status, 201)
  assert.equal((await put(who, 'fays-other', { otp: code })).status, 401)
  assert.equal((await put(who, 'fays-other', { otp: other })).status, 201)
})

test('guessing digits is stopped after ten tries, and recovery codes have a counter of their own', async () => {
  const who = await enrol('gil')
  const tries = await Promise.all(
    Array.from({ length: 20 }, (_, index) => put(who, 'gils', { otp: String(100_000 + index) })),
  )
  assert.deepEqual([...new Set(tries.map(reply => reply.status))].sort(), [401, 429])
  assert.equal(tries.filter(reply => reply.status === 401).length, 10)
  assert.equal((await put(who, 'gils', { otp: who.recovery[0] ?? '' })).status, 201)
})

test('with auth-only, publishing asks for nothing, but tokens and the profile do', async () => {
  const who = await enrol('hal', 'auth-only')
  assert.equal((await put(who, 'hals')).status, 201)
  const body = { password: who.password, readonly: true }
  assert.equal((await world.npm('POST /-/npm/v1/tokens', { token: who.token, body })).status, 401)
  assert.equal(
    (await world.npm('POST /-/npm/v1/tokens', { token: who.token, body, otp: nextCode(who) })).status,
    200,
  )
  assert.equal((await profile(who.token, { fullname: 'Hal' })).status, 401)
})

test('a couch login asks for the second factor, in the letters that pnpm compares', async () => {
  const who = await enrol('ida')
  const body = { name: 'ida', password: who.password }
  const refused = await world.npm('PUT /-/user/org.couchdb.user:ida', { body })
  assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, 'otp'])
  const accepted = await world.npm('PUT /-/user/org.couchdb.user:ida', { body, otp: nextCode(who) })
  assert.equal(accepted.status, 201)
})

test('a password sent with each request is not enough where there is a second factor', async () => {
  const who = await enrol('jan', 'auth-only')
  const authorization = `Basic ${Buffer.from(`jan:${who.password}`).toString('base64')}`
  const refused = await world.npm('PUT /jans', {
    body: publishDocument('jans', '1.0.0'),
    headers: { authorization },
  })
  assert.equal(refused.status, 401)
})

test('an approval in the browser is good for several requests of the command it was asked for, and for no other', async () => {
  const who = await enrol('kim')
  for (const name of ['kims', 'kims-other'])
    assert.equal((await put(who, name, { otp: nextCode(who) })).status, 201)
  const web = { 'npm-auth-type': 'web' }
  const asked = await world.npm('PUT /-/package/kims/dist-tags/next', {
    token: who.token,
    body: '1.0.0',
    headers: web,
  })
  assert.equal(asked.status, 401)
  assert.match(asked.headers.get('npm-notice') ?? '', /https?:\/\//)
  const done = `/npm${asked.body.doneUrl.split('/npm')[1]}`
  // npm polls with the method and the body of `dist-tag add`.
  assert.equal((await world.ask(`PUT ${done}`, { body: '1.0.0' })).status, 202)
  await grantApproval(world.ports, await inBrowser(who), asked.body.authUrl.split('/').at(-1))
  const otp = (await world.ask(`PUT ${done}`, { body: '1.0.0' })).body.token
  const use = (line: string, body?: unknown) => world.npm(line, { token: who.token, otp, headers: web, body })
  assert.equal((await use('PUT /-/package/kims/dist-tags/next', '1.0.0')).status, 200)
  assert.equal((await use('DELETE /-/package/kims/dist-tags/next')).status, 200)
  assert.equal((await use('PUT /-/package/kims-other/dist-tags/next', '1.0.0')).status, 401)
  assert.equal((await use('DELETE /kims/-rev/1-holdfast')).status, 409)
  const lea = await enrol('lea')
  assert.equal((await put(lea, 'leas', { otp })).status, 401, "another's approval")
  world.advance(6 * 60_000)
  assert.equal((await use('PUT /-/package/kims/dist-tags/next', '1.0.0')).status, 401)
})

test('an approval is granted only by its account, and a denied one ends the command', async () => {
  const who = await enrol('max')
  const other = await enrol('mia')
  const asked = await put(who, 'maxs', { headers: { 'npm-auth-type': 'web' } })
  const secret = asked.body.authUrl.split('/').at(-1)
  await assert.rejects(grantApproval(world.ports, await inBrowser(other), secret), { code: 'approval-over' })
  await denyApproval(world.ports, await inBrowser(who), secret)
  assert.equal((await world.ask(`GET /npm${asked.body.doneUrl.split('/npm')[1]}`)).status, 410)
})

test('a token that skips the second factor publishes, but neither makes tokens nor ends the second factor', async () => {
  const who = await enrol('ned')
  const wish = { name: 'robot', password: who.password, bypass_2fa: true, readonly: false }
  const made = await world.npm('POST /-/npm/v1/tokens', { token: who.token, body: wish, otp: nextCode(who) })
  const robot = { ...who, token: made.body.token }
  assert.equal((await put(robot, 'neds')).status, 201)
  assert.equal((await world.npm('POST /-/npm/v1/tokens', { token: robot.token, body: wish })).status, 401)
  assert.equal((await profile(robot.token, { tfa: { password: who.password, mode: 'disable' } })).status, 401)
})

test('the mode changes and the second factor ends with password and code; the owner is told', async () => {
  const who = await enrol('ora')
  const change = { tfa: { password: who.password, mode: 'auth-only' } }
  assert.equal((await profile(who.token, change)).status, 401)
  assert.deepEqual((await profile(who.token, change, nextCode(who))).body, { tfa: { mode: 'auth-only' } })
  const end = { tfa: { password: who.password, mode: 'disable' } }
  assert.deepEqual((await profile(who.token, end, nextCode(who))).body, { tfa: false })
  const letters = await world.ports.store.mail.listRecent(10)
  assert.ok(letters.some(letter => letter.to === who.email && letter.subject.includes('switched OFF')))
  assert.equal((await put(who, 'oras')).status, 201)
})

test('a package that wants a second factor takes nothing from accounts without one, and none of those can set it so', async () => {
  const [who, without] = [await enrol('pam'), await world.someone('pit')]
  assert.equal((await put(who, 'pams', { otp: nextCode(who) })).status, 201)
  const add = { token: who.token, otp: nextCode(who), body: { user: 'pit' } }
  assert.equal((await world.npm('PUT /-/package/pams/owners', add)).status, 200)
  const body = { publish_requires_tfa: true }
  const path = 'POST /-/package/pams/access'
  assert.equal((await world.npm(path, { token: without.token, body })).body.code, 'tfa-required')
  assert.equal((await world.npm(path, { token: who.token, body, otp: nextCode(who) })).status, 200)
  const refused = await world.npm('PUT /pams', {
    token: without.token,
    body: publishDocument('pams', '1.0.1'),
  })
  assert.deepEqual([refused.status, refused.body.code], [403, 'tfa-required'])
})

test('a package says whether tokens that skip the second factor may: mfa=automation lets them, mfa=publish does not', async () => {
  const who = await enrol('quin')
  const robot = await world.token(who, { bypassTfa: true })
  const set = (body: object) =>
    world.npm('POST /-/package/quins/access', { token: who.token, body, otp: nextCode(who) })
  const publish = (version: string) =>
    world.npm('PUT /quins', { token: robot, body: publishDocument('quins', version) })
  assert.equal((await publish('1.0.0')).status, 201)
  await set({ publish_requires_tfa: true, automation_token_overrides_tfa: true })
  assert.equal((await publish('1.0.1')).status, 201)
  await set({ publish_requires_tfa: true, automation_token_overrides_tfa: false })
  assert.equal((await publish('1.0.2')).status, 401)
  await set({ publish_requires_tfa: false })
  assert.equal((await publish('1.0.2')).status, 201)
})
