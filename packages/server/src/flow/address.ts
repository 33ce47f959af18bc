// SPDX-License-Identifier: Apache-2.0
/** The mail addresses of an account: several, one primary, each proven by a link before it counts for anything. */
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  type Address,
  authorize,
  type Grant,
  parseEmail,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { addNotice, takeLetter } from './letter.ts'
import { lapseOf } from './mail-domain.ts'
import { provePresence } from './presence.ts'
import { addClaim, findAddress, isSame } from './verification.ts'

const maxAddresses = 10
const lettersPerAccount = 10
const lettersPerMailbox = 5

/** One's own addresses, oldest first. */
export async function listOwnAddresses(ports: Ports, actor: Actor): Promise<readonly Address[]> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  await authorize(ports, actor, 'account:read', actor.id)
  return ports.store.identity.listAddresses(actor.id)
}

/**
 * Claims one more address: a letter with a link goes to it. The answer is the same whether or not the address is known
 * here. Throws `invalid-email`, `too-many`, `rate-limited`.
 */
export async function addAddress(ports: Ports, actor: Actor, input: string): Promise<void> {
  const { grant, account, addresses } = await begin(ports, actor)
  const email = parseEmail(input)
  const known = findAddress(addresses, email)
  if (known !== undefined && known.verifiedAt !== null) return
  if (known === undefined && addresses.length >= maxAddresses)
    throw problem('too-many', { what: 'mail addresses', limit: maxAddresses })
  await checkLetters(ports, account)
  const holder = await ports.store.identity.findAccountByEmail(email)
  // Silently: a refusal would tell that others write to this mailbox.
  const isSent = await takeLetter(ports, `mailbox ${email.toLowerCase()}`, lettersPerMailbox)
  await change(ports, grant, account, 'address-claimed', async tx => {
    await tx.identity.addAddress(account.id, email, ports.clock())
    if (isSent) await addClaim(tx, ports, account, known?.email ?? email, holder)
  })
}

/** Makes a proven address the one that letters go to; the old one is told too. Throws `address-unproven`. */
export async function setPrimaryAddress(ports: Ports, actor: Actor, email: string): Promise<void> {
  const { grant, account, addresses } = await begin(ports, actor)
  const chosen = findAddress(addresses, email)
  if (chosen === undefined || chosen.verifiedAt === null) throw problem('address-unproven', { email })
  // Letters would go to whoever has the domain now.
  if ((await lapseOf(ports, chosen)) !== undefined) throw problem('address-unproven', { email })
  if (isSame(chosen.email, account.email)) return
  const what = `The primary mail address of your account was changed to ${chosen.email}`
  await change(ports, grant, account, 'address-primary', async tx => {
    await tx.identity.setPrimaryAddress(account.id, chosen)
    await addNotice(tx, ports, account, what, provenOf(addresses))
  })
}

/** Gives up an address that is not the primary one; it is told, and so is the primary. Throws `address-primary`. */
export async function removeAddress(ports: Ports, actor: Actor, email: string): Promise<void> {
  const { grant, account, addresses } = await begin(ports, actor)
  const gone = findAddress(addresses, email)
  if (gone === undefined) return
  if (isSame(gone.email, account.email)) throw problem('address-primary', { email: gone.email })
  const told = gone.verifiedAt === null ? [] : [account.email, gone.email]
  await change(ports, grant, account, 'address-removed', async tx => {
    await tx.identity.removeAddress(account.id, gone.email)
    await addNotice(tx, ports, account, `The mail address ${gone.email} was removed from your account`, told)
  })
}

/** Sends the letter for an address that is not proven yet once more; an earlier link stays good until it ends. */
export async function resendVerification(ports: Ports, actor: Actor, email?: string): Promise<void> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const grant = await authorize(ports, actor, 'account:read', actor.id)
  const account = await getOwn(ports, actor.id)
  const address = findAddress(await ports.store.identity.listAddresses(account.id), email ?? account.email)
  if (address === undefined || address.verifiedAt !== null) return
  await checkLetters(ports, account)
  if (!(await takeLetter(ports, `mailbox ${address.email.toLowerCase()}`, lettersPerMailbox))) return
  const holder = await ports.store.identity.findAccountByEmail(address.email)
  await change(ports, grant, account, 'verification-sent', tx =>
    addClaim(tx, ports, account, address.email, holder),
  )
}

/** The proven ones: they alone are told things. */
export function provenOf(addresses: readonly Address[]): string[] {
  return addresses.filter(each => each.verifiedAt !== null).map(each => each.email)
}

async function begin(
  ports: Ports,
  actor: Actor,
): Promise<{ grant: Grant; account: Account; addresses: readonly Address[] }> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const grant = await authorize(ports, actor, 'account:address', actor.id)
  await provePresence(ports, grant)
  const account = await getOwn(ports, actor.id)
  return { grant, account, addresses: await ports.store.identity.listAddresses(account.id) }
}

async function getOwn(ports: Ports, id: string): Promise<Account> {
  const account = await ports.store.identity.findAccount(id)
  if (account === undefined) throw problem('unauthenticated')
  return account
}

async function checkLetters(ports: Ports, account: Account): Promise<void> {
  if (!(await takeLetter(ports, `account ${account.id}`, lettersPerAccount)))
    throw problem('rate-limited', { retryAfter: 3600 })
}

/** No event names an address: the record is kept for good, and people may want theirs forgotten. */
async function change(
  ports: Ports,
  grant: Grant,
  account: Account,
  op: string,
  work: (tx: Tx) => Promise<void>,
): Promise<void> {
  await ports.store.commit(grant, { type: 'account-change', detail: { account: account.id, op } }, work)
}
