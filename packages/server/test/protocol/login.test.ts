// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { denyApproval, grantApproval, verifyEmail } from '../../src/flow/index.ts'
import { toPerson } from '../../src/identity/index.ts'
import { openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld({ signUp: 'open' })
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const couch = (name: string, password: string, email?: string) => ({
  _id: `org.couchdb.user:${name}`,
  name,
  password,
  ...(email === undefined ? {} : { email }),
  type: 'user',
  roles: [],
  date: '2026-01-05T09:00:00.000Z',
})

/** Somebody in a browser, as the pages see them. */
async function inBrowser(who: Someone) {
  const { session } = await world.browse(who)
  const account = await world.ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  const from = { ...whence, address: '127.0.0.1' }
  return toPerson(account, { kind: 'session', id: session.id, freshUntil: session.freshUntil }, from)
}

const pathOf = (url: string) => url.slice(world.url.length)
const secretOf = (url: string) => url.split('/').at(-1) ?? ''

test('a couch login gives a token at once, never a conflict', async () => {
  const ann = await world.someone('ann')
  const reply = await world.npm('PUT /-/user/org.couchdb.user:ann', { body: couch('ann', ann.password) })
  assert.equal(reply.status, 201)
  assert.equal(reply.body.ok, true)
  assert.equal(reply.headers.get('cache-control'), 'no-store')
  const who = await world.npm('GET /-/whoami', { token: reply.body.token })
  assert.deepEqual([who.status, who.body], [200, { username: 'ann' }])
})

test('the second step of a couch login, with Basic credentials, works like the first', async () => {
  const bob = await world.someone('bob')
  const basic = Buffer.from(`bob:${bob.password}`).toString('base64')
  const reply = await world.npm('PUT /-/user/org.couchdb.user:bob/-rev/1-holdfast', {
    body: couch('bob', bob.password),
    headers: { authorization: `Basic ${basic}` },
  })
  assert.equal(reply.status, 201)
  assert.match(reply.body.token, /^holdfast_/)
})

test('a wrong password and an unknown user are told in the same words', async () => {
  const cal = await world.someone('cal')
  const wrong = await world.npm('PUT /-/user/org.couchdb.user:cal', {
    body: couch('cal', `${cal.password}x`),
  })
  const unknown = await world.npm('PUT /-/user/org.couchdb.user:nobody-here', {
    body: couch('nobody-here', 'x'),
  })
  assert.deepEqual([wrong.status, unknown.status], [401, 401])
  assert.equal(wrong.body.error, unknown.body.error)
})

test('a stale bearer token does not stop anyone from signing in', async () => {
  const dan = await world.someone('dan')
  const token = 'holdfast_00000000_stale'
  const login = await world.npm('POST /-/v1/login', { token, body: {} })
  assert.equal(login.status, 200)
  const poll = await world.ask(`GET ${pathOf(login.body.doneUrl)}`, { token })
  assert.equal(poll.status, 202)
  const couched = await world.npm('PUT /-/user/org.couchdb.user:dan', {
    token,
    body: couch('dan', dan.password),
  })
  assert.equal(couched.status, 201)
  const logout = await world.npm(`DELETE /-/user/token/${token}`, { token })
  assert.equal(logout.status, 200)
  assert.equal((await world.npm('GET /-/whoami', { token })).status, 401)
})

test('sign-up at the command line makes an account that can do nothing for others until its address is proven', async () => {
  const made = await world.npm('PUT /-/user/org.couchdb.user:eve', {
    body: couch('eve', 'a long enough secret', 'eve@people.example'),
  })
  assert.equal(made.status, 201)
  const eve = { id: '', login: 'eve', email: '', password: '', token: made.body.token }
  await assert.rejects(world.publish(eve, 'eves-first', '1.0.0'), /403.*not verified/)
  const letters = await world.ports.store.mail.listRecent(10)
  const proof = letters.find(each => each.to === 'eve@people.example' && each.secret)
  const code = /\/verify\/(\S+)/.exec(proof?.text ?? '')?.[1] ?? ''
  await verifyEmail(world.ports, code, whence)
  await world.publish(eve, 'eves-first', '1.0.0')
  await assert.rejects(verifyEmail(world.ports, code, whence), { code: 'invitation-invalid' })
})

test('the pages of a web login are below the public address, and nobody can guess them', async () => {
  const { status, body } = await world.npm('POST /-/v1/login')
  assert.equal(status, 200)
  assert.match(body.loginUrl, new RegExp(`^${world.url}/login/cli/[0-9A-Za-z]{32}$`))
  assert.match(body.doneUrl, new RegExp(`^${world.url}/npm/-/v1/done\\?authId=[0-9A-Za-z]{32}$`))
  assert.notEqual(secretOf(body.loginUrl), body.doneUrl.split('=').at(-1))
})

test('who waits for a login is told when to ask again, with a JSON body, without credentials, by GET, PUT and DELETE', async () => {
  const { body } = await world.npm('POST /-/v1/login', { body: { create: true } })
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const sent = method === 'GET' ? {} : { body: '1.0.0' }
    const poll = await world.ask(`${method} ${pathOf(body.doneUrl)}`, sent)
    assert.equal(poll.status, 202, method)
    assert.ok(Number(poll.headers.get('retry-after')) > 0)
    assert.deepEqual(poll.body, {})
    assert.equal(poll.headers.get('cache-control'), 'no-store')
  }
})

