// SPDX-License-Identifier: Apache-2.0

import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { isProblem, type Problem, problem } from '@holdfast/core'
import { answerMiss, checkPassword, noteLeak } from '../flow/index.ts'
import {
  type Actor,
  hashSecret,
  isToken,
  networkList,
  type PersonIdentity,
  type Robot,
  type Token,
  tfaModeOf,
  toIdentity,
  toPerson,
  type Whence,
} from '../identity/index.ts'
import type { Ports } from '../ports.ts'

type Identity =
  | PersonIdentity
  | Omit<Extract<Actor, { kind: 'job' }>, 'from'>
  | Omit<Extract<Actor, { kind: 'robot' }>, 'from'>

/**
 * Credentials → Actor, with a bounded memory that forgets within a second of any change to accounts or tokens, and is not
 * asked while this process cannot hear of them.
 */
export interface Identify {
  /** The identity behind an `authorization` header if it is known right now; `undefined` means: ask `identify`. */
  peek(authorization: string | undefined): Identity | 'nobody' | undefined
  /**
   * Who acts; credentials that are not accepted give `nobody` and the reason. Throws `unavailable` where this process cannot
   * hear of changes and the database is silent too.
   */
  identify(headers: IncomingHttpHeaders, address: string): Promise<{ actor: Actor; bad: Problem | undefined }>
  /** Writes down which tokens were used, and ends. */
  close(): Promise<void>
}

const maxRemembered = 10_000
const lastUsedEveryMs = 60_000
const patienceMs = 5_000

export function openIdentify(ports: Ports): Identify {
  const known = new Map<string, Identity>()
  const used = new Set<string>()
  let changes = 0
  ports.store.events.follow(events => {
    if (!events.some(event => changesIdentity.has(event.type))) return
    changes += 1
    known.clear()
  })
  const flushing = setInterval(() => flushUsed(ports, used), lastUsedEveryMs).unref()
  const remember = (authorization: string, identity: Identity) => {
    if (known.size >= maxRemembered) known.delete(known.keys().next().value ?? '')
    known.set(authorization, identity)
  }
  const peek = (authorization: string | undefined): Identity | 'nobody' | undefined => {
    if (authorization === undefined) return 'nobody'
    const identity = known.get(authorization)
    if (identity?.credential.kind !== 'token' || !ports.store.events.isCurrent()) return undefined
    used.add(identity.credential.id)
    const { expiresAt, limits } = identity.credential
    // Address limits are checked on the slow path.
    return (expiresAt === null || expiresAt > ports.clock()) && limits.cidr === undefined
      ? identity
      : undefined
  }
  return {
    peek,
    async identify(headers, address) {
      // Cut off, nobody is served from what may have changed: whatever is answered then comes from the database.
      if (!ports.store.events.isCurrent()) await soon(ports.store.events.head())
      const from = whence(headers, address)
      const nobody: Actor = { kind: 'nobody', from }
      const { authorization } = headers
      if (authorization === undefined) return bySession(ports, headers, from)
      const ready = peek(authorization)
      if (ready !== undefined && ready !== 'nobody') return { actor: { ...ready, from }, bad: undefined }
      // A password costs a slow hash each time, and npm sends it with each of a thousand requests.
      const key = /^bearer /i.test(authorization) ? authorization : hashSecret(authorization)
      const signedIn = ports.store.events.isCurrent() ? known.get(key) : undefined
      if (signedIn?.credential.kind === 'password') return { actor: { ...signedIn, from }, bad: undefined }
      const before = changes
      const found = await byAuthorization(ports, authorization, from)
      if ('code' in found) {
        noteBad(ports, found, from, authorization)
        return { actor: nobody, bad: found }
      }
      if (found.credential.kind === 'token') used.add(found.credential.id)
      // What was revoked while it was looked up must not be remembered.
      if (changes === before) remember(found.credential.kind === 'token' ? authorization : key, found)
      return { actor: { ...found, from }, bad: undefined }
    },
    async close() {
      clearInterval(flushing)
      await flushUsed(ports, used)
    },
  }
}

/** What a database says that was silent just now. Throws `unavailable` rather than wait for a network that swallows all. */
async function soon<T>(looking: Promise<T>): Promise<T> {
  const patience = new AbortController()
  const tooLate = delay(patienceMs, undefined, { signal: patience.signal }).then(() => {
    throw problem('unavailable', { why: 'the database does not answer' })
  })
  tooLate.catch(() => {})
  looking.catch(() => {})
  try {
    return await Promise.race([looking, tooLate])
  } finally {
    patience.abort()
  }
}

const changesIdentity = new Set<string>([
  'token-revoke',
  'account',
  'account-change',
  'session-end',
  'grant',
  'org',
  'team',
  'trusted-publisher',
])

