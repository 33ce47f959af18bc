// SPDX-License-Identifier: Apache-2.0
import { isDrillName } from '@holdfast/core'
import type { Account } from '../identity/index.ts'
import type { Letter, Ports, Tx } from '../ports.ts'
import { inTurn } from './guess.ts'

/** Addresses of accounts made at the machine itself, where nobody reads mail. */
const nowhere = /@localhost$/
const budgetWindowMs = 3600_000

/** A letter with a secret link: operators see that it was sent, never what it says. */
export function secretLetter(to: string, subject: string, lines: readonly string[]): Letter {
  return { to, subject, text: `${lines.join('\n')}\n`, secret: true }
}

/**
 * Tells the owner of an account what was changed, so that a thief's doing does not stay unseen. Every critical change
 * calls this inside its commit; `to` names more mailboxes than the primary one where the change is about them.
 */
export async function addNotice(
  tx: Tx,
  ports: Ports,
  account: Pick<Account, 'login' | 'email'>,
  what: string,
  to: readonly string[] = [account.email],
): Promise<void> {
  const { publicUrl } = ports.config
  const lines = [
    `Hello ${account.login},`,
    '',
    `${what} on ${publicUrl} at ${new Date(ports.clock()).toISOString()}.`,
    '',
    'If this was you, there is nothing to do.',
    `If it was not, change your password and revoke your tokens now: ${publicUrl}/account`,
  ]
  await addLetters(tx, to, `${what} – ${hostOf(publicUrl)}`, lines)
}

/** The same open letter to several mailboxes, each once. */
export async function addLetters(
  tx: Tx,
  to: readonly string[],
  subject: string,
  lines: readonly string[],
): Promise<void> {
  const text = `${lines.join('\n')}\n`
  for (const each of new Set(to.filter(address => address !== '' && !nowhere.test(address))))
    await tx.mail.add({ to: each, subject, text, secret: false })
}

/** The same open letter to everybody who responds or operates, and to whom it concerns beside them. */
export async function tellStaff(
  tx: Tx,
  { config }: Pick<Ports, 'config'>,
  subject: string,
  lines: readonly string[],
  also: readonly string[] = [],
): Promise<void> {
  const staff = await tx.identity.listStaff()
  const to = staff.filter(each => each.roles.some(role => role !== 'auditor')).map(each => each.email)
  await addLetters(tx, [...to, ...also], `${subject} – ${hostOf(config.publicUrl)}`, lines)
}

/** How the subject of a letter begins that a rehearsal causes. */
export const drillSubjectStart = 'DRILL: '

/** The same about packages: where all of them lie in the sandbox of drills, and only there, the letter says so. */
export async function tellStaffOf(
  tx: Tx,
  ports: Pick<Ports, 'config'>,
  packages: readonly string[],
  subject: string,
  lines: readonly string[],
): Promise<void> {
  const isDrill = packages.length > 0 && packages.every(isDrillName)
  const { publicUrl } = ports.config
  const words = ['This is a drill. Act as you would, and see how it went:', `${publicUrl}/operate/drills`, '']
  if (isDrill) await tellStaff(tx, ports, drillSubjectStart + subject, [...words, ...lines])
  else await tellStaff(tx, ports, subject, lines)
}

/** Whether one letter more may go out for this in the running hour: nobody fills a mailbox with our letters. */
export function takeLetter(ports: Ports, counter: string, budget: number): Promise<boolean> {
  const key = `letter ${counter}`
  return inTurn(ports, key, async () => {
    const now = ports.clock()
    const { count } = await ports.store.identity.countFailures(key, now - budgetWindowMs)
    // What is refused does not count: else a flood would keep the owner's own letters away.
    if (count >= budget) return false
    await ports.store.upkeep.addFailure(key, now)
    return true
  })
}

/** The name by which people know this instance. */
export function hostOf(url: string): string {
  return new URL(url).host
}
