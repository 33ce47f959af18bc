// SPDX-License-Identifier: Apache-2.0
/** What people do in the browser, done through the same flows on the folder at hand while the server runs. */
import { Secret, TOTP } from 'otpauth'
import { acceptInvitation, createOrg, denyApproval, grantApproval, signIn } from '../../src/flow/index.ts'
import { type Account, type Actor, toPerson } from '../../src/identity/index.ts'
import { openPorts, type Ports, readConfig } from '../../src/main.ts'
import type { Registry } from './registry.ts'

/** Somebody with an account, a proven address and a password. */
export interface Person {
  readonly login: string
  readonly password: string
  readonly email: string
  /** Makes an organisation that this person owns. */
  createOrg(name: string): Promise<void>
  /** Opens the page of a command line's wish and agrees, or refuses. */
  decide(pageUrl: string, decision: 'grant' | 'deny', otp?: string): Promise<void>
}

/** The codes of an authenticator: each works once, and three steps are good at any moment. */
export function authenticator(secret: string): () => string {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) })
  let step = -1
  return () => {
    const code = totp.generate({ timestamp: Date.now() + step * 30_000 })
    step += 1
    return code
  }
}

const from = { address: '127.0.0.1', client: 'a browser', web: false }

/** Invites somebody and accepts for them. */
export async function makePerson(registry: Registry, login: string): Promise<Person> {
  const [password, email] = [`a long password of ${login.length} things, 7351`, `${login}@people.example`]
  const link = await registry.operate('invite', '--email', email)
  const secret = new URL(link).pathname.split('/').at(-1) ?? ''
  await behind(registry, ports => acceptInvitation(ports, secret, { login, email, password }, from))
  const asSignedIn = (otp: string, act: (ports: Ports, actor: Actor) => Promise<unknown>) =>
    behind(registry, async ports => act(ports, await browser(ports, login, password, otp)))
  return {
    login,
    password,
    email,
    createOrg: name => asSignedIn('', (ports, actor) => createOrg(ports, actor, name)),
    decide: (pageUrl, decision, otp = '') => {
      const page = new URL(pageUrl).pathname.split('/').at(-1) ?? ''
      const act = decision === 'grant' ? grantApproval : denyApproval
      return asSignedIn(otp, (ports, actor) => act(ports, actor, page))
    },
  }
}

/** A token as `npm login` gets it, by the password. */
export async function signInAs(registry: Registry, { login, password }: Person): Promise<string> {
  const answer = await registry.call(`/-/user/org.couchdb.user:${login}`, {
    method: 'PUT',
    body: { _id: `org.couchdb.user:${login}`, name: login, password },
  })
  return ((await answer.json()) as { token: string }).token
}

/** Switches the second factor on for all writes, as `npm profile enable-2fa` does; answers with the recovery codes. */
export async function enableTfa(registry: Registry, person: Person, token: string): Promise<string[]> {
  const change = async (tfa: unknown) => {
    const answer = await registry.call('/-/npm/v1/user', { method: 'POST', token, body: { tfa } })
    return ((await answer.json()) as { tfa: string & string[] }).tfa
  }
  const address = await change({ password: person.password, mode: 'auth-and-writes' })
  const nextCode = authenticator(new URL(address).searchParams.get('secret') ?? '')
  return change([nextCode()])
}

/** Somebody with a fresh session. */
async function browser(ports: Ports, login: string, password: string, otp: string): Promise<Actor> {
  const { session } = await signIn(ports, { login, password, otp }, from)
  const account = (await ports.store.identity.findAccount(session.accountId)) as Account
  return toPerson(account, { kind: 'session', id: session.id, freshUntil: session.freshUntil }, from)
}

async function behind(registry: Registry, act: (ports: Ports) => Promise<unknown>): Promise<void> {
  const opened = await openPorts(readConfig({ data: registry.data, publicUrl: registry.url }, {}))
  try {
    await act(opened.ports)
  } finally {
    await opened.close()
  }
}
