// SPDX-License-Identifier: Apache-2.0
/** Twins that are like the real instance but for one thing about passkeys: the probes must notice each. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { webauthn } from '../src/assess/probe/authn-2-webauthn.ts'
import { passkeys } from '../src/assess/probe/authn-3-passkeys.ts'
import type { Probe } from '../src/assess/probe.ts'
import { type Answer, type Asked, accepted, startTwin, type Tamper } from './broken-twin.ts'
import { type ProbedInstance, startInstance } from './instance.ts'

let real: ProbedInstance

before(async () => {
  real = await startInstance()
  await real.operate('host', '*')
})
after(() => real.stop())

async function assertCaught(probe: Probe, why: RegExp, tamper: Tamper): Promise<void> {
  const twin = await startTwin(real.url, tamper)
  const operate = async (...args: string[]) => (args[0] === 'host' ? '' : real.operate(...args))
  try {
    await assert.rejects(probe.run({ url: twin.url, operate, startOther: real.startOther }), why)
  } finally {
    twin.close()
  }
}

const led: Answer = { status: 303, type: 'text/html', body: Buffer.from('') }
const isSignIn = ({ method, path }: Asked) => method === 'POST' && path === '/sign-in'
const isRefused = ({ status }: Answer) => status >= 400 && status < 500

/** What the browser said that it signed, out of a posted form. */
function saidOf({ body }: Asked): { origin?: string; counter?: number; isVerified?: boolean } {
  const answer = new URLSearchParams(body.toString()).get('passkey')
  if (answer === null || answer === '') return {}
  const { clientDataJSON, authenticatorData } = JSON.parse(answer).response
  const data = Buffer.from(authenticatorData ?? '', 'base64url')
  return {
    origin: JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()).origin,
    ...(data.length < 37 ? {} : { counter: data.readUInt32BE(33), isVerified: (data.at(32) ?? 0) >= 4 }),
  }
}

/** An instance that lets in what the real one refuses, where this says so. */
const lenient =
  (isOn: (asked: Asked) => boolean): Tamper =>
  (asked, answer) =>
    isSignIn(asked) && isRefused(answer) && isOn(asked) ? led : answer

describe('the probe of WebAuthn notices an instance', { concurrency: 2 }, () => {
  test('that takes answers made on another site', () =>
    assertCaught(
      webauthn,
      /made on another site must be refused/,
      lenient(asked => saidOf(asked).origin?.includes('phish') === true),
    ))

  test('that takes answers without PIN, finger or face', () =>
    assertCaught(
      webauthn,
      /without PIN, finger or face must be refused/,
      lenient(asked => saidOf(asked).isVerified === false),
    ))

  test('that does not look at the counter', () =>
    assertCaught(
      webauthn,
      /counter that went back must be refused/,
      lenient(asked => saidOf(asked).counter === 1),
    ))

  test('that takes an answer twice', () => {
    const seen = new Set<string>()
    return assertCaught(webauthn, /given twice must be refused/, (asked, answer) => {
      const text = asked.body.toString()
      const isAgain = seen.has(text)
      seen.add(text)
      return isSignIn(asked) && isAgain && text.includes('passkey=') ? led : answer
    })
  })

  test('where the password alone signs in', () =>
    assertCaught(
      webauthn,
      /password alone must not sign in/,
      lenient(asked => asked.body.includes('password=')),
    ))

  test('that keeps one key for each account', () => {
    let added = 0
    return assertCaught(webauthn, /a passkey must be added/, (asked, answer) => {
      if (asked.method === 'POST' && asked.path === '/account/passkeys/new') added += 1
      return added > 1 && asked.path === '/account/passkeys/new' ? { ...led, status: 409 } : answer
    })
  })

  test('where a session approves without a touch', () =>
    assertCaught(webauthn, /without a touch must approve nothing/, (asked, answer) =>
      asked.path.startsWith('/login/cli/') && isRefused(answer) ? { ...led, status: 200 } : answer,
    ))

  test('where a token publishes by itself', () =>
    assertCaught(webauthn, /a token alone must not publish/, (asked, answer) =>
      asked.method === 'PUT' && asked.body.includes('_attachments') && isRefused(answer) ? accepted : answer,
    ))
})

describe('the probe of passkeys notices an instance', { concurrency: 2 }, () => {
  const changed =
    (from: string, to: string): Tamper =>
    (_, answer) => ({ ...answer, body: Buffer.from(answer.body.toString().replaceAll(from, to)) })

  test('whose passkeys are not discoverable', () =>
    assertCaught(
      passkeys,
      /must be discoverable/,
      changed('residentKey&quot;:&quot;required', 'residentKey&quot;:&quot;preferred'),
    ))

  test('that does not ask for PIN, finger or face', () =>
    assertCaught(
      passkeys,
      /must ask for PIN/,
      changed('userVerification&quot;:&quot;required', 'userVerification&quot;:&quot;preferred'),
    ))

  test('that wants a password with each account', () =>
    assertCaught(passkeys, /must make an account without a password/, (asked, answer) =>
      asked.method === 'POST' && asked.path.startsWith('/invitation/') ? { ...led, status: 400 } : answer,
    ))

  test('whose passkeys do not sign in by themselves', () =>
    assertCaught(passkeys, /must sign in by itself/, (asked, answer) =>
      isSignIn(asked) ? { ...led, status: 401 } : answer,
    ))

  test('where any password signs in to an account without one', () =>
    assertCaught(passkeys, /no password must sign in/, (asked, answer) =>
      asked.path.includes('org.couchdb.user') && isRefused(answer) ? accepted : answer,
    ))

  test('that lets the last way in be removed', () =>
    assertCaught(passkeys, /last way in must not be removed/, (asked, answer) =>
      asked.path === '/account/security' && isRefused(answer) ? led : answer,
    ))
})
