// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import {
  type CreationOptions,
  type Faults,
  makeSoftwarePasskey,
  type RequestOptions,
  type SoftwarePasskey,
} from '../../../cli/src/assess/software-passkey.ts'
import {
  acceptInvitation,
  beginPasskey,
  beginPasskeyConfirm,
  beginPasskeySignIn,
  beginSignUp,
  confirmByPasskey,
  disableUser,
  finishPasskey,
  invite,
  listOwnPasskeys,
  type PasskeyWish,
  removePasskey,
  removePassword,
  renamePasskey,
  renewRecoveryCodes,
  signIn,
  signInByPasskey,
} from '../../src/flow/index.ts'
import { formatSessionCookie } from '../../src/http/index.ts'
import { operator, type Person, type Session, toPerson } from '../../src/identity/index.ts'
import { type Config, readConfig, startInstance } from '../../src/main.ts'
import { openWorld, type Someone, whence } from '../world.ts'

const world = await openWorld()
const { ports } = world
const origin = world.url.replace('127.0.0.1', 'localhost')
after(() => world.close())
afterEach(async () => {
  await world.check()
  assert.deepEqual(world.errors, [])
})

/** Somebody in a browser. */
async function visitor(session: Session): Promise<Person> {
  const account = await ports.store.identity.findAccount(session.accountId)
  assert.ok(account !== undefined)
  const found = (await ports.store.identity.listSessions(account.id)).find(({ id }) => id === session.id)
  assert.ok(found !== undefined, 'the session is over')
  const { id, freshUntil, byPasskey } = found
  return toPerson(account, { kind: 'session', id, freshUntil, byPasskey }, whence)
}

const browse = async (who: Someone) => visitor((await world.browse(who)).session)
const makes = (wish: PasskeyWish, passkey: SoftwarePasskey, faults?: Faults) => ({
  sealed: wish.sealed,
  text: passkey.create(wish.options as CreationOptions, faults),
})
const uses = (wish: PasskeyWish, passkey: SoftwarePasskey, faults?: Faults) => ({
  sealed: wish.sealed,
  text: passkey.get(wish.options as RequestOptions, faults),
})

async function enrol(person: Person, name = 'laptop'): Promise<SoftwarePasskey> {
  const passkey = makeSoftwarePasskey(origin)
  await finishPasskey(ports, person, makes(await beginPasskey(ports, person), passkey), name)
  return passkey
}

async function signInWith(passkey: SoftwarePasskey, faults?: Faults): Promise<Person> {
  const { session } = await signInByPasskey(ports, uses(beginPasskeySignIn(ports), passkey, faults), whence)
  return visitor(session)
}

const why = (text: string) => ({ code: 'passkey-refused', data: { why: text } })
const lettersTo = async (who: Someone) =>
  (await ports.store.mail.listRecent(100)).filter(({ to }) => to === who.email).map(({ subject }) => subject)
const lastChange = async () => {
  const head = await ports.store.events.head()
  return (await ports.store.events.read(0, head)).filter(({ type }) => type === 'account-change').at(-1)
    ?.detail
}

