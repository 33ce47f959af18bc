// SPDX-License-Identifier: Apache-2.0
/** The web login as a phishing device: an attacker starts a command and has the victim open its page. */
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import {
  makeSoftwarePasskey,
  type RequestOptions,
  type SoftwarePasskey,
} from '../../../cli/src/assess/software-passkey.ts'
import { beginPasskey, finishPasskey, renewRecoveryCodes } from '../../src/flow/index.ts'
import { toPerson } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { openWorld, type Reply, type Someone, whence } from '../world.ts'
import { get, post } from './site.ts'

// Whoever the requests come from is said by a proxy that is believed.
const world = await openWorld({ trustedProxies: '127.0.0.1' })
const { ports } = world
const origin = world.url.replace('127.0.0.1', 'localhost')
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const attacker = { 'x-forwarded-for': '203.0.113.66' }
const home = { 'x-forwarded-for': '198.51.100.20' }
const neighbour = { 'x-forwarded-for': '198.51.100.77' }

interface Victim extends Someone {
  readonly cookie: string
  readonly passkey: SoftwarePasskey
  readonly codes: readonly string[]
}

/** Somebody with a passkey, signed in at home. */
async function victim(login: string, codes: 'with codes' | 'without codes' = 'with codes'): Promise<Victim> {
  const who = await world.someone(login)
  const { session, cookie } = await world.browse(who)
  const account = await ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  const { id, freshUntil } = session
  const person = toPerson(account, { kind: 'session', id, freshUntil }, whence)
  const passkey = makeSoftwarePasskey(origin)
  const { options, sealed } = await beginPasskey(ports, person)
  const text = passkey.create(options as Parameters<SoftwarePasskey['create']>[0])
  await finishPasskey(ports, person, { sealed, text }, 'laptop')
  if (codes === 'without codes') return { ...who, cookie, passkey, codes: [] }
  return { ...who, cookie, passkey, codes: await renewRecoveryCodes(ports, { ...person, hasPasskey: true }) }
}

/** What an attacker's `npm login` gets. */
const startLogin = async (headers: Readonly<Record<string, string>>) => {
  const { body } = await world.npm('POST /-/v1/login', { body: {}, headers })
  return { page: new URL(body.loginUrl).pathname, done: body.doneUrl.slice(world.url.length) as string }
}

const unescaped = (text: string) => text.replaceAll('&quot;', '"').replaceAll('&amp;', '&')

/** Touches the passkey on a page: the form as its script would send it. */
async function touch(
  page: string,
  who: Victim,
  headers: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const { text } = await get(world, page, { cookie: who.cookie, headers })
  const options = JSON.parse(unescaped(/data-options="([^"]*)"/.exec(text)?.[1] ?? '{}')) as RequestOptions
  const challenge = /name="challenge" value="([^"]*)"/.exec(text)?.[1] ?? ''
  return { answer: 'approve', challenge, passkey: who.passkey.get(options) }
}

const send = (page: string, fields: Record<string, string>, who: Victim, headers = home): Promise<Reply> =>
  post(world, page, fields, {
    cookie: who.cookie,
    headers: { origin: world.url, 'sec-fetch-site': 'same-origin', ...headers },
  })
const poll = (done: string) => world.ask(`GET ${done}`, { headers: attacker })
const lettersTo = async (who: Someone) =>
  (await ports.store.mail.listRecent(50)).filter(({ to }) => to === who.email).map(({ subject }) => subject)

test('the page says who asks, from where, for what and when, and warns of another network', async () => {
  const who = await victim('ann')
  const { page } = await startLogin({ ...attacker, 'user-agent': 'npm/11.0.0 <b>' })
  world.advance(120_000)
  const { text } = await get(world, page, { cookie: who.cookie, headers: home })
  for (const words of ['npm login', '203.0.113.66', 'npm/11.0.0 &lt;b&gt;'])
    assert.ok(text.includes(words), words)
  assert.match(text, /2 minutes ago.*ends in 3 min, works once/s)
  assert.match(text, /This command was not started where you are/)
  const own = await startLogin(neighbour)
  assert.doesNotMatch(
    (await get(world, own.page, { cookie: who.cookie, headers: home })).text,
    /not started where you are/,
  )
})

test('a victim who only touches approves nothing that was started elsewhere', async () => {
  const who = await victim('bob')
  const { page, done } = await startLogin(attacker)
  const reply = await send(page, await touch(page, who, home), who)
  assert.equal(reply.status, 409)
  assert.match(reply.text, /started in another network, at 203\.0\.113\.66/)
  assert.equal((await poll(done)).status, 202)
})

