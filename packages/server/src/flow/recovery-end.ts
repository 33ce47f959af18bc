// SPDX-License-Identifier: Apache-2.0
/** How a recovery ends: with a new password, or stopped by whoever is told of it. */
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  authorize,
  checkNewPassword,
  hashPassword,
  type Recovery,
  type Whence,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { accountEvent } from './leaf.ts'
import { checkNotLeaked } from './leaked-password.ts'
import { addEndLetters, hashCancel, hashFinish, listOpen } from './recovery.ts'
import { endTokensOf } from './token.ts'

/** The recovery that a secret finishes, for its page. Throws `recovery-over`. */
export async function readRecovery(ports: Ports, secret: string): Promise<Recovery> {
  return (await openRecovery(ports, secret)).recovery
}

/**
 * Sets the new password. Every session and token ends, and so does the second factor when it counts as lost: whoever
 * had them, had them from the time before. Throws `recovery-over`, `recovery-waits`, `weak-password`.
 */
export async function finishRecovery(
  ports: Ports,
  secret: string,
  password: string,
  from: Whence,
): Promise<Account> {
  const { recovery, account } = await openRecovery(ports, secret)
  if (recovery.readyAt > ports.clock())
    throw problem('recovery-waits', { until: new Date(recovery.readyAt).toISOString() })
  checkNewPassword(password, [account.login, account.email, account.email.split('@')[0] ?? ''])
  await checkNotLeaked(ports, password)
  const hash = await hashPassword(password)
  const grant = await authorize(ports, { kind: 'nobody', from }, 'account:recover', account.id)
  const detail = { op: 'recovery-done', recovery: recovery.id, way: recovery.way }
  const events = [
    accountEvent(account.id, 'recover', detail),
    ...(recovery.dropsFactors ? [accountEvent(account.id, 'mfa-reset')] : []),
  ]
  await ports.store.commit(grant, events, async tx => {
    await tx.identity.holdAccount(account.id)
    // Of a cancellation and a finish at the same moment one comes first, and the other finds it over.
    if (!(await tx.identity.moveRecovery(recovery.id, 'waiting', 'done'))) throw problem('recovery-over')
    // Whoever else waits in a mailbox would take back a moment later what was just proven in another way.
    for (const each of await tx.identity.listOpenRecoveries(ports.clock(), account.id))
      if (each.way === 'mail') await tx.identity.moveRecovery(each.id, 'waiting', 'cancelled')
    await tx.identity.setPassword(account.id, hash)
    await endAccess(tx, ports, account, recovery)
    await addEndLetters(tx, ports, account, 'The recovery of your account was finished with a new password')
  })
  return account
}

async function endAccess(tx: Tx, ports: Ports, account: Account, recovery: Recovery): Promise<void> {
  const now = ports.clock()
  await tx.identity.endPresence(account.id)
  await endTokensOf(tx, account.id, now)
  if (recovery.dropsFactors) {
    await tx.identity.setTfa(account.id, 'none', null)
    await tx.identity.setRecoveryCodes(account.id, [])
    for (const passkey of await tx.identity.listPasskeys(account.id)) await tx.identity.removePasskey(passkey)
  }
  // The link went to the new address alone, so whoever finishes reads it.
  if (recovery.way === 'staff') await takeAddress(tx, account, recovery.email, now)
}

async function takeAddress(tx: Tx, account: Account, email: string, now: number): Promise<void> {
  await tx.identity.addAddress(account.id, email, now)
  await tx.identity.setAddressVerified(account.id, email, now)
  await tx.identity.setPrimaryAddress(account.id, { email, verifiedAt: now, createdAt: now })
}

/** Stops a recovery with the link from any of the letters; it needs no sign-in, for stopping harms nobody. */
export async function cancelRecovery(ports: Ports, secret: string, from: Whence): Promise<void> {
  const recovery = await ports.store.identity.findRecoveryToCancel(hashCancel(secret))
  if (recovery === undefined) throw problem('recovery-over')
  await cancel(ports, { kind: 'nobody', from }, recovery)
}

/** Stops every recovery of one's own account. */
export async function cancelOwnRecoveries(ports: Ports, actor: Actor): Promise<void> {
  for (const each of await listOwnRecoveries(ports, actor)) await cancel(ports, actor, each)
}

/** What is under way for one's own account. */
export async function listOwnRecoveries(ports: Ports, actor: Actor): Promise<readonly Recovery[]> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  await authorize(ports, actor, 'account:read', actor.id)
  return listOpen(ports, actor.id)
}

async function cancel(ports: Ports, actor: Actor, recovery: Recovery): Promise<void> {
  const account = await ports.store.identity.findAccount(recovery.accountId)
  if (account === undefined) throw problem('recovery-over')
  const grant = await authorize(ports, actor, 'account:recover', account.id)
  const detail = { account: account.id, op: 'recovery-cancelled', recovery: recovery.id }
  await ports.store.commit(grant, { type: 'account-change', detail }, async tx => {
    const { moveRecovery } = tx.identity
    const isMoved =
      (await moveRecovery(recovery.id, 'waiting', 'cancelled')) ||
      (await moveRecovery(recovery.id, 'proposed', 'cancelled'))
    if (!isMoved) throw problem('recovery-over')
    await addEndLetters(tx, ports, account, 'The recovery of your account was stopped')
  })
}

async function openRecovery(ports: Ports, secret: string): Promise<{ recovery: Recovery; account: Account }> {
  const recovery = await ports.store.identity.findRecovery(hashFinish(secret))
  const account = recovery && (await ports.store.identity.findAccount(recovery.accountId))
  if (recovery?.state !== 'waiting' || recovery.expiresAt <= ports.clock()) throw problem('recovery-over')
  if (account === undefined || account.disabledAt !== null) throw problem('recovery-over')
  return { recovery, account }
}