describe('a passkey', () => {
  test('is added in a fresh session, listed, renamed and removed; each is an event, and its owner is told', async () => {
    const ann = await world.someone('ann')
    const person = await browse(ann)
    const passkey = await enrol(person, 'work laptop\r\nBcc: x')
    assert.deepEqual(
      (await listOwnPasskeys(ports, person)).map(each => [
        each.id,
        each.name,
        each.lastUsedAt,
        each.transports,
      ]),
      [[passkey.id, 'work laptop Bcc: x', null, ['internal']]],
    )
    assert.equal((await ports.store.identity.findAccount(ann.id))?.hasPasskey, true)
    assert.equal((await lastChange())?.['op'], 'passkey-added')
    await renamePasskey(ports, person, passkey.id, '  ')
    assert.equal((await listOwnPasskeys(ports, person))[0]?.name, 'passkey')
    const other = await browseOther(passkey)
    await removePasskey(ports, person, passkey.id)
    assert.deepEqual(await listOwnPasskeys(ports, person), [])
    assert.equal((await lastChange())?.['op'], 'passkey-removed')
    await assert.rejects(visitor(other), /over/, 'sessions elsewhere end: it may have been stolen')
    const letters = await lettersTo(ann)
    assert.ok(letters.some(subject => subject.includes("'work laptop Bcc: x' was added")))
    assert.ok(letters.some(subject => subject.includes("'passkey' was removed")))
    await assert.rejects(renamePasskey(ports, person, passkey.id, 'x'), { code: 'passkey-not-found' })
  })

  test('is added and removed only by somebody who just signed in', async () => {
    const bob = await world.someone('bob')
    const person = await browse(bob)
    const passkey = await enrol(person)
    const wish = await beginPasskey(ports, person)
    world.advance(11 * 60_000)
    const stale = { code: 'presence-required' }
    await assert.rejects(beginPasskey(ports, person), stale)
    await assert.rejects(finishPasskey(ports, person, makes(wish, makeSoftwarePasskey(origin)), 'x'), stale)
    await assert.rejects(removePasskey(ports, person, passkey.id), stale)
    await assert.rejects(renamePasskey(ports, person, passkey.id, 'x'), stale)
  })

  test('is added and removed, once there is one, only by the touch of one: a phished code makes none', async () => {
    const eva = await world.someone('eva')
    const early = await world.browse(eva)
    const passkey = await enrol(await browse(eva))
    const byCode = await visitor(early.session)
    const refused = { code: 'passkey-proof-required' }
    await assert.rejects(beginPasskey(ports, byCode), refused)
    await assert.rejects(removePasskey(ports, byCode, passkey.id), refused)
    const before = { ...byCode, hasPasskey: false }
    const made = makes(await beginPasskey(ports, before), makeSoftwarePasskey(origin))
    await assert.rejects(finishPasskey(ports, byCode, made, 'mine'), refused)
    const byTouch = await signInWith(passkey)
    await enrol(byTouch, 'second')
    await removePasskey(ports, byTouch, passkey.id)
  })

  test('belongs to one account: nobody adds, renames or removes what is another’s', async () => {
    const [cal, cid] = [await browse(await world.someone('cal')), await browse(await world.someone('cid'))]
    const passkey = await enrol(cal)
    const wish = await beginPasskey(ports, cid)
    await assert.rejects(
      finishPasskey(ports, cid, makes(wish, passkey), 'mine'),
      why('it is registered here already'),
    )
    await assert.rejects(removePasskey(ports, cid, passkey.id), { code: 'passkey-not-found' })
    await assert.rejects(renamePasskey(ports, cid, passkey.id, 'x'), { code: 'passkey-not-found' })
  })

  test('is refused at its making on another site, unverified, for another session, late, or twice', async () => {
    const dan = await world.someone('dan')
    const [person, elsewhere] = [await browse(dan), await browse(dan)]
    const attempt = async (faults: Faults, by = person) => {
      const wish = await beginPasskey(ports, person)
      return finishPasskey(ports, by, makes(wish, makeSoftwarePasskey(origin), faults), 'x')
    }
    await assert.rejects(attempt({ origin: 'https://evil.example' }), why('it was used on another site'))
    await assert.rejects(attempt({ rpId: 'evil.example' }), why('it belongs to another site'))
    await assert.rejects(attempt({ challenge: 'AAAA' }), why('it answers another request'))
    await assert.rejects(
      attempt({ isUnverified: true }),
      why('the device did not check that it is you (by PIN, finger or face)'),
    )
    await assert.rejects(attempt({}, elsewhere), why('it answers another request'))
    const answer = makes(await beginPasskey(ports, person), makeSoftwarePasskey(origin))
    await finishPasskey(ports, person, answer, 'x')
    await assert.rejects(finishPasskey(ports, person, answer, 'x'), why('this answer was given before'))
    const asked = await beginPasskey(ports, person)
    world.advance(10 * 60_000)
    const late = { ...person, credential: { ...person.credential, freshUntil: world.now() + 1 } } as Person
    await assert.rejects(
      finishPasskey(ports, late, makes(asked, makeSoftwarePasskey(origin)), 'x'),
      why('this page was open for too long'),
    )
  })

  test('with a certificate is refused: nobody asked for one, and it could name addresses to ask', async () => {
    const person = await browse(await world.someone('deb'))
    const wish = await beginPasskey(ports, person)
    const { sealed, text } = makes(wish, makeSoftwarePasskey(origin))
    const made = JSON.parse(text)
    const bytes = Buffer.from(made.response.attestationObject, 'base64url').toString('latin1')
    // In CBOR a text of three letters begins with `c`, one of four with `d`.
    const fmt = Buffer.from(bytes.replace('dnone', 'ctpm'), 'latin1')
    made.response.attestationObject = fmt.toString('base64url')
    await assert.rejects(
      finishPasskey(ports, person, { sealed, text: JSON.stringify(made) }, 'x'),
      why('it came with a certificate that nobody asked for'),
    )
  })
})

