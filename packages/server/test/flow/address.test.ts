// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import {
  acceptInvitation,
  addAddress,
  invite,
  listOwnAddresses,
  removeAddress,
  setPrimaryAddress,
  signIn,
  signUp,
  verifyEmail,
} from '../../src/flow/index.ts'
import { operator, type Person, toPerson } from '../../src/identity/index.ts'
import { dayMs, openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld({ signUp: 'open' })
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})
const { ports } = world

/** Somebody in a fresh session. */
async function inBrowser(who: Pick<Someone, 'id' | 'login' | 'password'>): Promise<Person> {
  const account = await ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  const { session } = await signIn(ports, { login: who.login, password: who.password, otp: '' }, whence)
  return toPerson(account, { kind: 'session', id: session.id, freshUntil: session.freshUntil }, whence)
}

const lettersTo = async (email: string) =>
  (await ports.store.mail.listRecent(200)).filter(letter => letter.to === email)
const codeFor = async (email: string) =>
  (await lettersTo(email)).flatMap(each => /\/verify\/(\S+)/.exec(each.text)?.[1] ?? [])[0] ?? ''
const addressesOf = async (actor: Person) =>
  (await listOwnAddresses(ports, actor)).map(each => [each.email, each.verifiedAt !== null])

async function addProven(actor: Person, email: string): Promise<void> {
  await addAddress(ports, actor, email)
  await verifyEmail(ports, await codeFor(email), whence)
}

test('an address counts for nothing until the link in its own letter is opened', async () => {
  const ann = await world.someone('ann')
  const actor = await inBrowser(ann)
  await addAddress(ports, actor, 'ann@second.example')
  assert.deepEqual(await addressesOf(actor), [
    [ann.email, true],
    ['ann@second.example', false],
  ])
  await assert.rejects(setPrimaryAddress(ports, actor, 'ann@second.example'), { code: 'address-unproven' })
  const signInBy = (login: string) => signIn(ports, { login, password: ann.password, otp: '' }, whence)
  await assert.rejects(signInBy('ann@second.example'), { code: 'bad-credentials' })
  await verifyEmail(ports, await codeFor('ann@second.example'), whence)
  await signInBy('ANN@second.example')
})

test('a link proves only its own address, once, within a day, and nothing after the address was removed', async () => {
  const ben = await world.someone('ben')
  const actor = await inBrowser(ben)
  await addAddress(ports, actor, 'ben@second.example')
  await addAddress(ports, actor, 'ben@third.example')
  const code = await codeFor('ben@second.example')
  await verifyEmail(ports, code, whence)
  assert.deepEqual((await addressesOf(actor)).at(-1), ['ben@third.example', false])
  await assert.rejects(verifyEmail(ports, code, whence), { code: 'invitation-invalid' })
  await removeAddress(ports, actor, 'ben@third.example')
  await assert.rejects(verifyEmail(ports, await codeFor('ben@third.example'), whence), {
    code: 'invitation-invalid',
  })
  await addAddress(ports, actor, 'ben@late.example')
  world.advance(dayMs + 1)
  await assert.rejects(verifyEmail(ports, await codeFor('ben@late.example'), whence), {
    code: 'invitation-invalid',
  })
})

test('a new primary address is told to the old one and the new one; a removed one is told too', async () => {
  const cal = await world.someone('cal')
  const actor = await inBrowser(cal)
  await addProven(actor, 'cal@second.example')
  assert.ok((await lettersTo(cal.email)).some(each => /was added/.test(each.subject)))
  await setPrimaryAddress(ports, actor, 'cal@second.example')
  for (const email of [cal.email, 'cal@second.example'])
    assert.ok(
      (await lettersTo(email)).some(each => /changed to cal@second/.test(each.subject)),
      email,
    )
  assert.equal((await ports.store.identity.findAccount(cal.id))?.email, 'cal@second.example')
  await assert.rejects(removeAddress(ports, actor, 'CAL@second.example'), { code: 'address-primary' })
  await removeAddress(ports, actor, cal.email)
  assert.ok((await lettersTo(cal.email)).some(each => /was removed/.test(each.subject)))
  assert.equal(await ports.store.identity.findAccountByEmail(cal.email), undefined)
})

