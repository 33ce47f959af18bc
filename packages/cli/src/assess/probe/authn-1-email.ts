// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { type MailSink, openMailSink } from '../mail-sink.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { basicOf, type FormBrowser, linkIn, openFormBrowser } from '../probe-person.ts'
import { makePublishBody } from '../sample-package.ts'

/** Before its address is proven an account does nothing for others; afterwards it does. */
export const provenEmail: Probe = { capability: 'authn-1-email', run }

async function run(instance: ProbeInstance): Promise<Evidence> {
  const sink = await openMailSink()
  try {
    const settings = { HOLDFAST_SIGN_UP: 'open', HOLDFAST_MFA: 'optional', HOLDFAST_SMTP: sink.url }
    const other = await instance.startOther(settings)
    await other.operate('host', '*')
    return await tryBeforeAndAfter(other, sink)
  } finally {
    sink.close()
  }
}

async function tryBeforeAndAfter(instance: ProbeInstance, sink: MailSink): Promise<Evidence> {
  const login = `probe-${randomBytes(5).toString('hex')}`
  const [email, password] = [`${login}@probe.example`, randomBytes(18).toString('base64url')]
  const browser = openFormBrowser(instance)
  const signedUp = await browser.post('/sign-up', { login, email, password })
  demand(signedUp.status === 303, `signing up must work, and answers ${signedUp.status}`)
  const publish = () => publishAs(instance, login, password)
  const early = await publish()
  demand(
    early.status === 403 && /address is not verified/.test(early.text),
    `publishing must be refused before the address is proven, and answers ${early.status} ${early.text}`,
  )
  const token = await browser.post('/account/tokens/new', { name: 'probe', permission: 'read-write' })
  demand(token.status === 403, `making a token must be refused before the address is proven: ${token.status}`)
  await checkGuess(browser)
  await prove(browser, sink, email)
  const late = await publish()
  demand(late.status === 201, `publishing must work once the address is proven: ${late.status} ${late.text}`)
  return [
    'an account with an unproven address is refused to publish (403, and told why) and to make a token',
    'the link of the letter proves the address by a form, not by being looked at; a made-up link proves nothing',
    'with the address proven the same publish is taken',
  ]
}

async function checkGuess(browser: FormBrowser): Promise<void> {
  const guessed = await browser.post('/verify/a_0000000000000000.made-up', {})
  demand(guessed.status >= 400, `a made-up link must prove nothing: ${guessed.status}`)
}

async function prove(browser: FormBrowser, sink: MailSink, email: string): Promise<void> {
  const letter = await sink.find(email, /Confirm/)
  const path = linkIn(letter?.text, /(\/verify\/\S+)/)
  demand(path !== '', `a letter with a link must go to ${email}`)
  const looked = await browser.get(path)
  demand(looked.status === 200, `the link must lead to a page: ${looked.status}`)
  const done = await browser.post(path, {})
  demand(done.status === 303, `the form behind the link must prove the address: ${done.status}`)
}

async function publishAs(
  instance: ProbeInstance,
  login: string,
  password: string,
): Promise<{ status: number; text: string }> {
  const name = `${login}-first`
  const reply = await fetch(`${instance.url}/npm/${name}`, {
    method: 'PUT',
    headers: {
      authorization: basicOf({ login, password }),
      'content-type': 'application/json',
    },
    body: makePublishBody({ name, version: '1.0.0' }),
  })
  return { status: reply.status, text: await reply.text() }
}