const browseOther = (passkey: SoftwarePasskey): Promise<Session> =>
  signInByPasskey(ports, uses(beginPasskeySignIn(ports), passkey), whence).then(({ session }) => session)

describe('signing in by passkey', () => {
  test('needs no login name, no password and no code, and gives a fresh session', async () => {
    const eve = await world.someone('eve')
    const passkey = await enrol(await browse(eve))
    const person = await signInWith(passkey)
    assert.deepEqual([person.id, person.hasPasskey], [eve.id, true])
    assert.ok(person.credential.kind === 'session' && person.credential.freshUntil > world.now())
    assert.equal((await listOwnPasskeys(ports, person))[0]?.lastUsedAt, world.now())
  })

  test('is refused on another site, for another request, unverified, forged, or with another’s handle', async () => {
    const passkey = await enrol(await browse(await world.someone('fay')))
    const other = await world.someone('fred')
    const cases: readonly (readonly [Faults, string])[] = [
      [{ origin: 'https://evil.example' }, 'it was used on another site'],
      [{ origin: world.url }, 'it was used on another site'],
      [{ rpId: 'evil.example' }, 'it belongs to another site'],
      [{ challenge: 'AAAA' }, 'it answers another request'],
      [{ isUnverified: true }, 'the device did not check that it is you (by PIN, finger or face)'],
      [{ isForged: true }, 'its signature is wrong'],
      [{ userHandle: Buffer.from(other.id).toString('base64url') }, 'it belongs to another account'],
    ]
    for (const [faults, text] of cases) await assert.rejects(signInWith(passkey, faults), why(text))
    await signInWith(passkey)
  })

  test('takes each answer once, within ten minutes, and for nothing but signing in', async () => {
    const person = await browse(await world.someone('gil'))
    const passkey = await enrol(person)
    const answer = uses(beginPasskeySignIn(ports), passkey)
    await signInByPasskey(ports, answer, whence)
    await assert.rejects(signInByPasskey(ports, answer, whence), why('this answer was given before'))
    const late = uses(beginPasskeySignIn(ports), passkey)
    const confirm = uses(await beginPasskeyConfirm(ports, person), passkey)
    await assert.rejects(signInByPasskey(ports, confirm, whence), why('it answers another request'))
    world.advance(10 * 60_000)
    await assert.rejects(signInByPasskey(ports, late, whence), why('this page was open for too long'))
    await assert.rejects(
      signInByPasskey(ports, { ...answer, sealed: 'x' }, whence),
      why('it answers no request of this registry'),
    )
    await assert.rejects(
      signInByPasskey(ports, { sealed: beginPasskeySignIn(ports).sealed, text: '' }, whence),
      why('the browser sent none'),
    )
  })

  test('is refused to a copy, whose counter goes back, and the owner is told', async () => {
    const hal = await world.someone('hal')
    const passkey = await enrol(await browse(hal))
    await signInWith(passkey, { counter: 7 })
    for (const counter of [7, 6, 0])
      await assert.rejects(
        signInWith(passkey, { counter }),
        why('its counter went back, as that of a copy does'),
      )
    assert.equal((await lastChange())?.['op'], 'passkey-counter-back')
    assert.ok((await lettersTo(hal)).some(subject => subject.includes('A copy of your passkey')))
    await signInWith(passkey, { counter: 8 })
  })

  test('is refused to the passkey of a disabled account, in the words for one that nobody has', async () => {
    const passkey = await enrol(await browse(await world.someone('ines')))
    await disableUser(ports, operator, 'ines')
    await assert.rejects(signInWith(passkey), why('nobody here has it'))
  })

  test('is refused to a passkey that was removed', async () => {
    const person = await browse(await world.someone('ida'))
    const passkey = await enrol(person)
    await removePasskey(ports, person, passkey.id)
    await assert.rejects(signInWith(passkey), why('nobody here has it'))
  })

  test('is never blocked by wrong passwords, and wrong answers are limited on their own', async () => {
    const jan = await world.someone('jan')
    const passkey = await enrol(await browse(jan))
    const guessing = { login: 'jan', password: 'not this one', otp: '' }
    for (let index = 0; index < 12; index++) await assert.rejects(signIn(ports, guessing, whence))
    await assert.rejects(signIn(ports, guessing, whence), { code: 'rate-limited' })
    await signInWith(passkey)
    for (let index = 0; index < 10; index++)
      await assert.rejects(signInWith(passkey, { isForged: true }), { code: 'passkey-refused' })
    await assert.rejects(signInWith(passkey), { code: 'rate-limited' })
  })
})

