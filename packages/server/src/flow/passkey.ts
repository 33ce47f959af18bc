// SPDX-License-Identifier: Apache-2.0
/** The passkeys of an account: made, named, removed. */
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  authorize,
  type Grant,
  type Passkey,
  type Person,
  randomId,
  tfaModeOf,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { addNotice } from './letter.ts'
import { getPasskeyPlace, makeChallenge, type PasskeyAnswer, type PasskeyWish } from './passkey-challenge.ts'
import { algorithms, type NewCredential, readNewCredential } from './passkey-proof.ts'
import { provePresence } from './presence.ts'

const maxPasskeys = 20
const maxNameLength = 60
const timeoutMs = 5 * 60_000
const signUpPurpose = 'sign-up'

/** What the browser is asked for when a new account shall have a passkey from the start. */
export function beginSignUp(ports: Ports, accountId: string = randomId('a_')): PasskeyWish {
  return wishFor(ports, signUpPurpose, { id: accountId, login: '' }, [])
}

/** The credential that a sign-up brought; it names the id of the account to be. Throws `passkey-refused`. */
export function readSignUp(ports: Ports, answer: PasskeyAnswer): Promise<NewCredential> {
  return readNewCredential(ports, answer, signUpPurpose)
}

/** What the browser is asked for when an account gets one passkey more. Wants a fresh session. */
export async function beginPasskey(ports: Ports, actor: Actor): Promise<PasskeyWish> {
  const { person, sessionId } = await beginChange(ports, actor)
  checkTouched(person)
  const known = await ports.store.identity.listPasskeys(person.id)
  return wishFor(ports, purposeOf(sessionId), person, known)
}

/** Keeps the passkey that the browser made, under a name its owner knows it by. Throws `passkey-refused`. */
export async function finishPasskey(
  ports: Ports,
  actor: Actor,
  answer: PasskeyAnswer,
  name: string,
): Promise<Passkey> {
  const { grant, person, sessionId } = await beginChange(ports, actor)
  checkTouched(person)
  const made = await readNewCredential(ports, answer, purposeOf(sessionId))
  if (made.accountId !== person.id) throw problem('passkey-refused', { why: 'it belongs to another account' })
  const passkey = toPasskey(ports, made, name)
  const notice = `A passkey named '${passkey.name}' was added to your account`
  await change(ports, grant, 'passkey-added', passkey, notice, async tx => {
    const known = await tx.identity.listPasskeys(person.id)
    if (known.length >= maxPasskeys)
      throw problem('invalid-body', { why: `an account has at most ${maxPasskeys} passkeys` })
    await tx.identity.addPasskey(passkey)
  })
  return passkey
}

/** A credential as it is kept from now on. */
export function toPasskey(ports: Ports, made: NewCredential, name: string): Passkey {
  return { ...made, name: cleanName(name), createdAt: ports.clock(), lastUsedAt: null }
}

/** One's own passkeys, oldest first. */
export async function listOwnPasskeys(ports: Ports, actor: Actor): Promise<readonly Passkey[]> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  await authorize(ports, actor, 'account:read', actor.id)
  return ports.store.identity.listPasskeys(actor.id)
}

/** How many recovery codes one has left. */
export async function countOwnRecoveryCodes(ports: Ports, actor: Actor): Promise<number> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  await authorize(ports, actor, 'account:read', actor.id)
  return ports.store.identity.countRecoveryCodes(actor.id)
}

/** Gives one of one's own passkeys another name. Throws `passkey-not-found`. */
export async function renamePasskey(ports: Ports, actor: Actor, id: string, name: string): Promise<void> {
  const { grant } = await beginChange(ports, actor)
  const passkey = await getOwn(ports, actor, id)
  const renamed = { ...passkey, name: cleanName(name) }
  await change(ports, grant, 'passkey-renamed', renamed, undefined, tx =>
    tx.identity.renamePasskey(id, renamed.name),
  )
}

/**
 * Removes one of one's own passkeys and ends all other sessions, since it may have been stolen. Throws
 * `passkey-not-found`, or `last-way-in` for the only one of an account without a password.
 */
