// SPDX-License-Identifier: Apache-2.0
/**
 * The way back in for somebody who lost what they sign in with, as the page /policy/recovery promises it. Two proofs
 * open it at once; one proof waits, while every mailbox of the account is told how to stop it.
 */
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  type Address,
  authorize,
  hashSecret,
  isRecoveryCode,
  type Recovery,
  randomId,
  randomText,
  tfaModeOf,
  toPerson,
  type Whence,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { provenOf } from './address.ts'
import { addLetters, hostOf, secretLetter, takeLetter } from './letter.ts'
import { lapseOf } from './mail-domain.ts'
import { isSecondFactor } from './second-factor.ts'
import { findAddress } from './verification.ts'

const linkValidMs = 3600_000
const finishWithinMs = 7 * 24 * 3600_000
const hourMs = 3600_000
const asksPerAddress = 20
const lettersPerMailbox = 3

/** A recovery that has begun; its secret finishes it, once it is ready. */
export interface BegunRecovery {
  readonly secret: string
  readonly readyAt: number
}

/**
 * Sends a link to the mailbox somebody names, or to the primary one of the user they name. The answer is the same
 * whether or not anybody is behind it. Throws `rate-limited` for whoever asks too often.
 */
export async function askRecovery(ports: Ports, name: string, from: Whence): Promise<void> {
  if (!(await takeLetter(ports, `recovery address ${from.address}`, asksPerAddress)))
    throw problem('rate-limited', { retryAfter: 3600 })
  const typed = name.slice(0, 254).toLowerCase()
  const isSent = await takeLetter(ports, `recovery of ${typed}`, lettersPerMailbox)
  const found = await findMailbox(ports, typed)
  const grant = await authorize(ports, { kind: 'nobody', from }, 'account:recover', found?.account.id ?? '')
  const detail = { account: found?.account.id ?? '', op: 'recovery-asked' }
  // An event for nobody too: the work is the same, and who tries many names is on record.
  await ports.store.commit(grant, { type: 'account-change', detail }, async tx => {
    if (!isSent || found === undefined) return
    const { account, email } = found
    const code = `${account.id}.${randomText(32)}`
    const expiresAt = ports.clock() + linkValidMs
    await tx.identity.addInvitation(hashLink(code), { email, roles: [], expiresAt, usedAt: null })
    await tx.mail.add(linkLetter(ports, account, email, code))
  })
}

/** Whose link this is, for the page behind it. Throws `recovery-over`. */
export async function readRecoveryLink(ports: Ports, code: string): Promise<Account> {
  return (await openLink(ports, code)).account
}

/**
 * Begins with the link from a letter, which works once. With a code of the authenticator or a recovery code, or the link
 * of a second mailbox where there is no second factor, it is ready at once; else it waits. Throws `recovery-over`,
 * `otp-required`, `rate-limited`.
 */
export async function beginRecovery(
  ports: Ports,
  code: string,
  otp: string,
  from: Whence,
): Promise<BegunRecovery> {
  const { account, email } = await openLink(ports, code)
  const hasFactor = tfaModeOf(account) !== 'none'
  const isShown = hasFactor && otp !== '' && (await showsFactor(ports, account, otp, from))
  if (hasFactor && otp !== '' && !isShown) throw problem('otp-required')
  const open = await listOpen(ports, account.id)
  const now = ports.clock()
  const addresses = await ports.store.identity.listAddresses(account.id)
  // Whoever stole a session could add two mailboxes of their own a minute ago.
  const isSettled = (each: string) => (findAddress(addresses, each)?.verifiedAt ?? now) <= now - waitMs(ports)
  const isOther = (each: Recovery) => each.way === 'mail' && each.email !== email && isSettled(each.email)
  const isSecondMailbox = !hasFactor && isSettled(email) && open.some(isOther)
  const waits = !(isShown || isSecondMailbox)
  // One that was ready at once, by more proof or by the machine's owner, lends its moment to nobody.
  const isWait = (each: Recovery) => each.way === 'mail' && each.readyAt > each.beganAt
  const earlier = waits ? open.find(each => each.email === email && isWait(each)) : undefined
  const started = makeRecovery(ports, account, {
    way: 'mail',
    email,
    dropsFactors: hasFactor && !isShown,
    // Begun again, it goes on waiting from where it began: nobody has to start over, and nobody gains a moment.
    beganAt: earlier?.beganAt ?? now,
    readyAt: waits ? (earlier?.readyAt ?? now + waitMs(ports)) : now,
  })
  await commitBegun(ports, { kind: 'nobody', from }, account, started, async tx => {
    if (!(await tx.identity.useInvitation(hashLink(code), now))) throw problem('recovery-over')
    for (const each of open)
      if (each.way === 'mail') await tx.identity.moveRecovery(each.id, 'waiting', 'cancelled')
  })
  return { secret: started.secret, readyAt: started.recovery.readyAt }
}