test('a login that was granted gives one token, once', async () => {
  const fay = await world.someone('fay')
  const { body } = await world.npm('POST /-/v1/login', { body: {} })
  await grantApproval(world.ports, await inBrowser(fay), secretOf(body.loginUrl))
  const polls = await Promise.all([1, 2, 3].map(() => world.ask(`GET ${pathOf(body.doneUrl)}`)))
  assert.deepEqual(polls.map(poll => poll.status).sort(), [200, 410, 410])
  const token = polls.find(poll => poll.status === 200)?.body.token
  assert.deepEqual((await world.npm('GET /-/whoami', { token })).body, { username: 'fay' })
})

test('a denied, an expired and an unknown login are over', async () => {
  const gil = await world.someone('gil')
  const denied = await world.npm('POST /-/v1/login', { body: {} })
  await denyApproval(world.ports, await inBrowser(gil), secretOf(denied.body.loginUrl))
  const expired = await world.npm('POST /-/v1/login', { body: {} })
  world.advance(11 * 60_000)
  for (const url of [denied.body.doneUrl, expired.body.doneUrl, `${world.url}/npm/-/v1/done?authId=x`]) {
    assert.equal((await world.ask(`GET ${pathOf(url)}`)).status, 410)
  }
})

test('only somebody who just signed in may grant a login', async () => {
  const hal = await world.someone('hal')
  const actor = await inBrowser(hal)
  world.advance(11 * 60_000)
  const { body } = await world.npm('POST /-/v1/login', { body: {} })
  await assert.rejects(grantApproval(world.ports, actor, secretOf(body.loginUrl)), {
    code: 'presence-required',
  })
  assert.equal((await world.ask(`GET ${pathOf(body.doneUrl)}`)).status, 202)
})

test('logout ends the token that stands in the path', async () => {
  const ida = await world.someone('ida')
  assert.equal((await world.npm(`DELETE /-/user/token/${ida.token}`, { token: ida.token })).status, 200)
  assert.equal((await world.npm('GET /-/whoami', { token: ida.token })).status, 401)
})

test('a user can be looked up by name; the address only by those who are signed in', async () => {
  const jan = await world.someone('jan')
  const open = await world.npm('GET /-/user/org.couchdb.user:jan?write=true')
  assert.deepEqual([open.status, open.body.name, open.body.email], [200, 'jan', undefined])
  const signedIn = await world.npm('GET /-/user/org.couchdb.user:jan', { token: jan.token })
  assert.equal(signedIn.body.email, 'jan@people.example')
  assert.equal((await world.npm('GET /-/user/org.couchdb.user:nobody-here')).status, 404)
})

test('guessing a password is stopped after ten tries, without looking at the eleventh, and only for a quarter of an hour', async () => {
  const kim = await world.someone('kim')
  const tries = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      world.npm('PUT /-/user/org.couchdb.user:kim', { body: couch('kim', `guess ${index}`) }),
    ),
  )
  const statuses = tries.map(reply => reply.status)
  assert.equal(statuses.filter(status => status === 401).length, 10)
  const limited = tries.find(reply => reply.status === 429)
  assert.ok(Number(limited?.headers.get('retry-after')) > 0)
  const right = await world.npm('PUT /-/user/org.couchdb.user:kim', { body: couch('kim', kim.password) })
  assert.equal(right.status, 429)
  assert.equal((await world.npm('GET /-/whoami', { token: kim.token })).status, 200)
  world.advance(16 * 60_000)
  const later = await world.npm('PUT /-/user/org.couchdb.user:kim', { body: couch('kim', kim.password) })
  assert.equal(later.status, 201)
})

test('an unknown path below /-/ is a JSON 404', async () => {
  const reply = await world.npm('GET /-/no/such/thing')
  assert.deepEqual([reply.status, typeof reply.body.error], [404, 'string'])
})

test('a password sent with each request works, and from the moment it is changed no longer', async () => {
  const lou = await world.someone('lou')
  const authorization = `Basic ${Buffer.from(`lou:${lou.password}`).toString('base64')}`
  const whoami = () => world.npm('GET /-/whoami', { headers: { authorization } })
  for (let index = 0; index < 3; index++) assert.deepEqual((await whoami()).body, { username: 'lou' })
  const body = { password: { old: lou.password, new: 'something else altogether' } }
  assert.equal((await world.npm('POST /-/npm/v1/user', { token: lou.token, body })).status, 200)
  assert.equal((await whoami()).status, 401)
})