test('who says that they started it there is believed once, and the letter names both addresses', async () => {
  const who = await victim('cal')
  const { page, done } = await startLogin(attacker)
  const fields = await touch(page, who, home)
  assert.equal((await send(page, { ...fields, elsewhere: 'yes' }, who)).status, 200)
  assert.equal((await send(page, { ...fields, elsewhere: 'yes' }, who)).status, 410)
  assert.equal((await poll(done)).status, 200)
  assert.equal((await poll(done)).status, 410)
  const words = 'A command line at 203.0.113.66 signed in to your account, approved from 198.51.100.20'
  assert.ok((await lettersTo(who)).some(subject => subject.includes(words)))
})

test('a session without a touch approves nothing, and a touch for one command is none for another', async () => {
  const who = await victim('dan')
  const [one, other] = [await startLogin(home), await startLogin(home)]
  assert.equal((await send(one.page, { answer: 'approve' }, who)).status, 401)
  const fields = await touch(one.page, who, home)
  const crossed = await send(other.page, fields, who)
  assert.match(crossed.text, /it answers another request/)
  assert.equal((await send(one.page, fields, who)).status, 200)
  assert.match((await send(other.page, fields, who)).text, /it answers another request/)
  assert.equal((await poll(other.done)).status, 202)
})

test('another account’s passkey approves nothing', async () => {
  const [who, other] = [await victim('eve'), await victim('eric')]
  const { page, done } = await startLogin(home)
  const mixed = { ...who, passkey: other.passkey }
  assert.match((await send(page, await touch(page, mixed, home), who)).text, /it belongs to another account/)
  assert.equal((await poll(done)).status, 202)
})

test('a recovery code approves instead of a lost device, once', async () => {
  const who = await victim('fay')
  const [one, other] = [await startLogin(home), await startLogin(home)]
  const fields = { answer: 'approve', otp: who.codes[0] ?? '' }
  assert.equal((await send(one.page, fields, who)).status, 200)
  assert.equal((await send(other.page, fields, who)).status, 401)
})

test('a page that was open for more than five minutes is over', async () => {
  const who = await victim('gil')
  const { page, done } = await startLogin(home)
  const fields = await touch(page, who, home)
  world.advance(5 * 60_000)
  assert.equal((await send(page, fields, who)).status, 410)
  assert.equal((await poll(done)).status, 410)
})

test('a publish with a token waits for a touch for this package; the letter names both addresses', async () => {
  const who = await victim('hal')
  const publish = (headers: Readonly<Record<string, string>>, name = 'hals') =>
    world.npm(`PUT /${name}`, { token: who.token, body: publishDocument(name, '1.0.0'), headers })
  const legacy = await publish(home)
  assert.deepEqual([legacy.status, legacy.headers.get('www-authenticate')], [401, 'otp'], 'codes exist')
  const asked = await publish({ ...attacker, 'npm-auth-type': 'web' })
  assert.equal(asked.status, 401)
  const page = new URL(asked.body.authUrl).pathname
  const { text } = await get(world, page, { cookie: who.cookie, headers: home })
  assert.match(text, /npm publish.*hals/s)
  assert.equal((await send(page, { ...(await touch(page, who, home)), elsewhere: 'yes' }, who)).status, 200)
  const { body } = await poll(asked.body.doneUrl.slice(world.url.length))
  const otp = { ...home, 'npm-auth-type': 'web', 'npm-otp': body.token as string }
  assert.equal((await publish(otp, 'hals-other')).status, 401)
  assert.equal((await publish(otp)).status, 201)
  const told = /A command at 203\.0\.113\.66 \(package:publish of hals\) was approved from 198\.51\.100\.20/
  assert.ok((await lettersTo(who)).some(subject => told.test(subject)))
})

test('without codes, a client that opens no page is told what to do', async () => {
  const who = await victim('ida', 'without codes')
  const reply = await world.npm('PUT /idas', { token: who.token, body: publishDocument('idas', '1.0.0') })
  assert.deepEqual([reply.status, reply.body.code], [403, 'passkey-must-confirm'])
  assert.deepEqual((await world.npm('GET /-/npm/v1/user', { token: who.token })).body.tfa, {
    mode: 'auth-and-writes',
    pending: false,
  })
})

test('where a code is not enough, a fresh session is asked for a touch, and then led on', async () => {
  const who = await victim('jan')
  const page = '/confirm?with=passkey&next=%2Faccount'
  const asked = await get(world, page, { cookie: who.cookie, headers: home })
  assert.equal(asked.status, 200)
  assert.doesNotMatch(asked.text, /name="otp"/)
  const { challenge = '', passkey = '' } = await touch(page, who, home)
  const led = await send('/confirm', { next: '/account', challenge, passkey }, who)
  assert.deepEqual([led.status, led.headers.get('location')], [303, '/account'])
  assert.equal((await get(world, page, { cookie: who.cookie, headers: home })).status, 303)
})
