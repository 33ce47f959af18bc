// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { enrolOnPage } from '../enrolment.ts'
import { type MailSink, openMailSink } from '../mail-sink.ts'
import { loginAsNpm } from '../npm-login.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { linkIn, openPerson, type ProbePerson } from '../probe-person.ts'
import { makePublishBody } from '../sample-package.ts'

/** Every critical change of an account is told by mail, as it arrives at a real mail server. */
export const notices: Probe = { capability: 'authn-1-notify', run }

interface Scene {
  readonly instance: ProbeInstance
  readonly sink: MailSink
  readonly who: ProbePerson
}

/** What is changed, by whom it is heard, and how. */
const changes: readonly (readonly [what: string, change: (scene: Scene) => Promise<void>])[] = [
  ['a new password', changePassword],
  ['a token that is made', makeToken],
  ['a new primary address, at the old and the new one', changeAddress],
  ['an owner who comes', addOwner],
  ['a recovery that begins', beginRecovery],
  ['a second factor that goes on, and off', switchFactor],
]

async function run(shared: ProbeInstance): Promise<Evidence> {
  const sink = await openMailSink()
  try {
    const instance = await shared.startOther({ HOLDFAST_SMTP: sink.url, HOLDFAST_MFA: 'optional' })
    await instance.operate('host', '*')
    for (const [, change] of changes) await change({ instance, sink, who: await openPerson(instance) })
    return changes.map(([what]) => `${what} is told by mail`)
  } finally {
    sink.close()
  }
}

async function told({ sink }: Scene, to: string, subject: RegExp): Promise<string> {
  const letter = await sink.find(to, subject)
  demand(letter !== undefined, `a letter about ${subject.source} must come to ${to}`)
  return letter.text
}

async function changePassword(scene: Scene): Promise<void> {
  const { browser, password, email } = scene.who
  const fresh = randomBytes(18).toString('base64url')
  await browser.post('/account/password', { old: password, new: fresh, again: fresh })
  await told(scene, email, /password of your account was changed/)
}

async function makeToken(scene: Scene): Promise<void> {
  const login = await loginAsNpm(scene.instance, scene.who)
  demand(login.status === 201, `signing in must work: ${login.status}`)
  await told(scene, scene.who.email, /command line .*signed in/)
  const headers = { authorization: `Bearer ${login.token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ password: scene.who.password, name: 'noticed', packages: ['noticed-*'] })
  await fetch(`${scene.instance.url}/npm/-/npm/v1/tokens`, { method: 'POST', headers, body })
  await told(scene, scene.who.email, /token named 'noticed' was made/)
}

async function changeAddress(scene: Scene): Promise<void> {
  const { browser, email } = scene.who
  const second = `second-${email}`
  await browser.post('/account/addresses', { act: 'add', email: second })
  const link = linkIn(await told(scene, second, /Confirm/), /(\/verify\/\S+)/)
  await browser.post(link, {})
  await told(scene, email, /was added to your account/)
  await browser.post('/account/addresses', { act: 'primary', email: second })
  for (const each of [email, second]) await told(scene, each, /primary mail address .* was changed/)
}

async function addOwner(scene: Scene): Promise<void> {
  const { token } = await loginAsNpm(scene.instance, scene.who)
  const friend = await openPerson(scene.instance)
  const name = `${scene.who.login}-owned`
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const send = (path: string, body: string) =>
    fetch(`${scene.instance.url}/npm/${path}`, { method: 'PUT', headers, body })
  const published = await send(name, makePublishBody({ name, version: '1.0.0' }))
  demand(published.status === 201, `publishing must work: ${published.status} ${await published.text()}`)
  await send(`-/package/${name}/owners`, JSON.stringify({ user: friend.login }))
  await told(scene, friend.email, /You are now/)
}

async function beginRecovery(scene: Scene): Promise<void> {
  const { browser, login, email } = scene.who
  await browser.post('/recover', { name: login })
  const link = linkIn(await told(scene, email, /way back/), /(\/recover\/\S+)/)
  await browser.post(link, { otp: '' })
  await told(scene, email, /recovery of your account has begun/)
}

async function switchFactor(scene: Scene): Promise<void> {
  const { browser, password, email } = scene.who
  await enrolOnPage(scene.who)
  await told(scene, email, /switched on/)
  await browser.post('/account/second-factor', { act: 'end', password })
  await told(scene, email, /switched OFF/)
}
