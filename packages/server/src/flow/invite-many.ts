// SPDX-License-Identifier: Apache-2.0
import { isProblem, problem } from '@holdfast/core'
import { type Actor, type InstanceRole, parseEmail } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { invite } from './invitation.ts'

const maxRows = 500
const roles: readonly InstanceRole[] = ['operator', 'responder', 'auditor']

/** One line of a list of people to invite. */
export interface Invitee {
  readonly email: string
  readonly roles: readonly InstanceRole[]
}

/** What became of one line: a link, or why there is none. */
export type InviteOutcome = { readonly email: string } & (
  | { readonly link: string }
  | { readonly why: string }
)

/**
 * Reads a list as a spreadsheet writes it: an address and, in further columns, instance roles; `,` or `;` between
 * columns, quotes around cells, a head line beginning with `email`. Throws `invalid-body` naming the first wrong line,
 * so that a list is taken whole or not at all.
 */
export function parseInvitees(csv: string): readonly Invitee[] {
  const lines = csv.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)
  const invitees = new Map<string, Invitee>()
  for (const [at, line] of lines.entries()) {
    const [email = '', ...words] = line.split(/[,;\t]/).map(cell =>
      cell
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .trim(),
    )
    if (email === '' || (at === 0 && /^e-?mail/i.test(email))) continue
    const invitee = parseLine(email, words, at + 1)
    invitees.set(invitee.email.toLowerCase(), invitee)
  }
  if (invitees.size > maxRows) throw problem('invalid-body', { why: `it has more than ${maxRows} people` })
  if (invitees.size === 0) throw problem('invalid-body', { why: 'it names nobody' })
  return [...invitees.values()]
}

/** Invites everybody who has no account yet, and says what became of each. */
export async function inviteMany(
  ports: Ports,
  actor: Actor,
  invitees: readonly Invitee[],
): Promise<readonly InviteOutcome[]> {
  const outcomes: InviteOutcome[] = []
  for (const { email, roles: wanted } of invitees) {
    const known = await ports.store.identity.findAccountByEmail(email)
    if (known !== undefined) outcomes.push({ email, why: `is ${known.login} already` })
    else
      outcomes.push({
        email,
        link: await invite(ports, actor, email, wanted, { mail: ports.mail.kind === 'smtp' }),
      })
    // A crash here leaves the rest uninvited: the same list again invites whoever has no account.
  }
  return outcomes
}

function parseLine(email: string, words: readonly string[], line: number): Invitee {
  const found = words.flatMap(word => word.split(/\s+/)).filter(word => word !== '')
  const bad = found.find(word => !roles.some(role => role === word))
  if (bad !== undefined)
    throw problem('invalid-body', { why: `line ${line}: ${bad} is no role (${roles.join(', ')})` })
  try {
    return { email: parseEmail(email), roles: roles.filter(role => found.includes(role)) }
  } catch (error) {
    if (!isProblem(error)) throw error
    throw problem('invalid-body', { why: `line ${line}: ${error.message}` })
  }
}
