// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { addAddress, askRecovery, checkMailDomains, signIn, verifyEmail } from '../../src/flow/index.ts'
import { toPerson } from '../../src/identity/index.ts'
import { type NameServer, openNameServer, type Zone } from '../name-server.ts'
import { get, post, signInByPage } from '../web/site.ts'
import { dayMs, openWorld, type Someone, type World, whence } from '../world.ts'

let world: World
let network: NameServer
const alive: Zone = { ns: 'ns.host.example', mx: 'mail.host.example', registered: '2020-05-01T00:00:00Z' }

before(async () => {
  network = await openNameServer()
  network.zones.set('people.example', alive)
  world = await openWorld({ ...network.flags, mfa: 'optional' })
})
after(async () => {
  await world.close()
  network.close()
})
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

const lettersTo = async (email: string) =>
  (await world.ports.store.mail.listRecent(500)).filter(letter => letter.to === email)
const textFor = async (email: string, form: RegExp) =>
  (await lettersTo(email)).flatMap(each => form.exec(each.text)?.[1] ?? [])[0] ?? ''

/** Gives somebody a second proven address. */
async function addProven(who: Someone, email: string): Promise<void> {
  const account = await world.ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  const { session } = await signIn(world.ports, { login: who.login, password: who.password, otp: '' }, whence)
  const { id, freshUntil } = session
  const actor = toPerson(account, { kind: 'session', id, freshUntil }, whence)
  await addAddress(world.ports, actor, email)
  await verifyEmail(world.ports, await textFor(email, /\/verify\/(\S+)/), whence)
}

/** The next look at every domain. */
async function look(): Promise<void> {
  world.advance(30 * dayMs + 1)
  await checkMailDomains(world.ports)
}

async function canRecover(email: string): Promise<boolean> {
  const count = async () => (await lettersTo(email)).filter(each => /way back/.test(each.subject)).length
  const before = await count()
  world.advance(3_600_001)
  await askRecovery(world.ports, email, whence)
  return (await count()) > before
}

test('an address at a domain that lapsed recovers nothing; its owner is told by other mailboxes and at sign-in', async () => {
  network.zones.set('ann.example', alive)
  const ann = await world.someone('ann')
  await addProven(ann, 'ann@ann.example')
  await look()
  assert.ok(await canRecover('ann@ann.example'))
  network.zones.delete('ann.example')
  await look()
  assert.ok(!(await canRecover('ann@ann.example')))
  assert.ok(await canRecover(ann.email))
  assert.ok(
    (await lettersTo(ann.email)).some(each =>
      /ann@ann.example opens your account no more/.test(each.subject),
    ),
  )
  const signedIn = await post(world, '/sign-in', { login: 'ann', password: ann.password })
  assert.equal(signedIn.headers.get('location'), '/account/addresses')
  const cookie = await signInByPage(world, ann)
  assert.match((await get(world, '/account', { cookie })).text, /takes no mail any more/)
  const events = await world.ports.store.events.read(0, 10_000)
  const lapses = events.filter(event => event.detail['op'] === 'address-lapsed')
  assert.deepEqual(
    lapses.map(event => [event.actorKind, event.detail['account'], event.detail['why']]),
    [['system', ann.id, 'no-mail']],
  )
})

test('a domain that was registered after the address was proven has a new owner, who gets nothing', async () => {
  network.zones.set('bob.example', { ...alive, registered: '2020-05-01T00:00:00Z' })
  network.zones.set('mail.bob.example', { mx: 'mail.host.example' })
  const bob = await world.someone('bob')
  await addProven(bob, 'bob@mail.bob.example')
  await look()
  assert.ok(await canRecover('bob@mail.bob.example'))
  network.zones.set('bob.example', { ...alive, registered: new Date(world.now()).toISOString() })
  network.zones.set('mail.bob.example', { mx: 'mail.evil.example' })
  await look()
  assert.ok(!(await canRecover('bob@mail.bob.example')))
  const cookie = await signInByPage(world, bob)
  assert.match(
    (await get(world, '/account/addresses', { cookie })).text,
    /registered anew after you confirmed/,
  )
})

test('a domain that takes mail at its own host is fine; a null MX, and no name server, are not', async () => {
  const cal = await world.someone('cal')
  for (const name of ['host', 'null', 'lame']) {
    network.zones.set(`${name}.example`, alive)
    await addProven(cal, `cal@${name}.example`)
  }
  network.zones.set('host.example', { ns: 'ns.host.example', a: '192.0.2.9' })
  network.zones.set('null.example', { ns: 'ns.host.example', mx: '.' })
  network.zones.set('lame.example', { mx: 'mail.host.example' })
  await look()
  const able = await Promise.all(['host', 'null', 'lame'].map(each => canRecover(`cal@${each}.example`)))
  assert.deepEqual(able, [true, false, false])
})

test('a network that is down says nothing about a domain, and no registry is asked meanwhile', async () => {
  network.zones.set('dan.example', alive)
  const dan = await world.someone('dan')
  await addProven(dan, 'dan@dan.example')
  await look()
  network.isBroken = true
  const before = network.asked.length
  await look()
  network.isBroken = false
  assert.ok(await canRecover('dan@dan.example'))
  assert.equal(network.asked.length, before)
})

test('a domain is looked at once in thirty days, however many addresses it has', async () => {
  await look()
  const before = network.asked.length
  await world.someone('eve')
  world.advance(29 * dayMs)
  await checkMailDomains(world.ports)
  assert.equal(network.asked.length, before)
  world.advance(2 * dayMs)
  await checkMailDomains(world.ports)
  assert.equal(network.asked.filter((each, index) => index >= before && each === 'people.example').length, 1)
})

test('the operator sees which domains were abandoned, and nobody else does', async () => {
  const fay = await world.someone('fay', ['operator'])
  const page = await get(world, '/operate/mail', { cookie: await signInByPage(world, fay) })
  assert.match(page.text, /ann\.example<\/bdi>: takes no mail, 1 address/)
  const eve = await world.ports.store.identity.findAccountByLogin('eve')
  assert.ok(eve !== undefined)
})