/** How long a recovery by one proof waits. */
export function waitMs(ports: Ports): number {
  return ports.config.recoveryWaitHours * hourMs
}

/** A recovery before it is stored, with its two secrets. */
export interface StartedRecovery {
  readonly recovery: Recovery
  readonly secret: string
  readonly cancelSecret: string
}

/** One that can be finished with its secret from `readyAt` on. */
export function makeRecovery(
  ports: Ports,
  account: Account,
  about: Pick<Recovery, 'way' | 'email' | 'dropsFactors' | 'readyAt'> & Partial<Recovery>,
): StartedRecovery {
  const now = ports.clock()
  const recovery = {
    id: randomId('r_'),
    accountId: account.id,
    state: 'waiting',
    openedBy: '',
    beganAt: now,
    expiresAt: Math.max(now, about.readyAt) + finishWithinMs,
    ...about,
  } as const
  return { recovery, secret: randomText(32), cancelSecret: randomText(32) }
}

/** Stores it with its event, and tells every mailbox of the account, each with a link that stops it. */
export async function commitBegun(
  ports: Ports,
  actor: Actor,
  account: Account,
  { recovery, secret, cancelSecret }: StartedRecovery,
  before: (tx: Tx) => Promise<void> = async () => {},
): Promise<void> {
  const operation = actor.kind === 'person' ? 'account:assist' : 'account:recover'
  const grant = await authorize(ports, actor, operation, account.id)
  const { id, way, state, readyAt, dropsFactors } = recovery
  const detail = {
    account: account.id,
    op: 'recovery-begun',
    recovery: id,
    way,
    state,
    readyAt,
    dropsFactors,
  }
  await ports.store.commit(grant, { type: 'account-change', detail }, async tx => {
    await tx.identity.holdAccount(account.id)
    await before(tx)
    await tx.identity.addRecovery(hashCancel(cancelSecret), recovery)
    if (state === 'waiting') await tx.identity.setRecoverySecret(id, hashFinish(secret))
    const mailboxes = provenOf(await tx.identity.listAddresses(account.id))
    for (const each of mailboxes) await tx.mail.add(begunLetter(ports, account, recovery, each, cancelSecret))
    if (way === 'mail' && readyAt > ports.clock())
      await tx.mail.add(finishLetter(ports, account, recovery, secret))
  })
}

/** Everything of an account that has begun and is not over. */
export function listOpen(ports: Ports, accountId: string): Promise<readonly Recovery[]> {
  return ports.store.identity.listOpenRecoveries(ports.clock(), accountId)
}

/** The letter with the link that finishes a recovery, once it is ready. */
export function finishLetter(ports: Ports, account: Account, recovery: Recovery, secret: string) {
  const { publicUrl } = ports.config
  return secretLetter(recovery.email, `Your way back in to ${hostOf(publicUrl)}: keep this letter`, [
    `Hello ${account.login},`,
    '',
    `from ${formatTime(recovery.readyAt)} on, and for a week, this link lets you choose a new password:`,
    `${publicUrl}/recovery/${secret}`,
    '',
    'Whoever has this letter can do so: give it to nobody.',
  ])
}

/** Tells every proven mailbox how a recovery ended. */
export async function addEndLetters(tx: Tx, ports: Ports, account: Account, what: string): Promise<void> {
  const { publicUrl } = ports.config
  await addLetters(
    tx,
    provenOf(await tx.identity.listAddresses(account.id)),
    `${what} – ${hostOf(publicUrl)}`,
    [
      `Hello ${account.login},`,
      '',
      `${what} on ${publicUrl} at ${formatTime(ports.clock())}.`,
      '',
      `How recovery works here: ${publicUrl}/policy/recovery`,
    ],
  )
}

