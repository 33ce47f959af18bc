// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  authorize,
  type Grant,
  hashSecret,
  type Person,
  randomId,
  randomText,
  type Session,
  tfaModeOf,
  toPerson,
  type Whence,
} from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { checkPassword } from './account.ts'
import { noteLeak } from './leaked-password.ts'
import { factorWanted, isSecondFactor } from './second-factor.ts'

const lifeMs = 30 * 24 * 3600_000
const freshMs = 10 * 60_000

/** A session of a browser; the secret goes into the cookie and is told this once. */
export interface NewSession {
  readonly secret: string
  readonly session: Session
}

/** What somebody types to sign in; `otp` where the account has a second factor. */
export interface SignIn {
  readonly login: string
  readonly password: string
  readonly otp: string
}

/** Opens a session. Throws `bad-credentials`, `rate-limited`, or, when only the second factor is missing, `otp-required` or `passkey-must-confirm`. */
export async function signIn(ports: Ports, typed: SignIn, from: Whence): Promise<NewSession> {
  const account = await checkPassword(ports, typed.login, typed.password, from)
  const grant = await proveSignIn(ports, account, typed.otp, from)
  await noteLeak(ports, account, typed.password, from)
  return openSession(ports, grant, account, from, account.tfa === 'none' ? 'password' : 'password-and-code')
}

/** Opens a session for an account that was made, or proven by all it has, in this very request: nothing more is asked. */
export async function startSession(ports: Ports, account: Account, from: Whence): Promise<NewSession> {
  const actor = toPerson(account, { kind: 'password' }, from)
  const grant = await authorize(ports, actor, 'session:create', account.id)
  return openSession(ports, grant, account, from, 'sign-up')
}

/** After the password: the second factor where there is one. Gives the right to a session or a token of a sign-in. */
export async function proveSignIn(ports: Ports, account: Account, otp: string, from: Whence): Promise<Grant> {
  const actor = toPerson(account, { kind: 'password' }, from)
  const grant = await authorize(ports, actor, 'session:create', account.id)
  if (tfaModeOf(account) === 'none') return grant
  if (otp === '' || !(await isSecondFactor(ports, actor, grant, otp)))
    throw await factorWanted(ports, account)
  return grant
}

/** Ends the session that asks. */
export async function signOut(ports: Ports, actor: Actor): Promise<void> {
  if (actor.kind === 'person' && actor.credential.kind === 'session')
    await endSession(ports, actor, actor.credential.id)
}

/** Ends one of one's own sessions; fine when it is over. */
export async function endSession(ports: Ports, actor: Actor, id: string): Promise<void> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const grant = await authorize(ports, actor, 'account:sign-out', actor.id)
  const own = await ports.store.identity.listSessions(actor.id)
  if (!own.some(session => session.id === id)) return
  await ports.store.commit(grant, { type: 'session-end', detail: { session: id } }, tx =>
    tx.identity.removeSession(id),
  )
}

/** One's own sessions that are not over, newest first. */
export async function listOwnSessions(ports: Ports, actor: Actor): Promise<readonly Session[]> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  await authorize(ports, actor, 'account:read', actor.id)
  return (await ports.store.identity.listSessions(actor.id)).filter(
    session => session.expiresAt > ports.clock(),
  )
}

/**
 * Makes the session that asks fresh for ten minutes again: by the second factor where there is one, else by the
 * password. Throws `bad-credentials`, `otp-required` or
 * `passkey-must-confirm`.
 */
export async function confirmPresence(
  ports: Ports,
  actor: Actor,
  typed: { password: string; otp: string },
): Promise<void> {
  const { person, sessionId } = sessionOf(actor)
  if (tfaModeOf(person) === 'none') await checkPassword(ports, person.login, typed.password, person.from)
  else {
    const grant = await authorize(ports, person, 'session:create', person.id)
    if (!(await isSecondFactor(ports, person, grant, typed.otp))) throw await factorWanted(ports, person)
  }
  await refreshSession(ports, sessionId, false)
}

/** Makes a session fresh for ten minutes again; whoever calls this proved its owner just now. */
export async function refreshSession(ports: Ports, sessionId: string, byPasskey: boolean): Promise<void> {
  const now = ports.clock()
  await ports.store.upkeep.refreshSession(sessionId, now, now + freshMs, byPasskey)
}

function sessionOf(actor: Actor): { person: Person; sessionId: string } {
  if (actor.kind === 'person' && actor.credential.kind === 'session')
    return { person: actor, sessionId: actor.credential.id }
  throw problem('unauthenticated')
}

/** Opens it for whoever proved to be the account; the event says by what. */
export async function openSession(
  ports: Ports,
  grant: Grant,
  account: Account,
  from: Whence,
  by: 'password' | 'password-and-code' | 'passkey' | 'sign-up',
): Promise<NewSession> {
  const now = ports.clock()
  const secret = randomText(43)
  const session: Session = {
    id: randomId('s_'),
    accountId: account.id,
    createdAt: now,
    expiresAt: now + lifeMs,
    lastSeenAt: now,
    freshUntil: now + freshMs,
    // A sign-up with a passkey had it made, with PIN or finger, a moment ago.
    byPasskey: by === 'passkey' || (by === 'sign-up' && account.hasPasskey),
    address: from.address,
    client: from.client,
  }
  const event = {
    type: 'session-create',
    detail: { session: session.id, account: account.id, by, address: from.address, client: from.client },
  } as const
  await ports.store.commit(grant, event, tx => tx.identity.addSession(hashSecret(secret), session))
  return { secret, session }
}
