// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openProbeAccount } from '../probe-account.ts'
import { enrolAuthenticator } from '../probe-authenticator.ts'
import { openProbeBrowser, type ProbeBrowser } from '../probe-browser.ts'
import { describeReply, encodeName, openProbeClient, type ProbeClient, type Reply } from '../probe-client.ts'
import { makePublishBody } from '../sample-package.ts'

/** A maintainer with codes alone is refused on a critical package and told what to do; a touch of a passkey passes. */
export const criticalPhishing: Probe = { capability: 'authn-3-critical-phishing', run }

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const account = await openProbeAccount(instance, client)
  // Before the authenticator: afterwards a browser is asked for a code.
  const browser = openProbeBrowser(instance)
  const signedIn = await browser.post('/sign-in', { login: account.login, password: account.password })
  demand(signedIn.status === 303, `the account must sign in: ${signedIn.status}`)
  const { token, codes } = await enrolAuthenticator(client, account)
  const name = client.nameOf('phished')
  const publish = (version: string, headers = {}) => put(instance, name, version, token, headers)
  const first = await publish('1.0.0')
  demand(first.status === 201, `with an authenticator it must publish: ${describeReply(first)}`)
  await instance.operate('mark', name, '--words', 'marked by a probe')
  const refused = await publish('1.1.0')
  demand(refused.status === 403, `codes alone must not change a critical package: ${describeReply(refused)}`)
  demand(/passkey.*https?:\/\//s.test(refused.body.toString()), 'the refusal must say where to add a passkey')
  const { passkey, page } = await browser.create('/account/passkeys/new', { name: 'probe' })
  demand(page.status === 303, `a passkey must be added: ${page.status}`)
  const byCode = await publish('1.1.0', { 'npm-otp': codes[0] ?? '' })
  demand(byCode.status >= 400, `a code must not do, though there is a passkey: ${describeReply(byCode)}`)
  const asked = await publish('1.1.0', { 'npm-auth-type': 'web' })
  const otp = await touch(client, browser, asked, path => browser.touch(path, passkey, { answer: 'approve' }))
  const published = await publish('1.1.0', { 'npm-auth-type': 'web', 'npm-otp': otp })
  demand(published.status === 201, `after a touch it must publish: ${describeReply(published)}`)
  return [
    'a maintainer with an authenticator publishes while the package is not critical',
    `critical, it refuses them and says what to do: ${errorOf(refused)}`,
    'with a passkey added, a code still does not do',
    'the same publish passes after a touch of the passkey',
  ]
}

async function touch(
  client: ProbeClient,
  browser: ProbeBrowser,
  asked: Reply,
  approve: (path: string) => ReturnType<ProbeBrowser['get']>,
): Promise<string> {
  const { authUrl, doneUrl } = JSON.parse(asked.body.toString()) as Record<string, string>
  demand(authUrl !== undefined && doneUrl !== undefined, `a page must be offered: ${describeReply(asked)}`)
  const seen = await browser.get(new URL(authUrl).pathname)
  demand(seen.status === 200, `the page to approve on must open: ${seen.status}`)
  const approved = await approve(new URL(authUrl).pathname)
  demand(approved.status === 200, `a touch must approve: ${approved.status}`)
  const { pathname, search } = new URL(doneUrl)
  const polled = await client.ask('GET', pathname + search, { token: '' })
  return String((JSON.parse(polled.body.toString()) as Record<string, unknown>)['token'] ?? '')
}

function errorOf({ body }: Reply): string {
  return String((JSON.parse(body.toString()) as Record<string, unknown>)['error'])
}

async function put(
  instance: ProbeInstance,
  name: string,
  version: string,
  token: string,
  more: Readonly<Record<string, string>>,
): Promise<Reply> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more }
  const body = makePublishBody({ name, version })
  const reply = await fetch(`${instance.url}/npm/${encodeName(name)}`, { method: 'PUT', headers, body })
  return { status: reply.status, headers: reply.headers, body: Buffer.from(await reply.arrayBuffer()) }
}
