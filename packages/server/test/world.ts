// SPDX-License-Identifier: Apache-2.0
/** A whole registry on a loopback port with a clock that tests move; `check` verifies everything it kept anew. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeLeaf, parseNamePattern } from '@holdfast/core'
import { acceptInvitation, hostNames, invite, type NewSession, signIn } from '../src/flow/index.ts'
import { formatSessionCookie, type Log } from '../src/http/index.ts'
import { type InstanceRole, operator, type TokenLimits, type Whence } from '../src/identity/index.ts'
import { type Instance, type Ports, readConfig, startInstance } from '../src/main.ts'
import { makeEndlessToken } from './endless-token.ts'
import { type BodyWishes, publishDocument } from './live.ts'
import { startPostgres } from './postgres.ts'
import { checkWorld } from './world-check.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape, and assert what they find
export type Json = any

/** An answer, read. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; undefined when it is none. */
  readonly body: Json
}

/** What goes out beside method and path. */
export interface Sent {
  readonly token?: string | undefined
  readonly otp?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, whatever it is. */
  readonly body?: unknown
}

/** Somebody with an account and a token that may do all they may. */
export interface Someone {
  readonly id: string
  readonly login: string
  readonly email: string
  readonly password: string
  readonly token: string
}

export interface World {
  readonly url: string
  readonly ports: Ports
  /** What was logged as a bug. */
  readonly errors: readonly string[]
  now(): number
  advance(ms: number): void
  /** A request below the npm mount: `GET /-/whoami`. */
  npm(line: string, sent?: Sent): Promise<Reply>
  /** A request to any path of the instance. */
  ask(line: string, sent?: Sent): Promise<Reply>
  someone(login: string, roles?: readonly InstanceRole[]): Promise<Someone>
  /** Ids of the tokens that were ended since this position of the feed, one for each event that says so. */
  endedSince(position: number): Promise<readonly string[]>
  token(who: Someone, limits?: Partial<TokenLimits>, expiresAt?: number): Promise<string>
  /** Signs in with a browser: the session, and its cookie. */
  browse(who: Someone, otp?: string): Promise<NewSession & { readonly cookie: string }>
  /** Publishes as npm does and expects it to work. */
  publish(who: Someone, name: string, version: string, wishes?: BodyWishes): Promise<void>
  /** The full document, read with a token. */
  document(name: string, token?: string): Promise<Json>
  check(): Promise<void>
  close(): Promise<void>
}

/** From here requests of tests come. */
export const whence: Whence = { address: '192.0.2.7', client: 'test/1.0', web: false }
export const dayMs = 24 * 3600_000
const start = Date.UTC(2026, 0, 5, 9)

/** Opens one; `flags` are keys of the configuration. Every name is hosted, unless some come from an origin. */
export async function openWorld(flags: Readonly<Record<string, string>> = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  const errors: string[] = []
  let now = start
  // People of most tests have no second factor; tests of that rule switch it on.
  const rules = { mfa: 'optional', ...flags }
  const config = readConfig({ data: folder, port: '0', ...(await databaseFlag()), ...rules }, {})
  const instance = await startInstance(config, logInto(errors), () => now)
  if (config.routes.length === 0) await hostNames(instance.ports, operator, [parseNamePattern('*')])
  return {
    ...callers(instance),
    ...makers(instance),
    url: instance.url,
    ports: instance.ports,
    errors,
    now: () => now,
    advance(ms) {
      now += ms
    },
    check: () => checkWorld(instance.ports),
    async endedSince(position) {
      const events = await instance.ports.store.events.read(position, 1000)
      const leaves = events.filter(({ type }) => type === 'token-revoke').map(({ leaf }) => leaf ?? '{}')
      return leaves.map(leaf => String(decodeLeaf(leaf)['subject']))
    },
    async close() {
      await instance.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** With `HOLDFAST_TEST_POSTGRES=1` every world has a PostgreSQL database of its own. */
async function databaseFlag(): Promise<Record<string, string>> {
  if (process.env['HOLDFAST_TEST_POSTGRES'] !== '1') return {}
  const server = await startPostgres()
  return { database: server.url(await server.createDatabase()) }
}

function callers(instance: Instance): Pick<World, 'npm' | 'ask' | 'publish' | 'document'> {
  const ask = (line: string, sent: Sent = {}) => send(instance.url, line, sent)
  const npm: World['npm'] = (line, sent) => ask(line.replace(' /', ' /npm/'), sent)
  return {
    ask,
    npm,
    async publish(who, name, version, wishes) {
      const reply = await npm(`PUT /${name.replace('/', '%2f')}`, {
        token: who.token,
        body: publishDocument(name, version, wishes),
      })
      if (reply.status !== 201)
        throw new Error(`publishing ${name}@${version} gave ${reply.status}: ${reply.text}`)
    },
    async document(name, token) {
      const reply = await npm(`GET /${name.replace('/', '%2f')}?write=true`, { token })
      if (reply.status !== 200) throw new Error(`reading ${name} gave ${reply.status}: ${reply.text}`)
      return reply.body
    },
  }
}

async function send(url: string, line: string, sent: Sent): Promise<Reply> {
  const [method = 'GET', path = '/'] = line.split(' ')
  const response = await fetch(url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
      ...(sent.otp === undefined ? {} : { 'npm-otp': sent.otp }),
      ...('body' in sent ? { 'content-type': 'application/json' } : {}),
      ...sent.headers,
    },
    ...('body' in sent ? { body: JSON.stringify(sent.body) } : {}),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parse(text) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function makers({ ports }: Instance): Pick<World, 'someone' | 'token' | 'browse'> {
  const token: World['token'] = async (who, limits = {}, expiresAt) => {
    const full = { permission: 'read-write', bypassTfa: false, ...limits } as const
    return makeEndlessToken(ports, who.id, full, expiresAt)
  }
  return {
    token,
    async someone(login, roles = []) {
      const email = `${login}@people.example`
      const password = `correct horse of ${[...login].reverse().join('-')}`
      const link = await invite(ports, operator, email, roles)
      const account = await acceptInvitation(
        ports,
        link.split('/').at(-1) ?? '',
        { login, email, password },
        whence,
      )
      const made = { id: account.id, login, email, password }
      return { ...made, token: await token({ ...made, token: '' }) }
    },
    async browse(who, otp = '') {
      const made = await signIn(ports, { login: who.login, password: who.password, otp }, whence)
      return { ...made, cookie: formatSessionCookie(ports.config, made.secret).split(';')[0] ?? '' }
    },
  }
}

function logInto(errors: string[]): Log {
  return {
    request() {},
    say(level, message, fields) {
      if (level === 'error') errors.push(`${message} ${JSON.stringify(fields)}`)
    },
    flush() {},
  }
}
