// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import {
  addAddress,
  askRecovery,
  beginRecovery,
  beginTfa,
  cancelRecovery,
  confirmRecovery,
  disableUser,
  finishRecovery,
  finishTfa,
  listRecoveries,
  proposeRecovery,
  recoverAtMachine,
  removeAddress,
  signIn,
  verifyEmail,
} from '../../src/flow/index.ts'
import { nobody, operator, type Person, toPerson, totpCode } from '../../src/identity/index.ts'
import { dayMs, openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld({ mfa: 'optional' })
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})
const { ports } = world
const fresh = 'a fresh sentence for all'
const over = { code: 'recovery-over' }

async function inBrowser(who: Someone, otp = ''): Promise<Person> {
  const { session } = await signIn(ports, { login: who.login, password: who.password, otp }, whence)
  const account = await ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  return toPerson(account, { kind: 'session', id: session.id, freshUntil: session.freshUntil }, whence)
}

const lettersTo = async (email: string) =>
  (await ports.store.mail.listRecent(500)).filter(letter => letter.to === email)
const find = async (email: string, form: RegExp) =>
  (await lettersTo(email)).flatMap(each => form.exec(each.text)?.[1] ?? [])[0] ?? ''
const linkFor = (email: string) => find(email, /\/recover\/([^\s/]+)$/m)
const finishFor = (email: string) => find(email, /\/recovery\/([^\s/]+)$/m)
const cancelFor = (email: string) => find(email, /\/recovery\/cancel\/(\S+)/)
const opsOf = async (who: Someone) =>
  (await ports.store.events.read(0, 10_000))
    .filter(event => event.detail['account'] === who.id && /^recovery/.test(String(event.detail['op'])))
    .map(event => event.detail['op'])

async function addSecond(who: Someone, email: string): Promise<void> {
  await addAddress(ports, await inBrowser(who), email)
  await verifyEmail(ports, await find(email, /\/verify\/(\S+)/), whence)
}

/** Switches an authenticator on; gives a code for now, and the recovery codes. */
async function enrol(who: Someone): Promise<{ code: () => string; codes: readonly string[] }> {
  const actor = await inBrowser(who)
  const address = await beginTfa(ports, actor, who.password, 'auth-and-writes')
  const seed = new URL(address ?? '').searchParams.get('secret') ?? ''
  const codes = await finishTfa(ports, actor, totpCode(seed, world.now()))
  world.advance(60_000)
  return { code: () => totpCode(seed, world.now()), codes }
}

async function begin(email: string, otp = '') {
  await askRecovery(ports, email, whence)
  return beginRecovery(ports, await linkFor(email), otp, whence)
}

test('one mailbox alone waits for days, and then ends every session, every token and the old password', async () => {
  const ann = await world.someone('ann')
  const { cookie } = await world.browse(ann)
  const { secret, readyAt } = await begin(ann.email)
  assert.equal(readyAt, world.now() + 3 * dayMs)
  await assert.rejects(finishRecovery(ports, secret, fresh, whence), { code: 'recovery-waits' })
  world.advance(3 * dayMs - 1)
  await assert.rejects(finishRecovery(ports, secret, fresh, whence), { code: 'recovery-waits' })
  world.advance(1)
  await assert.rejects(finishRecovery(ports, secret, 'short', whence), { code: 'weak-password' })
  await finishRecovery(ports, await finishFor(ann.email), fresh, whence)
  assert.notEqual((await world.ask('GET /account', { headers: { cookie } })).status, 200)
  assert.equal((await world.npm('GET /-/whoami', { token: ann.token })).status, 401)
  await assert.rejects(inBrowser(ann), { code: 'bad-credentials' })
  await inBrowser({ ...ann, password: fresh })
  assert.deepEqual(await opsOf(ann), ['recovery-asked', 'recovery-begun', 'recovery-done'])
})

test('a link begins one recovery, and its secret finishes it once: a replay finds it over', async () => {
  const ben = await world.someone('ben')
  const { secret } = await begin(ben.email)
  await assert.rejects(beginRecovery(ports, await linkFor(ben.email), '', whence), over)
  world.advance(3 * dayMs)
  const tries = await Promise.allSettled(
    ['one good sentence here', 'two good sentences here'].map(each =>
      finishRecovery(ports, secret, each, whence),
    ),
  )
  assert.deepEqual(tries.map(each => each.status).sort(), ['fulfilled', 'rejected'])
  await assert.rejects(finishRecovery(ports, secret, fresh, whence), over)
})

