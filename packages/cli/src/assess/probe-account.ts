// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { demand, type ProbeInstance } from './probe.ts'
import { describeReply, type ProbeClient, readObject } from './probe-client.ts'

/** A person with an account, made the way people get one: by an invitation. */
export interface ProbeAccount {
  readonly login: string
  readonly password: string
  /** What signing in from the command line gives: everything the account may do. */
  readonly token: string
}

/** Limits of a token in the words of npm's `POST /-/npm/v1/tokens`. */
export type WantedLimits = Readonly<Record<string, unknown>>

/** Accepts an invitation in the browser's form, then signs in as `npm login --auth-type=legacy` does. */
export async function openProbeAccount(instance: ProbeInstance, client: ProbeClient): Promise<ProbeAccount> {
  const login = `probe-${randomBytes(5).toString('hex')}`
  const password = randomBytes(18).toString('base64url')
  const link = (await instance.operate('invite', '--email', `${login}@probe.example`)).trim()
  const { pathname } = new URL(link)
  const form = await fetch(instance.url + pathname, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: new URL(instance.url).origin },
    body: new URLSearchParams({ login, password }),
  })
  demand(form.status === 303 || form.status === 302, `an invitation must make an account: ${form.status}`)
  const body = JSON.stringify({ _id: `org.couchdb.user:${login}`, name: login, password, type: 'user' })
  const signedIn = await client.ask('PUT', `/npm/-/user/org.couchdb.user:${login}`, { body, token: '' })
  demand(signedIn.status === 201, `signing in must give a token, and answers ${describeReply(signedIn)}`)
  return { login, password, token: String(JSON.parse(signedIn.body.toString())['token']) }
}

/** A token of the account with fewer rights, made as `npm token create` does. */
export async function makeLimitedToken(
  client: ProbeClient,
  account: ProbeAccount,
  limits: WantedLimits,
): Promise<string> {
  const body = JSON.stringify({ name: 'probe', password: account.password, ...limits })
  const reply = await client.ask('POST', '/npm/-/npm/v1/tokens', { body, token: account.token })
  const token = readObject(reply, 'making a token')['token']
  demand(typeof token === 'string' && token !== '', 'making a token must answer with its secret')
  return token
}
