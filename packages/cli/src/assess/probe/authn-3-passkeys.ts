// SPDX-License-Identifier: Apache-2.0

import { demand, type Evidence, type Probe } from '../probe.ts'
import { inviteProbe, openProbeBrowser, type ProbeBrowser } from '../probe-browser.ts'
import { describeReply, openProbeClient, type ProbeClient } from '../probe-client.ts'
import type { SoftwarePasskey } from '../software-passkey.ts'

/** Makes an account that never has a password, signs in without saying a name, and cannot lose its last way in. */
export const passkeys: Probe = {
  capability: 'authn-3-passkeys',
  async run(instance) {
    const browser = openProbeBrowser(instance)
    const { login, path } = await inviteProbe(instance)
    const evidence = await showWish(browser, path)
    const { page, passkey } = await browser.create(path, { login })
    demand(page.status === 303, `a passkey must make an account without a password: ${page.status}`)
    return [
      ...evidence,
      'an account is made with a passkey and without a password',
      ...(await showSignIn(browser, login, passkey)),
      ...(await showNoPassword(await openProbeClient(instance), login)),
      ...(await showLastWayIn(browser, passkey)),
    ]
  },
}

/** The device is asked to keep the key under its owner's name, and to check its owner each time. */
async function showWish(browser: ProbeBrowser, path: string): Promise<Evidence> {
  const made = (await browser.wish(path)).options['authenticatorSelection'] as Record<string, unknown>
  demand(made?.['residentKey'] === 'required', 'new passkeys must be discoverable')
  demand(made['userVerification'] === 'required', 'making a passkey must ask for PIN, finger or face')
  const { options } = await browser.wish('/sign-in')
  demand(options['userVerification'] === 'required', 'signing in must ask for PIN, finger or face')
  const allowed = options['allowCredentials'] as readonly unknown[] | undefined
  demand(allowed === undefined || allowed.length === 0, 'signing in must ask for no name')
  return ['passkeys are discoverable, and PIN, finger or face is required']
}

async function showSignIn(browser: ProbeBrowser, login: string, passkey: SoftwarePasskey): Promise<Evidence> {
  const visitor = browser.fresh()
  const signedIn = await visitor.touch('/sign-in', passkey)
  demand(signedIn.status === 303, `the passkey must sign in by itself: ${signedIn.status}`)
  const { text } = await visitor.get('/account')
  demand(text.includes(login), 'whoever signs in by passkey must be the account it was made for')
  return ['signing in takes a touch: no name, no password, no code']
}

async function showNoPassword(client: ProbeClient, login: string): Promise<Evidence> {
  for (const password of ['', 'null', login]) {
    const body = JSON.stringify({ _id: `org.couchdb.user:${login}`, name: login, password, type: 'user' })
    const reply = await client.ask('PUT', `/npm/-/user/org.couchdb.user:${login}`, { body, token: '' })
    demand(reply.status >= 400, `no password must sign in such an account: ${describeReply(reply)}`)
  }
  return ['no password signs in to it']
}

async function showLastWayIn(browser: ProbeBrowser, passkey: SoftwarePasskey): Promise<Evidence> {
  const removed = await browser.post('/account/security', { act: 'remove', 'passkey-id': passkey.id })
  demand(removed.status === 409, `the last way in must not be removed: ${removed.status}`)
  const again = await browser.fresh().touch('/sign-in', passkey)
  demand(again.status === 303, `the passkey must work on: ${again.status}`)
  return ['the last passkey of an account without a password cannot be removed']
}
