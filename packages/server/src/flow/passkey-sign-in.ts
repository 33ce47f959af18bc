// SPDX-License-Identifier: Apache-2.0
/** Signing in, and proving that it is still oneself, by a touch. */
import { problem } from '@holdfast/core'
import {
  type Actor,
  type Approval,
  authorize,
  type Person,
  toPerson,
  type Whence,
} from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { getPasskeyPlace, makeChallenge, type PasskeyAnswer, type PasskeyWish } from './passkey-challenge.ts'
import { proveByPasskey } from './passkey-proof.ts'
import { type NewSession, openSession, refreshSession } from './session.ts'

const timeoutMs = 5 * 60_000
const signInPurpose = 'sign-in'

/** What the browser is asked for on the sign-in page: any passkey of this place, whoever it belongs to. */
export function beginPasskeySignIn(ports: Ports): PasskeyWish {
  return wishFor(ports, signInPurpose, [])
}

/** Opens a session for whoever the passkey belongs to: possession and PIN, finger or face are two factors. */
export async function signInByPasskey(
  ports: Ports,
  answer: PasskeyAnswer,
  from: Whence,
): Promise<NewSession> {
  const account = await proveByPasskey(ports, answer, signInPurpose, from)
  const grant = await authorize(
    ports,
    toPerson(account, { kind: 'password' }, from),
    'session:create',
    account.id,
  )
  return openSession(ports, grant, account, from, 'passkey')
}

/** What the browser is asked for to make a session fresh again. */
export async function beginPasskeyConfirm(ports: Ports, actor: Actor): Promise<PasskeyWish> {
  const { person, sessionId } = sessionOf(actor)
  return wishFor(ports, `confirm ${sessionId}`, await idsOf(ports, person))
}

/** Makes the session that asks fresh for ten minutes again. Throws `passkey-refused`. */
export async function confirmByPasskey(ports: Ports, actor: Actor, answer: PasskeyAnswer): Promise<void> {
  const { person, sessionId } = sessionOf(actor)
  await proveByPasskey(ports, answer, `confirm ${sessionId}`, person.from, person.id)
  await refreshSession(ports, sessionId, true)
}

/** What the browser is asked for to approve one command, or one staged version: the answer serves no other. */
export async function beginPasskeyApproval(
  ports: Ports,
  actor: Actor,
  approval: Pick<Approval, 'id'>,
): Promise<PasskeyWish> {
  const { person, sessionId } = sessionOf(actor)
  return wishFor(ports, approvalPurpose(sessionId, approval), await idsOf(ports, person))
}

/** Whether the touch was for this command, in this session. Throws `passkey-refused`. */
export async function proveApproval(
  ports: Ports,
  actor: Actor,
  approval: Pick<Approval, 'id'>,
  answer: PasskeyAnswer,
): Promise<void> {
  const { person, sessionId } = sessionOf(actor)
  await proveByPasskey(ports, answer, approvalPurpose(sessionId, approval), person.from, person.id)
}

function approvalPurpose(sessionId: string, approval: Pick<Approval, 'id'>): string {
  return `approve ${sessionId} ${approval.id}`
}

async function idsOf(ports: Ports, person: Person): Promise<readonly object[]> {
  const passkeys = await ports.store.identity.listPasskeys(person.id)
  return passkeys.map(({ id, transports }) => ({ type: 'public-key', id, transports }))
}

function wishFor(ports: Ports, purpose: string, allowed: readonly object[]): PasskeyWish {
  const { rpId } = getPasskeyPlace(ports)
  const { challenge, sealed } = makeChallenge(ports, purpose)
  const options = {
    challenge,
    rpId,
    timeout: timeoutMs,
    userVerification: 'required',
    ...(allowed.length === 0 ? {} : { allowCredentials: allowed }),
  }
  return { options, sealed }
}

function sessionOf(actor: Actor): { person: Person; sessionId: string } {
  if (actor.kind === 'person' && actor.credential.kind === 'session')
    return { person: actor, sessionId: actor.credential.id }
  throw problem('unauthenticated')
}
