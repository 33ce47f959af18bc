// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, test } from 'node:test'
import { signUp } from '../../src/flow/index.ts'
import { operator } from '../../src/identity/actor.ts'
import { authorize } from '../../src/identity/authorize.ts'
import { hashPassword } from '../../src/identity/index.ts'
import { publishDocument } from '../live.ts'
import { get, post, signInByPage } from '../web/site.ts'
import { openWorld, type Someone, type World, whence } from '../world.ts'

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase()
const known = new Set<string>()
const asked: { path: string; padding: string | undefined }[] = []
let isDown = false
/** A range service as the public one answers: upper-case suffixes with counts, padding with count 0, CRLF. */
const service = createServer((request, response) => {
  const prefix = request.url?.split('/').at(-1) ?? ''
  asked.push({ path: request.url ?? '', padding: request.headers['add-padding']?.toString() })
  if (isDown) return void response.writeHead(503).end()
  const hits = [...known].filter(hash => hash.startsWith(prefix)).map(hash => `${hash.slice(5)}:12`)
  const padding = [`${sha1('an unlucky but unleaked one').slice(5)}:0`]
  response.end([...hits, ...padding].join('\r\n'))
})

let world: World
before(async () => {
  await once(service.listen(0, '127.0.0.1'), 'listening')
  const { port } = service.address() as AddressInfo
  world = await openWorld({
    signUp: 'open',
    mfa: 'optional',
    allowPrivateHosts: '127.0.0.1',
    leakedPasswords: `http://127.0.0.1:${port}/range`,
  })
})
after(async () => {
  await world.close()
  service.close()
})
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const applicant = (login: string, password: string) => ({ login, email: `${login}@people.example`, password })

test('a leaked password makes no account, and the service learns five digits and no name', async () => {
  known.add(sha1('a sentence that leaked'))
  await assert.rejects(signUp(world.ports, applicant('ann', 'a sentence that leaked'), whence), {
    code: 'weak-password',
  })
  const last = asked.at(-1)
  assert.equal(last?.path, `/range/${sha1('a sentence that leaked').slice(0, 5)}`)
  assert.equal(last?.padding, 'true')
})

test('padding counts for nothing, and one range is asked for once a day', async () => {
  await signUp(world.ports, applicant('ben', 'an unlucky but unleaked one'), whence)
  const before = asked.length
  await signUp(world.ports, applicant('cal', 'an unlucky but unleaked one'), whence)
  assert.equal(asked.length, before)
})

test('when the service does not answer, nobody is kept out, and the list that comes with us still speaks', async () => {
  isDown = true
  known.add(sha1('nobody could know this'))
  await signUp(world.ports, applicant('dan', 'nobody could know this'), whence)
  await assert.rejects(signUp(world.ports, applicant('eve', 'Sunshine-Monkey-2024'), whence), {
    code: 'weak-password',
  })
  isDown = false
  world.advance(61_000)
  await assert.rejects(signUp(world.ports, applicant('eve', 'nobody could know this'), whence), {
    code: 'weak-password',
  })
})

/** Somebody whose password leaks after they chose it. */
async function leakedOne(login: string): Promise<Someone> {
  const who = await world.someone(login)
  known.add(sha1(who.password))
  world.advance(25 * 3600_000)
  return who
}

test('a new password that leaked is refused', async () => {
  const fay = await world.someone('fay')
  const cookie = await signInByPage(world, fay)
  known.add(sha1('one more that leaked'))
  const form = { old: fay.password, new: 'one more that leaked', again: 'one more that leaked' }
  assert.match((await post(world, '/account/password', form, { cookie })).text, /leaked passwords/)
})

test('whoever signs in with a leaked password changes it before anything else, and is told by mail', async () => {
  const gus = await leakedOne('gus')
  const cookie = await signInByPage(world, gus)
  for (const path of ['/', '/account', '/account/tokens', '/search']) {
    const reply = await get(world, path, { cookie })
    assert.deepEqual(
      [reply.status, reply.headers.get('location')],
      [303, '/account/password?why=leaked'],
      path,
    )
  }
  const blocked = await post(world, '/account/tokens/new', { name: 'x' }, { cookie })
  assert.equal(blocked.headers.get('location'), '/account/password?why=leaked')
  const page = await get(world, '/account/password', { cookie })
  assert.match(page.text, /in collections of leaked passwords/)
  const letters = await world.ports.store.mail.listRecent(3)
  assert.ok(letters.some(each => each.to === gus.email && /leaked passwords/.test(each.subject)))
  const fresh = 'a fresh sentence of gus'
  await post(world, '/account/password', { old: gus.password, new: fresh, again: fresh }, { cookie })
  assert.equal((await get(world, '/account', { cookie })).status, 200)
})

test('npm is told where to change a leaked password; tokens go on, for a build must not stop for it', async () => {
  const hal = await leakedOne('hal')
  const login = await world.npm('PUT /-/user/org.couchdb.user:hal', {
    body: { _id: 'org.couchdb.user:hal', name: 'hal', password: hal.password, type: 'user' },
  })
  assert.equal(login.status, 403)
  assert.ok(login.text.includes(`${world.url}/account/password`), login.text)
  const basic = `Basic ${Buffer.from(`hal:${hal.password}`).toString('base64')}`
  const body = publishDocument('hals', '1.0.0')
  const publish = await world.npm('PUT /hals', { headers: { authorization: basic }, body })
  assert.equal(publish.status, 403)
  assert.equal((await world.npm('GET /-/whoami', { token: hal.token })).status, 200)
})

test('a password that is common counts as leaked at sign-in, without any service', async () => {
  const ida = await world.someone('ida')
  const grant = await authorize(world.ports, operator, 'instance:operate', '')
  const hash = await hashPassword('Sunshine-Monkey-2024')
  const event = { type: 'account-change', detail: { account: ida.id, op: 'password' } } as const
  await world.ports.store.commit(grant, event, tx => tx.identity.setPassword(ida.id, hash))
  const cookie = await signInByPage(world, { ...ida, password: 'Sunshine-Monkey-2024' })
  assert.equal((await get(world, '/account', { cookie })).status, 303)
})