test('nobody learns whether an address is known here: not by adding it, not by signing up with it', async () => {
  const [dan, eve] = [await world.someone('dan'), await world.someone('eve')]
  const actor = await inBrowser(eve)
  const sizeBefore = await ports.store.events.head()
  await addAddress(ports, actor, dan.email.toUpperCase())
  await addAddress(ports, actor, 'nobody@people.example')
  const events = await ports.store.events.read(sizeBefore, 10)
  assert.deepEqual(
    events.map(({ type, detail }) => [type, detail]),
    [0, 1].map(() => ['account-change', { account: eve.id, op: 'address-claimed' }]),
  )
  const [letter] = await lettersTo(dan.email.toUpperCase())
  assert.ok(letter?.secret && !/\/verify\//.test(letter.text) && /your user name is dan/.test(letter.text))
  const forms = ['dan@people.example', 'nobody2@people.example'].map((email, index) => ({
    login: `fresh-${index}`,
    email,
    password: 'four words in a row',
  }))
  for (const form of forms) {
    const made = await signUp(ports, form, whence)
    assert.equal(made.emailVerifiedAt, null)
  }
  assert.equal((await ports.store.identity.findAccountByEmail(dan.email))?.login, 'dan')
  assert.doesNotMatch((await lettersTo(dan.email))[0]?.text ?? '', /\/verify\//)
})

test('of two who claim one address the one who proves it first has it', async () => {
  const [fay, gus] = [await world.someone('fay'), await world.someone('gus')]
  await addAddress(ports, await inBrowser(fay), 'shared@people.example')
  const first = await codeFor('shared@people.example')
  await addAddress(ports, await inBrowser(gus), 'Shared@people.example')
  const second = await codeFor('Shared@people.example')
  await verifyEmail(ports, second, whence)
  await assert.rejects(verifyEmail(ports, first, whence), { code: 'address-taken' })
  assert.equal((await ports.store.identity.findAccountByEmail('shared@people.example'))?.login, 'gus')
})

test('an invitation to an address that somebody proved in the meantime makes no second account', async () => {
  const link = await invite(ports, operator, 'hal@people.example', [])
  await world.someone('hal')
  const form = { login: 'hal-two', email: '', password: 'four words in a row' }
  await assert.rejects(acceptInvitation(ports, link.split('/').at(-1) ?? '', form, whence), {
    code: 'address-taken',
  })
})

test('who mistyped the address at sign-up corrects it without the operator', async () => {
  const form = { login: 'ida', email: 'ida@mistyped.example', password: 'four words in a row' }
  const made = await signUp(ports, form, whence)
  const actor = await inBrowser({ ...made, password: form.password })
  await addProven(actor, 'ida@right.example')
  const account = await ports.store.identity.findAccount(made.id)
  assert.deepEqual([account?.email, account?.emailVerifiedAt], ['ida@right.example', world.now()])
})

test('nobody fills a mailbox with our letters, and an account has a handful of addresses', async () => {
  const jan = await world.someone('jan')
  const actor = await inBrowser(jan)
  for (let n = 0; n < 8; n++) await addAddress(ports, actor, 'victim@people.example')
  assert.equal((await lettersTo('victim@people.example')).length, 5)
  await assert.rejects(
    (async () => {
      for (let n = 0; n < 8; n++) await addAddress(ports, actor, 'victim@people.example')
    })(),
    { code: 'rate-limited' },
  )
  for (let n = 0; n < 8; n++) {
    world.advance(3_600_001)
    await addAddress(ports, await inBrowser(jan), `jan-${n}@people.example`)
  }
  await assert.rejects(addAddress(ports, await inBrowser(jan), 'one@too.many.example'), {
    code: 'too-many',
  })
})
