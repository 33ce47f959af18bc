// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { inviteProbe, openProbeBrowser, type ProbeBrowser, type ProbePage } from '../probe-browser.ts'
import { describeReply, encodeName, openProbeClient, type ProbeClient, type Reply } from '../probe-client.ts'
import { makePublishBody } from '../sample-package.ts'
import type { Faults, SoftwarePasskey } from '../software-passkey.ts'

/** Somebody with a password and two passkeys. */
interface Person {
  readonly login: string
  readonly password: string
  readonly browser: ProbeBrowser
  readonly passkeys: readonly [SoftwarePasskey, SoftwarePasskey]
}

/** Adds two passkeys, signs in with each, is refused with everything that a phisher could get, and publishes by a touch. */
export const webauthn: Probe = {
  capability: 'authn-2-webauthn',
  async run(instance) {
    const person = await makePerson(instance)
    return [
      ...(await showSeveralKeys(person)),
      ...(await showPasswordIsNotEnough(person)),
      ...(await showRefusals(person)),
      ...(await showStepUp(instance, person)),
    ]
  },
}

async function makePerson(instance: ProbeInstance): Promise<Person> {
  const browser = openProbeBrowser(instance)
  const { login, path } = await inviteProbe(instance)
  const password = randomBytes(18).toString('base64url')
  const made = await browser.post(path, { login, password })
  demand(made.status === 303, `an invitation must make an account: ${made.status}`)
  const add = async (name: string) => {
    const { page, passkey } = await browser.create('/account/passkeys/new', { name })
    demand(page.status === 303, `a passkey must be added: ${page.status}`)
    return passkey
  }
  const first = await add('laptop')
  await touchFirst(browser, first)
  return { login, password, browser, passkeys: [first, await add('key in the drawer')] }
}

/** A session that a phished password and code would open makes no passkey where there is one. */
async function touchFirst(browser: ProbeBrowser, first: SoftwarePasskey): Promise<void> {
  const path = '/account/passkeys/new'
  const early = await browser.get(path)
  demand(early.status === 303, `another passkey must want the touch of the first: ${early.status}`)
  const confirmed = await browser.touch(`/confirm?with=passkey&next=${encodeURIComponent(path)}`, first)
  demand(confirmed.status === 303, `a touch must confirm: ${confirmed.status}`)
}

async function showSeveralKeys({ browser, passkeys }: Person): Promise<Evidence> {
  const { text } = await browser.get('/account/security')
  demand(
    text.includes('laptop') && text.includes('key in the drawer'),
    'the account must list both passkeys by name',
  )
  for (const passkey of passkeys)
    demandSignedIn(await browser.fresh().touch('/sign-in', passkey), 'each passkey must sign in')
  return ['an account has two passkeys with names, each signs in, and the second took the touch of the first']
}

async function showPasswordIsNotEnough({ login, password, browser }: Person): Promise<Evidence> {
  const reply = await browser.fresh().post('/sign-in', { login, password })
  demand(reply.status !== 303, 'the password alone must not sign in an account with passkeys')
  return [`the right password without a passkey is refused: ${reply.status}`]
}

/** What a page of somebody else's, a copied key or a stolen answer would send. */
const attempts: readonly (readonly [what: string, faults: Faults])[] = [
  ['made on another site', { origin: 'https://registry.phish.example' }],
  ['made for another site', { rpId: 'phish.example' }],
  ['for another challenge', { challenge: randomBytes(32).toString('base64url') }],
  ['without PIN, finger or face', { isUnverified: true }],
  ['with a wrong signature', { isForged: true }],
  ['with a counter that went back', { counter: 1 }],
  ['in the name of another account', { userHandle: 'YV9zb21lYm9keV9lbHNl' }],
]

async function showRefusals({ browser, passkeys: [passkey] }: Person): Promise<Evidence> {
  demandSignedIn(await browser.fresh().touch('/sign-in', passkey), 'a right answer must sign in')
  for (const [what, faults] of attempts) {
    const reply = await browser.fresh().touch('/sign-in', passkey, {}, faults)
    demand(reply.status === 401, `an answer ${what} must be refused, and is answered ${reply.status}`)
  }
  return [...attempts.map(([what]) => `an answer ${what} is refused`), await showReplay(browser, passkey)]
}

async function showReplay(browser: ProbeBrowser, passkey: SoftwarePasskey): Promise<string> {
  const { challenge, options } = await browser.fresh().wish('/sign-in')
  const answer = passkey.get({ challenge: String(options['challenge']), rpId: String(options['rpId']) })
  const send = () => browser.fresh().post('/sign-in', { challenge, passkey: answer })
  demandSignedIn(await send(), 'a right answer must sign in')
  const again = await send()
  demand(again.status === 401, `an answer given twice must be refused, and is answered ${again.status}`)
  return 'an answer given twice is refused'
}

/** A token alone, however it was stolen, publishes nothing: each command waits for a touch of its own. */
async function showStepUp(instance: ProbeInstance, person: Person): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const token = await loginByPage(client, person)
  const sample = { name: client.nameOf('touched'), version: '1.0.0' }
  const publish = (more: Readonly<Record<string, string>>) =>
    send(instance, `/npm/${encodeName(sample.name)}`, token, makePublishBody(sample), more)
  const asked = await publish({ 'npm-auth-type': 'web' })
  demand(asked.status === 401, `a token alone must not publish: ${describeReply(asked)}`)
  const { authUrl, doneUrl } = JSON.parse(asked.body.toString()) as Record<string, string>
  const otp = await approve(client, person, String(authUrl), String(doneUrl))
  const published = await publish({ 'npm-auth-type': 'web', 'npm-otp': otp })
  demand(published.status === 201, `after the touch it must publish: ${describeReply(published)}`)
  return ['a command line signs in by a touch', 'publishing waits for a touch of its own, and then passes']
}

async function loginByPage(client: ProbeClient, person: Person): Promise<string> {
  const begun = await client.ask('POST', '/npm/-/v1/login', { body: '{}', token: '' })
  const { loginUrl, doneUrl } = JSON.parse(begun.body.toString()) as Record<string, string>
  return approve(client, person, String(loginUrl), String(doneUrl))
}

async function approve(client: ProbeClient, person: Person, page: string, done: string): Promise<string> {
  const path = new URL(page).pathname
  const untouched = await person.browser.post(path, { answer: 'approve' })
  demand(untouched.status !== 200, 'a session without a touch must approve nothing')
  const approved = await person.browser.touch(path, person.passkeys[0], { answer: 'approve' })
  demand(approved.status === 200, `a touch must approve: ${approved.status}`)
  const { pathname, search } = new URL(done)
  const polled = await client.ask('GET', pathname + search, { token: '' })
  demand(polled.status === 200, `an approved command must go on: ${describeReply(polled)}`)
  return String(JSON.parse(polled.body.toString())['token'])
}

async function send(
  instance: ProbeInstance,
  path: string,
  token: string,
  body: string,
  more: Readonly<Record<string, string>>,
): Promise<Reply> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more }
  const reply = await fetch(instance.url + path, { method: 'PUT', headers, body })
  return { status: reply.status, headers: reply.headers, body: Buffer.from(await reply.arrayBuffer()) }
}

function demandSignedIn({ status }: ProbePage, what: string): void {
  demand(status === 303, `${what}, and is answered ${status}`)
}