/** A token that is none of ours, any more, or from here, tried; guesses at passwords are noted where they are counted. */
function noteBad(ports: Ports, { code }: Problem, { address, client }: Whence, authorization: string): void {
  if (code === 'bad-credentials' || code === 'rate-limited') return
  // The identity of a CI job on its way to be exchanged, which notes what it refuses.
  if (/^bearer [\w-]+\.[\w-]+\.[\w-]+$/i.test(authorization)) return
  ports.trail.note({
    type: 'sign-in-failed',
    accountId: '',
    what: 'request',
    subject: '',
    why: code,
    address,
    client,
  })
}

async function flushUsed(ports: Ports, used: Set<string>): Promise<void> {
  if (used.size === 0) return
  const ids = [...used]
  used.clear()
  // Bookkeeping: when it fails, the next use says it again.
  await ports.store.upkeep.setTokensUsed(ids, ports.clock()).catch(() => {})
}

function whence(headers: IncomingHttpHeaders, address: string): Whence {
  const otp = headers['npm-otp']
  return {
    address,
    client: (headers['user-agent'] ?? '').slice(0, 200),
    web: headers['npm-auth-type'] === 'web',
    ...(typeof otp === 'string' && otp !== '' ? { otp } : {}),
  }
}

async function byAuthorization(
  ports: Ports,
  authorization: string,
  from: Whence,
): Promise<Identity | Problem> {
  const [scheme = '', value = ''] = authorization.split(/\s+/, 2)
  if (scheme.toLowerCase() === 'bearer') return byToken(ports, value, from)
  if (scheme.toLowerCase() !== 'basic') return problem('bad-credentials')
  const decoded = Buffer.from(value, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  const [login, password] = [decoded.slice(0, colon), decoded.slice(colon + 1)]
  if (isToken(password)) return byToken(ports, password, from)
  try {
    const account = await noteLeak(ports, await checkPassword(ports, login, password, from), password, from)
    // A password with each request would be a way around the second factor.
    if (tfaModeOf(account) !== 'none') return problem('password-not-enough')
    return toIdentity(account, { kind: 'password' })
  } catch (error) {
    if (isProblem(error)) return error
    throw error
  }
}

async function byToken(ports: Ports, secret: string, from: Whence): Promise<Identity | Problem> {
  // The checksum spares the store what cannot be one of ours.
  if (!isToken(secret)) return problem('token-expired')
  const token = await ports.store.identity.findToken(hashSecret(secret), ports.clock())
  if (token === undefined) return answerMiss(ports, 'token', from.address, problem('token-expired'))
  if (!isFromAllowed(token, from.address)) return problem('address-not-allowed', { address: from.address })
  const { id, limits, expiresAt } = token
  const credential = { kind: 'token', id, limits, expiresAt } as const
  if (token.holder === 'job') return { kind: 'job', id: token.accountId, credential }
  if (token.holder === 'robot') {
    const robot = await ports.store.identity.findRobot(token.accountId)
    return robot === undefined
      ? problem('token-expired')
      : { kind: 'robot', id: robot.id, name: robotName(robot), credential }
  }
  const account = await ports.store.identity.findAccount(token.accountId)
  if (account === undefined || account.disabledAt !== null) return problem('token-expired')
  return toIdentity(account, credential)
}

async function bySession(
  ports: Ports,
  headers: IncomingHttpHeaders,
  from: Whence,
): Promise<{ actor: Actor; bad: undefined }> {
  const secret = sessionCookie(headers.cookie, ports.config.publicUrl.startsWith('https://'))
  const session =
    secret === undefined ? undefined : await ports.store.identity.findSession(hashSecret(secret))
  if (session === undefined || session.expiresAt <= ports.clock())
    return { actor: { kind: 'nobody', from }, bad: undefined }
  const account = await ports.store.identity.findAccount(session.accountId)
  if (account === undefined || account.disabledAt !== null)
    return { actor: { kind: 'nobody', from }, bad: undefined }
  const { id, freshUntil, byPasskey } = session
  const actor = toPerson(account, { kind: 'session', id, freshUntil, byPasskey }, from)
  return { actor, bad: undefined }
}

/** The session secret in a Cookie header. On https only the `__Host-` one counts: a neighbouring host cannot plant it. */
function sessionCookie(cookie: string | undefined, isHttps: boolean): string | undefined {
  const form = isHttps
    ? /(?:^|;\s*)__Host-holdfast-session=([0-9A-Za-z]+)/
    : /(?:^|;\s*)holdfast-session=([0-9A-Za-z]+)/
  return form.exec(cookie ?? '')?.[1]
}

/** `acme/ci`: no login has a slash. */
function robotName({ org, name }: Pick<Robot, 'org' | 'name'>): string {
  return `${org}/${name}`
}

function isFromAllowed(token: Token, address: string): boolean {
  const { cidr } = token.limits
  if (cidr === undefined) return true
  return networkList(cidr)(address)
}
