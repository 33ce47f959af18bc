// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  authorize,
  hashSecret,
  randomText,
  type Whence,
} from '../identity/index.ts'
import type { Letter, Ports, Tx } from '../ports.ts'
import { secretLetter } from './letter.ts'

const validMs = 24 * 3600_000

/** The proof of an address on its way: only its hash is stored. */
export interface Verification {
  /** What stands in the link: account and secret. */
  readonly code: string
  readonly hash: string
}

/** A new proof for one account; it can verify no other. */
export function makeVerification(accountId: string): Verification {
  const code = `${accountId}.${randomText(32)}`
  return { code, hash: hashCode(code) }
}

/** Remembers that whoever brings the code back reads this mailbox. */
export function addVerification(
  tx: Tx,
  ports: Ports,
  verification: Verification,
  email: string,
): Promise<void> {
  const expiresAt = ports.clock() + validMs
  return tx.identity.addInvitation(verification.hash, { email, roles: [], expiresAt, usedAt: null })
}

/** The letter that carries the code to the address. */
export function verificationLetter(ports: Ports, account: Account, verification: Verification): Letter {
  return secretLetter(account.email, 'Confirm your e-mail address', [
    `Hello ${account.login},`,
    '',
    'open this link within a day to confirm that this address is yours:',
    `${ports.config.publicUrl}/verify/${verification.code}`,
    '',
    'If you did not make an account, ignore this letter: without the link the account can do nothing.',
  ])
}

/** Takes the code back from the link: the address is proven. Throws `invitation-invalid`. */
export async function verifyEmail(ports: Ports, code: string, from: Whence): Promise<Account> {
  const [accountId = ''] = code.split('.')
  const account = await ports.store.identity.findAccount(accountId)
  const found = await ports.store.identity.findInvitation(hashCode(code))
  if (account === undefined || found === undefined || found.expiresAt <= ports.clock())
    throw problem('invitation-invalid')
  // The address may have been changed since the letter went out: it proves only the one it was sent to.
  if (found.email !== account.email) throw problem('invitation-invalid')
  const nobody: Actor = { kind: 'nobody', from }
  const grant = await authorize(ports, nobody, 'account:create', account.id)
  const event = { type: 'account-change', detail: { account: account.id, op: 'email-verified' } } as const
  await ports.store.commit(grant, event, async tx => {
    if (!(await tx.identity.useInvitation(hashCode(code), ports.clock()))) throw problem('invitation-invalid')
    await tx.identity.setEmailVerified(account.id, ports.clock())
  })
  return account
}

/** Sends the letter once more; the earlier link stays good until it ends. */
export async function resendVerification(ports: Ports, actor: Actor): Promise<void> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const account = await ports.store.identity.findAccount(actor.id)
  if (account === undefined || account.emailVerifiedAt !== null) return
  const grant = await authorize(ports, actor, 'account:read', account.id)
  const verification = makeVerification(account.id)
  const event = { type: 'account-change', detail: { account: account.id, op: 'verification-sent' } } as const
  await ports.store.commit(grant, event, async tx => {
    await addVerification(tx, ports, verification, account.email)
    await tx.mail.add(verificationLetter(ports, account, verification))
  })
}

/** Prefixed, so that an invitation can never serve as a verification, nor the other way round. */
function hashCode(code: string): string {
  return hashSecret(`verify ${code}`)
}