export async function removePasskey(ports: Ports, actor: Actor, id: string): Promise<void> {
  const { grant, person, sessionId } = await beginChange(ports, actor)
  checkTouched(person)
  const passkey = await getOwn(ports, actor, id)
  const notice = `The passkey '${passkey.name}' was removed from your account`
  await change(ports, grant, 'passkey-removed', passkey, notice, async (tx, account) => {
    const others = (await tx.identity.listPasskeys(account.id)).filter(each => each.id !== id)
    if (others.length === 0 && account.passwordHash === null)
      throw problem('last-way-in', { user: account.login })
    await tx.identity.removePasskey(passkey)
    // Codes are for whoever has a second factor; alone with a password they would count as one.
    if (tfaModeOf({ tfa: account.tfa, hasPasskey: others.length > 0 }) === 'none')
      await tx.identity.setRecoveryCodes(account.id, [])
    for (const session of await tx.identity.listSessions(account.id))
      if (session.id !== sessionId) await tx.identity.removeSession(session.id)
  })
}

/** Signs in by passkey alone from now on. Throws `last-way-in` without a passkey. */
export async function removePassword(ports: Ports, actor: Actor): Promise<void> {
  const { grant, person } = await beginChange(ports, actor)
  const notice = 'The password of your account was removed: it is signed in by passkey alone'
  await change(ports, grant, 'password-removed', { accountId: person.id }, notice, async (tx, account) => {
    if (!account.hasPasskey) throw problem('last-way-in', { user: account.login })
    await tx.identity.setPassword(account.id, null)
  })
}

function wishFor(
  ports: Ports,
  purpose: string,
  who: { readonly id: string; readonly login: string },
  known: readonly Passkey[],
): PasskeyWish {
  const { rpId } = getPasskeyPlace(ports)
  const { challenge, sealed } = makeChallenge(ports, purpose, who.id)
  const id = Buffer.from(who.id).toString('base64url')
  const options = {
    rp: { id: rpId, name: new URL(ports.config.publicUrl).host },
    user: { id, name: who.login, displayName: who.login },
    challenge,
    pubKeyCredParams: algorithms.map(alg => ({ type: 'public-key', alg })),
    timeout: timeoutMs,
    attestation: 'none',
    // Discoverable and verified: it must do for a sign-in with nothing else.
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
    excludeCredentials: known.map(each => ({ type: 'public-key', id: each.id, transports: each.transports })),
  }
  return { options, sealed }
}

async function beginChange(
  ports: Ports,
  actor: Actor,
): Promise<{ grant: Grant; person: Person; sessionId: string }> {
  if (actor.kind !== 'person' || actor.credential.kind !== 'session') throw problem('unauthenticated')
  const grant = await authorize(ports, actor, 'account:change', actor.id)
  await provePresence(ports, grant)
  return { grant, person: actor, sessionId: actor.credential.id }
}

/**
 * A phished password and code open a session, but must not make a passkey, which counts for more, nor make room for one.
 * Whoever lost all of theirs goes by the recovery, which waits and is told.
 */
function checkTouched({ hasPasskey, credential }: Person): void {
  if (hasPasskey && credential.kind === 'session' && credential.byPasskey !== true)
    throw problem('passkey-proof-required', { what: 'Adding or removing a passkey' })
}

/** Others who change how this account signs in wait: of two who remove the last two ways in, one is refused. */
async function change(
  ports: Ports,
  grant: Grant,
  op: string,
  passkey: Pick<Passkey, 'accountId'> & Partial<Passkey>,
  notice: string | undefined,
  work: (tx: Tx, account: Account) => Promise<void>,
): Promise<void> {
  const { id, name, accountId } = passkey
  const detail = { account: accountId, op, ...(id === undefined ? {} : { passkey: id, name }) }
  await ports.store.commit(grant, { type: 'account-change', detail }, async tx => {
    await tx.identity.holdAccount(accountId)
    const account = await tx.identity.findAccount(accountId)
    if (account === undefined) throw problem('unauthenticated')
    await work(tx, account)
    if (notice !== undefined) await addNotice(tx, ports, account, notice)
  })
}

async function getOwn(ports: Ports, actor: Actor, id: string): Promise<Passkey> {
  const passkey = (await listOwnPasskeys(ports, actor)).find(each => each.id === id)
  if (passkey === undefined) throw problem('passkey-not-found')
  return passkey
}

/** One line: names stand in subjects of letters. */
function cleanName(name: string): string {
  const line = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
  return [...line].slice(0, maxNameLength).join('') || 'passkey'
}

function purposeOf(sessionId: string): string {
  return `enrol ${sessionId}`
}
