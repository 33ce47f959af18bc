// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import {
  type Account,
  type Address,
  authorize,
  hashSecret,
  randomText,
  type Whence,
} from '../identity/index.ts'
import type { Letter, Ports, Tx } from '../ports.ts'
import { addNotice, secretLetter } from './letter.ts'

const validMs = 24 * 3600_000

/**
 * Sends the letter that follows a claim to an address: the link that proves it or, where another account has proven it,
 * word of that. Whoever made the claim sees no difference: only the reader of the mailbox learns who is here.
 */
export async function addClaim(
  tx: Tx,
  ports: Ports,
  account: Pick<Account, 'id' | 'login'>,
  email: string,
  holder: Account | undefined,
): Promise<void> {
  const code = `${account.id}.${randomText(32)}`
  const expiresAt = ports.clock() + validMs
  await tx.identity.addInvitation(hashCode(code), { email, roles: [], expiresAt, usedAt: null })
  await tx.mail.add(
    holder === undefined || holder.id === account.id
      ? proofLetter(ports, account.login, email, code)
      : takenLetter(ports, email, holder),
  )
}

/** Takes the code back from the link: the address is proven. Throws `invitation-invalid`, `address-taken`. */
export async function verifyEmail(ports: Ports, code: string, from: Whence): Promise<Account> {
  const { identity } = ports.store
  const [accountId = ''] = code.split('.')
  const account = await identity.findAccount(accountId)
  const found = await identity.findInvitation(hashCode(code))
  if (account === undefined || found === undefined || found.expiresAt <= ports.clock())
    throw problem('invitation-invalid')
  // The address may have been removed since the letter went out: it proves only the one it was sent to.
  const address = findAddress(await identity.listAddresses(account.id), found.email)
  if (address === undefined) throw problem('invitation-invalid')
  const grant = await authorize(ports, { kind: 'nobody', from }, 'account:create', account.id)
  const event = { type: 'account-change', detail: { account: account.id, op: 'email-verified' } } as const
  await ports.store.commit(grant, event, async tx => {
    if (!(await tx.identity.useInvitation(hashCode(code), ports.clock()))) throw problem('invitation-invalid')
    await settle(tx, ports, account, address)
  })
  return account
}

/** A second address is told to the first; one that is proven takes the place of a primary one that never was. */
async function settle(tx: Tx, ports: Ports, account: Account, { email, createdAt }: Address): Promise<void> {
  const verifiedAt = ports.clock()
  await tx.identity.setAddressVerified(account.id, email, verifiedAt)
  if (isSame(email, account.email)) return
  if (account.emailVerifiedAt === null)
    await tx.identity.setPrimaryAddress(account.id, { email, verifiedAt, createdAt })
  else
    await addNotice(tx, ports, account, `The mail address ${email} was added to your account`, [
      account.email,
      email,
    ])
}

/** The one of these addresses that is spelled so, in whatever case. */
export function findAddress(addresses: readonly Address[], email: string): Address | undefined {
  return addresses.find(each => isSame(each.email, email))
}

/** Mailboxes are one whatever the case: nobody registers another's in capitals. */
export function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

function proofLetter(ports: Ports, login: string, email: string, code: string): Letter {
  return secretLetter(email, 'Confirm your e-mail address', [
    `Hello ${login},`,
    '',
    'open this link within a day to confirm that this address is yours:',
    `${ports.config.publicUrl}/verify/${code}`,
    '',
    'If you did not ask for this, ignore this letter: without the link nothing can be done in the name of this address.',
  ])
}

function takenLetter(ports: Ports, email: string, holder: Account): Letter {
  const { publicUrl } = ports.config
  return secretLetter(email, 'You already have an account', [
    `Hello ${holder.login},`,
    '',
    `somebody gave this address for another account on ${publicUrl}. It stays with yours, and the other account cannot use it.`,
    '',
    `If that was you: your user name is ${holder.login}. Sign in, or recover your account:`,
    `${publicUrl}/recover`,
    '',
    'If it was not, there is nothing to do.',
  ])
}

/** Prefixed, so that an invitation can never serve as a verification, nor the other way round. */
function hashCode(code: string): string {
  return hashSecret(`verify ${code}`)
}
