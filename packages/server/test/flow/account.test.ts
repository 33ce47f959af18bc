// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import {
  acceptInvitation,
  changePassword,
  checkPassword,
  confirmPresence,
  createToken,
  endSession,
  ensureAccount,
  invite,
  listOwnSessions,
  readInvitation,
  resendVerification,
  setUpLink,
  signIn,
  signOut,
  signUp,
  verifyEmail,
} from '../../src/flow/index.ts'
import { nobody, operator, type Person, toPerson } from '../../src/identity/index.ts'
import { dayMs, openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld({ signUp: 'open' })
const closed = await openWorld()
after(() => Promise.all([world.close(), closed.close()]))
afterEach(async () => {
  for (const each of [world, closed]) {
    await each.check()
    assert.deepEqual(each.errors, [])
  }
})

const { ports } = world
const secretOf = (link: string) => link.split('/').at(-1) ?? ''
const applicant = (login: string, email = `${login}@people.example`) => ({
  login,
  email,
  password: 'four words in a row',
})

async function personOf(who: { id: string }, secret?: string): Promise<Person> {
  const account = await ports.store.identity.findAccount(who.id)
  assert.ok(account !== undefined)
  if (secret === undefined) return toPerson(account, { kind: 'password' }, whence)
  const found = (await ports.store.identity.listSessions(who.id)).find(session => session.id === secret)
  assert.ok(found !== undefined)
  return toPerson(account, { kind: 'session', id: found.id, freshUntil: found.freshUntil }, whence)
}

test('an invitation makes one account, with the roles it was made for, and counts as proof of the address', async () => {
  const link = await invite(ports, operator, 'ann@people.example', ['responder'])
  assert.equal((await readInvitation(ports, secretOf(link))).email, 'ann@people.example')
  const tries = await Promise.allSettled(
    ['ann', 'ann-too'].map(login =>
      acceptInvitation(ports, secretOf(link), applicant(login, 'other@people.example'), whence),
    ),
  )
  assert.deepEqual(tries.map(each => each.status).sort(), ['fulfilled', 'rejected'])
  const account = await ports.store.identity.findAccountByEmail('ann@people.example')
  assert.deepEqual([account?.roles, account?.emailVerifiedAt], [['responder'], world.now()])
  await assert.rejects(readInvitation(ports, secretOf(link)), { code: 'invitation-invalid' })
})

test('an invitation ends after a week, and only operators invite', async () => {
  const link = await invite(ports, operator, 'late@people.example', [])
  world.advance(7 * dayMs + 1)
  await assert.rejects(acceptInvitation(ports, secretOf(link), applicant('late'), whence), {
    code: 'invitation-invalid',
  })
  const bob = await world.someone('bob')
  await assert.rejects(invite(ports, await personOf(bob), 'x@people.example', ['operator']), {
    code: 'forbidden',
  })
  await assert.rejects(invite(ports, nobody, 'x@people.example', ['operator']), { code: 'unauthenticated' })
})

test('the set-up link makes the first operator, once, within the hour; older links die with it', async () => {
  const [one, other] = [await setUpLink(closed.ports), await setUpLink(closed.ports)]
  assert.ok(one !== undefined && other !== undefined)
  const made = await acceptInvitation(closed.ports, secretOf(one), applicant('chief'), whence)
  assert.deepEqual(made.roles, ['operator'])
  await assert.rejects(acceptInvitation(closed.ports, secretOf(other), applicant('second'), whence), {
    code: 'invitation-invalid',
  })
  assert.equal(await setUpLink(closed.ports), undefined)
})

test('sign-up is closed unless the operator opened it', async () => {
  await assert.rejects(signUp(closed.ports, applicant('cal'), whence), { code: 'sign-up-closed' })
})

test('the link in the letter proves the address of its own account only, once, within a day', async () => {
  const [cal, dan] = [
    await signUp(ports, applicant('cal'), whence),
    await signUp(ports, applicant('dan'), whence),
  ]
  const codeFor = async (email: string) => {
    const letters = await ports.store.mail.listRecent(50)
    return /\/verify\/(\S+)/.exec(letters.find(each => each.to === email)?.text ?? '')?.[1] ?? ''
  }
  const code = await codeFor(cal.email)
  await assert.rejects(verifyEmail(ports, code.replace(cal.id, dan.id), whence), {
    code: 'invitation-invalid',
  })
  await assert.rejects(acceptInvitation(ports, code, applicant('mallory'), whence), {
    code: 'invitation-invalid',
  })
  await verifyEmail(ports, code, whence)
  assert.notEqual((await ports.store.identity.findAccount(cal.id))?.emailVerifiedAt, null)
  const late = await codeFor(dan.email)
  world.advance(dayMs + 1)
  await assert.rejects(verifyEmail(ports, late, whence), { code: 'invitation-invalid' })
  await resendVerification(ports, await personOf(dan))
  await verifyEmail(ports, await codeFor(dan.email), whence)
})

test('letters with links are secret, and no event holds a secret or a password', async () => {
  const letters = await ports.store.mail.listRecent(100)
  for (const letter of letters)
    assert.equal(letter.secret, /\/(verify|invitation)\//.test(letter.text), letter.subject)
  const events = JSON.stringify(await ports.store.events.read(0, 1000))
  assert.doesNotMatch(events, /argon2|holdfast_[a-z0-9]{8}_[0-9A-Za-z]{30}|four words/)
})

test('of two sign-ups for one name one wins; an address that nobody proved keeps nobody out', async () => {
  const tries = await Promise.allSettled([
    signUp(ports, applicant('eve'), whence),
    signUp(ports, applicant('eve', 'other-eve@people.example'), whence),
    signUp(ports, applicant('eve-too', 'EVE@People.Example'), whence),
  ])
  const refused = tries.flatMap(each => (each.status === 'rejected' ? [each.reason.code] : []))
  assert.deepEqual(refused, ['user-exists'])
})

test('the operator makes an account by its name, verified and without a password, and finds it again', async () => {
  const made = await ensureAccount(ports, operator, 'robot')
  assert.equal((await ensureAccount(ports, operator, 'robot')).id, made.id)
  assert.deepEqual([made.passwordHash, made.emailVerifiedAt !== null], [null, true])
  await assert.rejects(checkPassword(ports, 'robot', '', whence), { code: 'bad-credentials' })
  const limits = { permission: 'read-only', bypassTfa: false } as const
  await assert.rejects(createToken(ports, nobody, made, { name: 'x', limits }), {
    code: 'unauthenticated',
  })
})

test('one signs in by name or address; a session is fresh for ten minutes and lives for thirty days', async () => {
  const fay = await world.someone('fay')
  const made = await signIn(ports, { login: fay.email, password: fay.password, otp: '' }, whence)
  assert.equal(made.session.freshUntil, world.now() + 10 * 60_000)
  assert.equal(made.session.expiresAt, world.now() + 30 * dayMs)
  const account = () => world.ask('GET /account', { headers: { cookie: `holdfast-session=${made.secret}` } })
  assert.equal((await account()).status, 200)
  world.advance(30 * dayMs + 1)
  assert.notEqual((await account()).status, 200)
})

test('the npm routes take no session: they do not ask where a request comes from', async () => {
  const { cookie } = await world.browse(await world.someone('lea'))
  assert.equal((await world.npm('GET /-/whoami', { headers: { cookie } })).status, 401)
})

test('a stale session is made fresh by the password, and by nothing less', async () => {
  const gil = await world.someone('gil')
  const { session } = await world.browse(gil)
  world.advance(11 * 60_000)
  const limits = { permission: 'read-only', bypassTfa: false } as const
  const make = async (who: Someone) => {
    const account = await ports.store.identity.findAccount(who.id)
    assert.ok(account !== undefined)
    return createToken(ports, await personOf(who, session.id), account, {
      name: 'x',
      limits,
    })
  }
  await assert.rejects(make(gil), { code: 'presence-required' })
  await assert.rejects(
    confirmPresence(ports, await personOf(gil, session.id), { password: 'wrong', otp: '' }),
    { code: 'bad-credentials' },
  )
  await assert.rejects(make(gil), { code: 'presence-required' })
  await confirmPresence(ports, await personOf(gil, session.id), { password: gil.password, otp: '' })
  await make(gil)
})

test('sessions are listed and ended one by one; nobody ends another’s', async () => {
  const [hal, ida] = [await world.someone('hal'), await world.someone('ida')]
  const [one, two] = [await world.browse(hal), await world.browse(hal)]
  await endSession(ports, await personOf(ida), two.session.id)
  assert.equal((await listOwnSessions(ports, await personOf(hal))).length, 2)
  await signOut(ports, await personOf(hal, one.session.id))
  assert.deepEqual(
    (await listOwnSessions(ports, await personOf(hal))).map(each => each.id),
    [two.session.id],
  )
})

test('a new password wants the old one, ends all other sessions, and is told by mail', async () => {
  const jan = await world.someone('jan')
  const [one, two] = [await world.browse(jan), await world.browse(jan)]
  const actor = await personOf(jan, one.session.id)
  await assert.rejects(changePassword(ports, actor, 'wrong', 'another good secret'), {
    code: 'bad-credentials',
  })
  await assert.rejects(changePassword(ports, actor, jan.password, 'short'), { code: 'weak-password' })
  await changePassword(ports, actor, jan.password, 'another good secret')
  assert.deepEqual(
    (await listOwnSessions(ports, actor)).map(each => each.id),
    [one.session.id],
  )
  assert.notEqual((await world.ask('GET /account', { headers: { cookie: two.cookie } })).status, 200)
  assert.equal((await world.ask('GET /account', { headers: { cookie: one.cookie } })).status, 200)
  await assert.rejects(checkPassword(ports, 'jan', jan.password, whence), { code: 'bad-credentials' })
  await checkPassword(ports, 'jan', 'another good secret', whence)
  const letters = await ports.store.mail.listRecent(5)
  assert.ok(letters.some(letter => letter.to === jan.email && letter.subject.startsWith('The password')))
})

test('who guesses at many accounts from one address is stopped there, and only there', async () => {
  const kim = await world.someone('kim')
  const from = { ...whence, address: '2001:db8:1:2::1' }
  const guesses = Array.from({ length: 130 }, (_, index) => checkPassword(ports, `user-${index}`, 'x', from))
  const codes = (await Promise.allSettled(guesses)).map(each =>
    each.status === 'rejected' ? each.reason.code : 'in',
  )
  assert.equal(codes.filter(code => code === 'bad-credentials').length, 100)
  const neighbour = { ...whence, address: '2001:db8:1:2:ffff::9' }
  await assert.rejects(checkPassword(ports, 'kim', kim.password, neighbour), { code: 'rate-limited' })
  assert.equal((await checkPassword(ports, 'kim', kim.password, whence)).login, 'kim')
})