test('a link ends after an hour, what it opened a week after it was ready', async () => {
  const cal = await world.someone('cal')
  await askRecovery(ports, cal.email, whence)
  const link = await linkFor(cal.email)
  world.advance(3_600_001)
  await assert.rejects(beginRecovery(ports, link, '', whence), over)
  const { secret } = await begin(cal.email)
  world.advance(10 * dayMs + 1)
  await assert.rejects(finishRecovery(ports, secret, fresh, whence), over)
})

test('the secrets of links, of finishing and of stopping do not serve as one another, nor for another account', async () => {
  const [dan, eve] = [await world.someone('dan'), await world.someone('eve')]
  await askRecovery(ports, dan.email, whence)
  const link = await linkFor(dan.email)
  await assert.rejects(beginRecovery(ports, link.replace(dan.id, eve.id), '', whence), over)
  const { secret } = await beginRecovery(ports, link, '', whence)
  const stop = await cancelFor(dan.email)
  world.advance(3 * dayMs)
  for (const wrong of [stop, link, ''])
    await assert.rejects(finishRecovery(ports, wrong, fresh, whence), over)
  for (const wrong of [secret, link, '']) await assert.rejects(cancelRecovery(ports, wrong, whence), over)
  await assert.rejects(verifyEmail(ports, link, whence), { code: 'invitation-invalid' })
})

test('stopping wins: whoever gets the letter stops it, and the thief in the mailbox finishes nothing', async () => {
  const fay = await world.someone('fay')
  await addSecond(fay, 'fay@second.example')
  const { secret } = await begin(fay.email)
  world.advance(3 * dayMs)
  await cancelRecovery(ports, await cancelFor('fay@second.example'), whence)
  await assert.rejects(finishRecovery(ports, secret, fresh, whence), over)
  await assert.rejects(cancelRecovery(ports, await cancelFor(fay.email), whence), over)
  assert.deepEqual((await opsOf(fay)).slice(-2), ['recovery-begun', 'recovery-cancelled'])
  for (const email of [fay.email, 'fay@second.example'])
    assert.ok(
      (await lettersTo(email)).some(each => /was stopped/.test(each.subject)),
      email,
    )
})

test('whoever is signed in sees it on the account page and stops it there', async () => {
  const gus = await world.someone('gus')
  const { cookie } = await world.browse(gus)
  const { secret } = await begin(gus.email)
  const page = await world.ask('GET /account', { headers: { cookie } })
  assert.match(page.text, /A recovery of your account has begun/)
  await fetch(`${world.url}/account/stop-recovery`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, origin: world.url, 'content-type': 'application/x-www-form-urlencoded' },
  })
  world.advance(3 * dayMs)
  await assert.rejects(finishRecovery(ports, secret, fresh, whence), over)
})

test('a recovery code or an authenticator beside the mailbox opens at once, and the second factor stays', async () => {
  for (const which of ['code', 'recovery'] as const) {
    const hal = await world.someone(`hal-${which}`)
    const { code, codes } = await enrol(hal)
    const { secret, readyAt } = await begin(hal.email, which === 'code' ? code() : codes[0])
    assert.equal(readyAt, world.now())
    await finishRecovery(ports, secret, fresh, whence)
    await assert.rejects(inBrowser({ ...hal, password: fresh }), { code: 'otp-required' })
    assert.equal((await ports.store.identity.findAccount(hal.id))?.tfa, 'auth-and-writes')
  }
})

test('a second factor that is not shown makes it wait, however many mailboxes, and is removed at the end', async () => {
  const ida = await world.someone('ida')
  await addSecond(ida, 'ida@second.example')
  await enrol(ida)
  await begin(ida.email)
  const { secret, readyAt } = await begin('ida@second.example')
  assert.equal(readyAt, world.now() + 3 * dayMs)
  world.advance(3 * dayMs)
  await finishRecovery(ports, secret, fresh, whence)
  const account = await ports.store.identity.findAccount(ida.id)
  assert.deepEqual([account?.tfa, account?.totpSealed], ['none', null])
})

test('two mailboxes open at once an account without a second factor; one mailbox twice does not', async () => {
  const jan = await world.someone('jan')
  await addSecond(jan, 'jan@second.example')
  world.advance(3 * dayMs)
  const first = await begin(jan.email)
  world.advance(60_000)
  const again = await begin(jan.email)
  assert.equal(again.readyAt, first.readyAt)
  const both = await begin('jan@second.example')
  assert.equal(both.readyAt, world.now())
  await finishRecovery(ports, both.secret, fresh, whence)
})

