// SPDX-License-Identifier: Apache-2.0
import type { Account } from '../identity/index.ts'
import type { Letter, Ports, Tx } from '../ports.ts'

/** Addresses of accounts made at the machine itself, where nobody reads mail. */
const nowhere = /@localhost$/

/** A letter with a secret link: operators see that it was sent, never what it says. */
export function secretLetter(to: string, subject: string, lines: readonly string[]): Letter {
  return { to, subject, text: `${lines.join('\n')}\n`, secret: true }
}

/** Tells the owner of an account what was changed, so that a thief's doing does not stay unseen. */
export async function addNotice(
  tx: Tx,
  ports: Ports,
  account: Pick<Account, 'login' | 'email'>,
  what: string,
): Promise<void> {
  if (nowhere.test(account.email)) return
  const { publicUrl } = ports.config
  const lines = [
    `Hello ${account.login},`,
    '',
    `${what} on ${publicUrl} at ${new Date(ports.clock()).toISOString()}.`,
    '',
    'If this was you, there is nothing to do.',
    `If it was not, change your password and revoke your tokens now: ${publicUrl}/account`,
  ]
  await tx.mail.add({
    to: account.email,
    subject: `${what} – ${hostOf(publicUrl)}`,
    text: `${lines.join('\n')}\n`,
    secret: false,
  })
}

function hostOf(url: string): string {
  return new URL(url).host
}