describe('an account with a passkey', () => {
  test('is not signed in by its password alone, but by a recovery code with it', async () => {
    const kim = await world.someone('kim')
    const person = await browse(kim)
    await enrol(person)
    const typed = { login: 'kim', password: kim.password, otp: '' }
    await assert.rejects(signIn(ports, typed, whence), { code: 'passkey-must-confirm' })
    const [code = ''] = await renewRecoveryCodes(ports, { ...person, hasPasskey: true })
    await assert.rejects(signIn(ports, typed, whence), { code: 'otp-required' })
    await signIn(ports, { ...typed, otp: code }, whence)
  })

  test('confirms its presence by a touch, in the session that asked, with a passkey of its own', async () => {
    const [lea, lou] = [await world.someone('lea'), await world.someone('lou')]
    const passkey = await enrol(await browse(lea))
    const theirs = await enrol(await browse(lou))
    const [person, elsewhere] = [await signInWith(passkey), await signInWith(passkey)]
    world.advance(11 * 60_000)
    const wish = await beginPasskeyConfirm(ports, person)
    await assert.rejects(
      confirmByPasskey(ports, elsewhere, uses(wish, passkey)),
      why('it answers another request'),
    )
    await assert.rejects(
      confirmByPasskey(ports, person, uses(wish, theirs)),
      why('it belongs to another account'),
    )
    await confirmByPasskey(ports, person, uses(await beginPasskeyConfirm(ports, person), passkey))
    assert.ok(person.credential.kind === 'session')
    const fresh = (await ports.store.identity.listSessions(lea.id)).filter(
      each => each.freshUntil > world.now(),
    )
    assert.deepEqual(
      fresh.map(({ id }) => id),
      [person.credential.id],
    )
  })

  test('needs no password, and keeps its last way in', async () => {
    const max = await world.someone('max')
    const person = await browse(max)
    await assert.rejects(removePassword(ports, person), { code: 'last-way-in' })
    const [one, two] = [await enrol(person, 'one'), await enrol(person, 'two')]
    await removePassword(ports, person)
    const typed = { login: 'max', password: max.password, otp: '' }
    await assert.rejects(signIn(ports, typed, whence), { code: 'bad-credentials' })
    const results = await Promise.allSettled([one, two].map(({ id }) => removePasskey(ports, person, id)))
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    assert.equal((await listOwnPasskeys(ports, person)).length, 1)
  })

  test('can be made by an invitation without ever having a password', async () => {
    const link = await invite(ports, operator, 'nora@people.example', [])
    const passkey = makeSoftwarePasskey(origin)
    const answer = { ...makes(beginSignUp(ports), passkey), name: 'telephone' }
    const applicant = { login: 'nora', email: '', password: '', passkey: answer }
    const account = await acceptInvitation(ports, link.split('/').at(-1) ?? '', applicant, whence)
    assert.deepEqual([account.passwordHash, account.hasPasskey], [null, true])
    const person = await signInWith(passkey)
    assert.deepEqual([person.login, (await listOwnPasskeys(ports, person))[0]?.name], ['nora', 'telephone'])
    await assert.rejects(signIn(ports, { login: 'nora', password: '', otp: '' }, whence))
  })
})

test('after a move to another host name the account page names the passkeys that work no longer', async t => {
  const mia = await world.someone('mia')
  const passkey = await enrol(await browse(mia), 'old laptop')
  const { secret } = await signInByPasskey(ports, uses(beginPasskeySignIn(ports), passkey), whence)
  const read = async (url: string, config: Config) => {
    const cookie = formatSessionCookie(config, secret).split(';')[0] ?? ''
    return (await fetch(`${url}/account/security`, { headers: { cookie } })).text()
  }
  assert.doesNotMatch(await read(world.url, ports.config), /of another host name/)
  const { data, database } = ports.config
  const flags = { data, port: '0', ...(database === undefined ? {} : { database }) }
  const config = readConfig({ ...flags, publicUrl: 'https://new.example' }, {})
  const moved = await startInstance(config, { request() {}, say() {}, flush() {} }, world.now)
  t.after(() => moved.stop())
  const page = await read(moved.url, config)
  assert.match(page, /1 passkey of another host name.*<code>localhost<\/code>/s)
  assert.match(page, /Next: add a passkey/)
})