test('two mailboxes that were added just now open nothing at once: a stolen session could add them', async () => {
  const jim = await world.someone('jim')
  world.advance(30 * dayMs)
  for (const email of ['jim@evil.example', 'jim@worse.example']) await addSecond(jim, email)
  await begin('jim@evil.example')
  const both = await begin('jim@worse.example')
  assert.equal(both.readyAt, world.now() + 3 * dayMs)
  const mixed = await begin(jim.email)
  assert.equal(mixed.readyAt, world.now() + 3 * dayMs)
})

test('what was ready at once lends its moment to nobody who begins with the mailbox alone', async () => {
  const joe = await world.someone('joe')
  const { codes } = await enrol(joe)
  // The owner shows a code and then leaves it; a week is left to whoever reads the mailbox.
  assert.equal((await begin(joe.email, codes[0])).readyAt, world.now())
  world.advance(60_000)
  const first = await begin(joe.email)
  assert.equal(first.readyAt, world.now() + 3 * dayMs)
  await recoverAtMachine(ports, operator, 'joe', false)
  const second = await begin(joe.email)
  assert.equal(second.readyAt, first.readyAt, 'nor does the link of the machine')
  world.advance(4 * dayMs)
  assert.equal((await begin(joe.email)).readyAt, first.readyAt, 'what waited long enough has waited')
})

test('a recovery that is done ends those that wait for a mailbox', async () => {
  const jon = await world.someone('jon')
  const { secret } = await begin(jon.email)
  const link = await recoverAtMachine(ports, operator, 'jon', false)
  await finishRecovery(ports, link.split('/').at(-1) ?? '', fresh, whence)
  world.advance(3 * dayMs)
  await assert.rejects(finishRecovery(ports, secret, 'another sentence', whence), over)
})

test('wrong codes are throttled on their own counter, and the link is not used up by a mistake', async () => {
  const kim = await world.someone('kim')
  const { codes } = await enrol(kim)
  await askRecovery(ports, kim.email, whence)
  const link = await linkFor(kim.email)
  const wrong = 'aaaaa-bbbbb-ccccc-ddddd'
  for (let n = 0; n < 10; n++)
    await assert.rejects(beginRecovery(ports, link, wrong, whence), { code: 'otp-required' })
  await assert.rejects(beginRecovery(ports, link, codes[0] ?? '', whence), { code: 'rate-limited' })
  world.advance(16 * 60_000)
  await beginRecovery(ports, link, codes[0] ?? '', whence)
})

test('whoever asks learns nothing: known or not, the record and the answer are alike, and letters are few', async () => {
  const lea = await world.someone('lea')
  const before = await ports.store.events.head()
  for (const name of [lea.email, 'nobody@people.example', 'lea', 'no-such-user'])
    await askRecovery(ports, name, { ...whence, address: '192.0.2.77' })
  const events = await ports.store.events.read(before, 10)
  assert.deepEqual(
    events.map(event => [event.type, event.detail['op']]),
    new Array(4).fill(['account-change', 'recovery-asked']),
  )
  for (let n = 0; n < 5; n++) await askRecovery(ports, lea.email, { ...whence, address: '192.0.2.78' })
  const count = (await lettersTo(lea.email)).filter(each => /way back/.test(each.subject)).length
  assert.equal(count, 4)
  const flood = Array.from({ length: 30 }, () =>
    askRecovery(ports, 'x@people.example', { ...whence, address: '192.0.2.79' }),
  )
  const refused = (await Promise.allSettled(flood)).filter(each => each.status === 'rejected')
  assert.ok(refused.length > 0)
})

test('an address that was given up, and one that was never proven, open nothing', async () => {
  const mia = await world.someone('mia')
  await addAddress(ports, await inBrowser(mia), 'mia@unproven.example')
  await askRecovery(ports, 'mia@unproven.example', whence)
  assert.equal(await linkFor('mia@unproven.example'), '')
  await addSecond(mia, 'mia@second.example')
  await askRecovery(ports, 'mia@second.example', whence)
  const link = await linkFor('mia@second.example')
  await removeAddress(ports, await inBrowser(mia), 'mia@second.example')
  await assert.rejects(beginRecovery(ports, link, '', whence), over)
})

