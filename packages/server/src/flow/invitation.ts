// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  authorize,
  hashSecret,
  type InstanceRole,
  type Invitation,
  operator,
  parseEmail,
  randomText,
  type Whence,
} from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { type Applicant, accountCreated, addAccount, prepareAccount } from './account.ts'
import { roleEvents } from './leaf.ts'
import { secretLetter } from './letter.ts'
import { provePresence } from './presence.ts'

const defaultValidMs = 7 * 24 * 3600_000
const setUpValidMs = 3600_000

/** How an invitation travels. */
export interface InviteOptions {
  readonly validMs?: number
  /** Sends the link by mail, besides giving it to the caller. */
  readonly mail?: boolean
}

/**
 * Makes a link with which one person can make one account; it counts as proof of the address. Only its hash is kept.
 * Without an address whoever has the link says their own.
 */
export async function invite(
  ports: Ports,
  actor: Actor,
  to: string,
  roles: readonly InstanceRole[],
  options: InviteOptions = {},
): Promise<string> {
  const email = to === '' ? '' : parseEmail(to)
  const grant = await authorize(ports, actor, 'instance:operate', '')
  await provePresence(ports, grant)
  const secret = actor.kind === 'person' ? `${actor.id}.${randomText(32)}` : randomText(32)
  const link = `${ports.config.publicUrl}/invitation/${secret}`
  const expiresAt = ports.clock() + (options.validMs ?? defaultValidMs)
  const event = { type: 'invite', detail: { email, roles, expiresAt } } as const
  await ports.store.commit(grant, event, async tx => {
    await tx.identity.addInvitation(hashInvitation(secret), {
      email,
      roles,
      expiresAt,
      usedAt: null,
    })
    if (options.mail === true && email !== '') await tx.mail.add(invitationLetter(email, link))
  })
  return link
}

/** The link that makes the first operator's account; undefined once there is one. Each start makes a new one. */
export async function setUpLink(ports: Ports): Promise<string | undefined> {
  if (await ports.store.identity.hasOperator()) return undefined
  return invite(ports, operator, '', ['operator'], { validMs: setUpValidMs })
}

/** What an invitation says, for the page behind its link. Throws `invitation-invalid`. */
export async function readInvitation(ports: Ports, secret: string): Promise<Invitation> {
  const found = await ports.store.identity.findInvitation(hashInvitation(secret))
  if (found === undefined || found.usedAt !== null || found.expiresAt <= ports.clock())
    throw problem('invitation-invalid')
  if (!(await isInviterThere(ports, secret))) throw problem('invitation-invalid')
  return found
}

/** Whoever left, or is operator no more, must not come back by a link of their own. The hash covers the id in it. */
async function isInviterThere(ports: Ports, secret: string): Promise<boolean> {
  const [id = '', rest] = secret.split('.')
  if (rest === undefined) return true
  const account = await ports.store.identity.findAccount(id)
  return account !== undefined && account.disabledAt === null && account.roles.includes('operator')
}

/** Makes the account an invitation is for; of two who try at once one succeeds. */
export async function acceptInvitation(
  ports: Ports,
  secret: string,
  applicant: Applicant,
  from: Whence,
): Promise<Account> {
  const invitation = await readInvitation(ports, secret)
  const email = invitation.email === '' ? applicant.email : invitation.email
  const prepared = await prepareAccount(
    ports,
    { ...applicant, email },
    { verified: true, roles: invitation.roles },
  )
  const { account } = prepared
  const nobody: Actor = { kind: 'nobody', from }
  const grant = await authorize(ports, nobody, 'account:create', '')
  const events = [accountCreated(account, 'invitation'), ...roleEvents(account.id, [], account.roles)]
  await ports.store.commit(grant, events, async tx => {
    if (!(await tx.identity.useInvitation(hashInvitation(secret), ports.clock())))
      throw problem('invitation-invalid')
    // Of several set-up links only the first that is used makes an operator.
    if (invitation.email === '' && (await tx.identity.hasOperator())) throw problem('invitation-invalid')
    await addAccount(tx, prepared)
  })
  return account
}

function invitationLetter(to: string, link: string) {
  return secretLetter(to, 'You are invited to a package registry', [
    'Hello,',
    '',
    'open this link within a week to make your account:',
    link,
  ])
}

/** Prefixed, so that no other secret of ours can serve as an invitation. */
function hashInvitation(secret: string): string {
  return hashSecret(`invite ${secret}`)
}
