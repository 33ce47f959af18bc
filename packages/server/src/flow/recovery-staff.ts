// SPDX-License-Identifier: Apache-2.0
/** Recovery for who has nothing left to show: by two of the staff, or by the machine's owner. Neither does it unseen. */
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  authorize,
  type Grant,
  may,
  parseEmail,
  type Recovery,
  randomText,
  toPerson,
} from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { operatorEvent, userOf } from './leaf.ts'
import { getAccount } from './people.ts'
import { provePresence } from './presence.ts'
import {
  addEndLetters,
  commitBegun,
  finishLetter,
  hashFinish,
  listOpen,
  makeRecovery,
  waitMs,
} from './recovery.ts'

const proposalValidMs = 7 * 24 * 3600_000
const machineLinkMs = 3600_000

/**
 * A member of the staff vouches for somebody and their new mail address; nothing happens until another agrees.
 * Throws `user-not-found`, `invalid-email`, `address-taken`, `recovery-own`.
 */
export async function proposeRecovery(
  ports: Ports,
  actor: Actor,
  login: string,
  newEmail: string,
): Promise<void> {
  const account = await getAccount(ports, login)
  await checkStaff(ports, actor, account)
  const email = parseEmail(newEmail)
  const holder = await ports.store.identity.findAccountByEmail(email)
  if (holder !== undefined && holder.id !== account.id) throw problem('address-taken')
  const now = ports.clock()
  const started = makeRecovery(ports, account, {
    way: 'staff',
    state: 'proposed',
    email,
    dropsFactors: true,
    openedBy: staffId(actor),
    readyAt: now + waitMs(ports),
    expiresAt: now + proposalValidMs,
  })
  await commitBegun(ports, actor, account, started)
}

/**
 * A second member of the staff agrees: from now on it waits as long as the policy says, and the letter that finishes it
 * goes to the new address. Without mail its link is given back, to be handed over. Throws `recovery-second`, `recovery-over`.
 */
export async function confirmRecovery(ports: Ports, actor: Actor, id: string): Promise<string | undefined> {
  const recovery = await ports.store.identity.getRecovery(id)
  const account = recovery && (await ports.store.identity.findAccount(recovery.accountId))
  if (recovery?.state !== 'proposed' || account === undefined) throw problem('recovery-over')
  const grant = await checkStaff(ports, actor, account)
  // One alone could take over any account.
  if (staffId(actor) === recovery.openedBy) throw problem('recovery-second')
  if (recovery.expiresAt <= ports.clock()) throw problem('recovery-over')
  if (!(await isStaff(ports, recovery.openedBy))) throw problem('recovery-over')
  const secret = randomText(32)
  const readyAt = ports.clock() + waitMs(ports)
  const detail = { account: account.id, op: 'recovery-agreed', recovery: id, readyAt }
  await ports.store.commit(grant, { type: 'account-change', detail }, async tx => {
    if (!(await tx.identity.moveRecovery(id, 'proposed', 'waiting'))) throw problem('recovery-over')
    await tx.identity.setRecoveryTimes(id, readyAt, readyAt + proposalValidMs)
    await tx.identity.setRecoverySecret(id, hashFinish(secret))
    await tx.mail.add(finishLetter(ports, account, { ...recovery, readyAt }, secret))
    await addEndLetters(
      tx,
      ports,
      account,
      'A second member of the staff agreed to a recovery of your account',
    )
  })
  return ports.mail.kind === 'smtp' ? undefined : `${ports.config.publicUrl}/recovery/${secret}`
}

/** What is under way, with whose account it is, for the staff. */
export async function listRecoveries(
  ports: Ports,
  actor: Actor,
): Promise<readonly { recovery: Recovery; account: Account }[]> {
  await authorize(ports, actor, 'account:assist', '')
  const open = await ports.store.identity.listOpenRecoveries(ports.clock())
  const found = await Promise.all(
    open.map(async recovery => ({
      recovery,
      account: await ports.store.identity.findAccount(recovery.accountId),
    })),
  )
  return found.flatMap(({ recovery, account }) => (account === undefined ? [] : [{ recovery, account }]))
}

/**
 * At the machine itself: a link that sets a new password at once, good for an hour. It shortens the wait, so every
 * mailbox of the account is told, and the record says who did it. Throws `user-not-found`.
 */
export async function recoverAtMachine(
  ports: Ports,
  actor: Actor,
  login: string,
  dropsFactors: boolean,
): Promise<string> {
  const account = await getAccount(ports, login)
  await authorize(ports, actor, 'instance:operate', '')
  const now = ports.clock()
  const started = makeRecovery(ports, account, {
    way: 'operator',
    email: account.email,
    dropsFactors,
    readyAt: now,
    expiresAt: now + machineLinkMs,
  })
  const earlier = (await listOpen(ports, account.id)).filter(each => each.way === 'operator')
  await commitBegun(ports, actor, account, started, async tx => {
    for (const each of earlier) await tx.identity.moveRecovery(each.id, 'waiting', 'cancelled')
    tx.record(operatorEvent('recovery', userOf(account.id), { account: account.id }))
  })
  return `${ports.config.publicUrl}/recovery/${started.secret}`
}

async function checkStaff(ports: Ports, actor: Actor, account: Account): Promise<Grant> {
  const grant = await authorize(ports, actor, 'account:assist', account.id)
  await provePresence(ports, grant)
  // Two responders must not make themselves operators.
  if (account.roles.includes('operator')) await authorize(ports, actor, 'instance:operate', '')
  // Whoever has a session of the staff must not turn it into the account itself.
  if (staffId(actor) === account.id) throw problem('recovery-own')
  return grant
}

/** The word of somebody who left counts no more: else one would be left who agrees. */
async function isStaff(ports: Ports, id: string): Promise<boolean> {
  const account = await ports.store.identity.findAccount(id)
  if (account === undefined || account.disabledAt !== null) return false
  const from = { address: '', client: '', web: false }
  return may(ports, toPerson(account, { kind: 'password' }, from), 'account:assist', '')
}

/** Two of the staff are two people; the machine's owner has a way of their own. */
function staffId(actor: Actor): string {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  return actor.id
}