test('two of the staff open an account to a new address, one alone never, and it still waits', async () => {
  const [noa, one, two] = [
    await world.someone('noa'),
    await world.someone('one', ['responder']),
    await world.someone('two', ['responder']),
  ]
  const [first, second] = [await inBrowser(one), await inBrowser(two)]
  await assert.rejects(proposeRecovery(ports, await inBrowser(noa), 'noa', 'x@new.example'), {
    code: 'forbidden',
  })
  await assert.rejects(proposeRecovery(ports, first, 'one', 'x@new.example'), { code: 'recovery-own' })
  await proposeRecovery(ports, first, 'noa', 'noa@new.example')
  assert.ok((await cancelFor(noa.email)) !== '')
  const open = await listRecoveries(ports, first)
  const id = open.find(each => each.account.login === 'noa')?.recovery.id ?? ''
  await assert.rejects(confirmRecovery(ports, first, id), { code: 'recovery-second' })
  await assert.rejects(confirmRecovery(ports, nobody, id), { code: 'unauthenticated' })
  const link = await confirmRecovery(ports, second, id)
  assert.ok(link?.startsWith(`${world.url}/recovery/`))
  const secret = await finishFor('noa@new.example')
  await assert.rejects(finishRecovery(ports, secret, fresh, whence), { code: 'recovery-waits' })
  world.advance(3 * dayMs)
  await finishRecovery(ports, secret, fresh, whence)
  assert.equal((await ports.store.identity.findAccount(noa.id))?.email, 'noa@new.example')
  assert.deepEqual(await opsOf(noa), ['recovery-begun', 'recovery-agreed', 'recovery-done'])
})

test('the word of a responder who left counts no more: another one alone agrees to nothing', async () => {
  await world.someone('nat')
  const one = await world.someone('leaving', ['responder'])
  const two = await world.someone('staying', ['responder'])
  await proposeRecovery(ports, await inBrowser(one), 'nat', 'nat@new.example')
  const second = await inBrowser(two)
  const open = await listRecoveries(ports, second)
  const id = open.find(each => each.account.login === 'nat')?.recovery.id ?? ''
  await disableUser(ports, operator, 'leaving')
  await assert.rejects(confirmRecovery(ports, second, id), over)
})

test('responders open no account of an operator, however many they are; operators do', async () => {
  const [ops, one, two, three] = [
    await world.someone('chief', ['operator']),
    await world.someone('resp-one', ['responder']),
    await world.someone('resp-two', ['responder']),
    await world.someone('second-chief', ['operator']),
  ]
  await assert.rejects(proposeRecovery(ports, await inBrowser(one), ops.login, 'x@new.example'), {
    code: 'forbidden',
  })
  await proposeRecovery(ports, await inBrowser(three), ops.login, 'chief@new.example')
  const open = await listRecoveries(ports, await inBrowser(two))
  const id = open.find(each => each.account.login === 'chief')?.recovery.id ?? ''
  await assert.rejects(confirmRecovery(ports, await inBrowser(two), id), { code: 'forbidden' })
})

test("the machine's owner makes a link for an hour; every mailbox is told, and the record says who", async () => {
  const [pia, quin] = [await world.someone('pia'), await world.someone('quin')]
  await enrol(pia)
  const kept = await recoverAtMachine(ports, operator, 'pia', false)
  const link = await recoverAtMachine(ports, operator, 'pia', false)
  const secretOf = (url: string) => url.split('/').at(-1) ?? ''
  await assert.rejects(finishRecovery(ports, secretOf(kept), fresh, whence), over)
  await finishRecovery(ports, secretOf(link), fresh, whence)
  assert.equal((await ports.store.identity.findAccount(pia.id))?.tfa, 'auth-and-writes')
  const lost = await recoverAtMachine(ports, operator, 'pia', true)
  assert.match(
    (await lettersTo(pia.email))[0]?.text ?? '',
    /owner of this registry's machine has.*second factor are removed/,
  )
  await finishRecovery(ports, secretOf(lost), 'yet another sentence', whence)
  assert.equal((await ports.store.identity.findAccount(pia.id))?.tfa, 'none')
  const late = await recoverAtMachine(ports, operator, 'pia', true)
  world.advance(3_600_001)
  await assert.rejects(finishRecovery(ports, secretOf(late), fresh, whence), over)
  await assert.rejects(recoverAtMachine(ports, await inBrowser(quin), 'pia', true), { code: 'forbidden' })
})

test('links in letters lead to the configured address, whatever host a request claims', async () => {
  const rex = await world.someone('rex')
  const form = new URLSearchParams({ name: rex.email }).toString()
  const { request } = await import('../request.ts')
  await request(
    world.url,
    'POST',
    '/recover?next=//evil.example/',
    {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
      origin: world.url,
      'content-type': 'application/x-www-form-urlencoded',
    },
    form,
  )
  const letters = (await lettersTo(rex.email)).filter(each => /way back/.test(each.subject))
  assert.equal(letters.length, 1)
  const hosts = [...(letters[0]?.text ?? '').matchAll(/https?:\/\/[^/\s]+/g)].map(([each]) => each)
  assert.ok(hosts.length > 0 && hosts.every(each => each === world.url), hosts.join())
})
