// SPDX-License-Identifier: Apache-2.0
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { openProbeAccount, type ProbeAccount } from '../probe-account.ts'
import { enrolAuthenticator } from '../probe-authenticator.ts'
import { describeReply, encodeName, openProbeClient, type ProbeClient, type Reply } from '../probe-client.ts'
import { makePublishBody } from '../sample-package.ts'

/** Nothing publishes on a password alone, whatever way in is tried; with a second factor the same publish passes. */
export const allMfa: Probe = { capability: 'authn-3-all-mfa', run }

async function run(instance: ProbeInstance): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const account = await openProbeAccount(instance, client)
  const name = client.nameOf('alone')
  const refused: string[] = []
  for (const [what, publish] of waysIn(instance, client, account, name)) {
    const reply = await publish()
    demand(reply.status === 401 || reply.status === 403, `${what} must not publish: ${describeReply(reply)}`)
    refused.push(`${what}: ${reply.status}`)
  }
  const reply = await client.publish({ name, version: '1.0.0' }, account.token)
  const { error = '' } = JSON.parse(reply.body.toString()) as { error?: string }
  demand(/https?:\/\/\S+/.test(error), `the refusal must say where to enrol, and says ${error}`)
  await showNoExceptionWithout(client, account)
  const enrolled = await enrolAuthenticator(client, account)
  const early = await client.publish({ name, version: '1.0.0' }, account.token)
  demand(early.status === 401, `a token from before must ask for the second factor: ${describeReply(early)}`)
  const published = await client.publish({ name, version: '1.0.0' }, enrolled.token)
  demand(published.status === 201, `with a second factor it must publish: ${describeReply(published)}`)
  return [
    ...refused.map(each => `refused to an account with a password alone, by ${each}`),
    `the refusal says what to do: ${error}`,
    'a token that skips the second factor is not made with a password alone',
    'a token that the password alone made before asks for the second factor afterwards',
    'after setting up an authenticator and signing in with it the same publish passes',
  ]
}

type WayIn = readonly [what: string, publish: () => Promise<Reply>]

function waysIn(
  instance: ProbeInstance,
  client: ProbeClient,
  account: ProbeAccount,
  name: string,
): readonly WayIn[] {
  const body = makePublishBody({ name, version: '1.0.0' })
  const basic = Buffer.from(`${account.login}:${account.password}`).toString('base64')
  return [
    ['the token of a sign-in', () => client.publish({ name, version: '1.0.0' }, account.token)],
    ['the password with the request', () => put(instance, name, body, `Basic ${basic}`)],
    [
      'a token made for publishing',
      async () => client.publish({ name, version: '1.0.0' }, await makeToken(client, account)),
    ],
  ]
}

async function makeToken(client: ProbeClient, account: ProbeAccount): Promise<string> {
  const reply = await askForToken(client, account, {})
  return String((JSON.parse(reply.body.toString()) as Record<string, unknown>)['token'] ?? '')
}

async function showNoExceptionWithout(client: ProbeClient, account: ProbeAccount): Promise<void> {
  const reply = await askForToken(client, account, { bypass_2fa: true })
  demand(
    reply.status === 401 || reply.status === 403,
    `a password alone must not make a token that skips the second factor: ${describeReply(reply)}`,
  )
}

function askForToken(client: ProbeClient, account: ProbeAccount, more: object): Promise<Reply> {
  const rights = { packages_all: true, packages_and_scopes_permission: 'read-write' }
  const body = JSON.stringify({ name: 'probe', password: account.password, ...rights, ...more })
  return client.ask('POST', '/npm/-/npm/v1/tokens', { body, token: account.token })
}

async function put(
  instance: ProbeInstance,
  name: string,
  body: string,
  authorization: string,
): Promise<Reply> {
  const headers = { authorization, 'content-type': 'application/json' }
  const reply = await fetch(`${instance.url}/npm/${encodeName(name)}`, { method: 'PUT', headers, body })
  return { status: reply.status, headers: reply.headers, body: Buffer.from(await reply.arrayBuffer()) }
}