/** Prefixed each, so that no secret of ours serves as another. */
export function hashFinish(secret: string): string {
  return hashSecret(`recovery finish ${secret}`)
}

/** See `hashFinish`. */
export function hashCancel(secret: string): string {
  return hashSecret(`recovery cancel ${secret}`)
}

function hashLink(code: string): string {
  return hashSecret(`recovery link ${code}`)
}

/** The account and the proven mailbox behind what somebody typed; an address that counts for nothing leads nowhere. */
async function findMailbox(
  ports: Ports,
  typed: string,
): Promise<{ account: Account; email: string } | undefined> {
  const { identity } = ports.store
  const account = await (typed.includes('@')
    ? identity.findAccountByEmail(typed)
    : identity.findAccountByLogin(typed))
  if (account === undefined || account.disabledAt !== null) return undefined
  const wanted = typed.includes('@') ? typed : account.email
  const address = findAddress(await identity.listAddresses(account.id), wanted)
  return address === undefined || !(await isUsable(ports, address))
    ? undefined
    : { account, email: address.email }
}

/** A mailbox at an abandoned domain may be read by whoever registered it since. */
async function isUsable(ports: Ports, address: Address): Promise<boolean> {
  return address.verifiedAt !== null && (await lapseOf(ports, address)) === undefined
}

async function openLink(ports: Ports, code: string): Promise<{ account: Account; email: string }> {
  const { identity } = ports.store
  const found = await identity.findInvitation(hashLink(code))
  const account = await identity.findAccount(code.split('.')[0] ?? '')
  if (found === undefined || found.usedAt !== null || found.expiresAt <= ports.clock())
    throw problem('recovery-over')
  if (account === undefined || account.disabledAt !== null) throw problem('recovery-over')
  // The address may have been given up since the letter went out: then its reader is a stranger.
  const address = findAddress(await identity.listAddresses(account.id), found.email)
  if (address === undefined || !(await isUsable(ports, address))) throw problem('recovery-over')
  return { account, email: address.email }
}

/** Digits or a recovery code, each throttled on its own counter; an approval for something else is none. */
async function showsFactor(ports: Ports, account: Account, otp: string, from: Whence): Promise<boolean> {
  if (!/^\d{6}$/.test(otp) && !isRecoveryCode(otp)) return false
  const actor = toPerson(account, { kind: 'password' }, from)
  const grant = await authorize(ports, actor, 'session:create', account.id)
  return isSecondFactor(ports, actor, grant, otp)
}

function linkLetter(ports: Ports, account: Account, email: string, code: string) {
  const { publicUrl } = ports.config
  return secretLetter(email, `Your way back in to ${hostOf(publicUrl)}`, [
    `Hello ${account.login},`,
    '',
    'somebody, hopefully you, wants to get back in to this account. Open this link within an hour to begin:',
    `${publicUrl}/recover/${code}`,
    '',
    'If it was not you, do nothing: without the link nothing happens.',
  ])
}

function begunLetter(ports: Ports, account: Account, recovery: Recovery, to: string, cancelSecret: string) {
  const { publicUrl } = ports.config
  const { way, readyAt, dropsFactors, state } = recovery
  const who = {
    mail: `somebody who reads ${recovery.email} has`,
    staff: 'a member of the staff has',
    operator: "the owner of this registry's machine has",
  }[way]
  const when =
    state === 'proposed'
      ? 'a second member of the staff must agree, and then it still waits'
      : readyAt > ports.clock()
        ? `it can be finished from ${formatTime(readyAt)} on`
        : 'it can be finished at once'
  const factors = dropsFactors ? ', passkeys and second factor are removed' : ''
  return secretLetter(to, `A recovery of your account has begun – ${hostOf(publicUrl)}`, [
    `Hello ${account.login},`,
    '',
    `${who} begun a recovery of this account at ${formatTime(ports.clock())}; ${when}. Then a new password is set${factors}, and all sessions and tokens end.`,
    '',
    'If this is you, there is nothing to do here. If it is not, stop it now:',
    `${publicUrl}/recovery/cancel/${cancelSecret}`,
    '',
    `How recovery works here: ${publicUrl}/policy/recovery`,
  ])
}

function formatTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
