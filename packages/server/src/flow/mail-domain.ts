// SPDX-License-Identifier: Apache-2.0
/** Abandoned mail domains are found before somebody else registers them and reads the letters. */
import {
  type Account,
  type Actor,
  type Address,
  authorize,
  domainOf,
  findLapse,
  type Lapse,
  type MailDomain,
  type ProvenAddress,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { inTurn } from './guess.ts'
import { addLetters, hostOf } from './letter.ts'

const everyMs = 30 * 24 * 3600_000
const atOnce = 50
const shown = 1000
const system: Actor = { kind: 'system', id: 'mail-domains' }

/** Looks at the domains that nobody looked at for thirty days; registries count how often they are asked. */
export async function checkMailDomains(ports: Ports): Promise<void> {
  if (ports.domains === undefined) return
  await inTurn(ports, 'mail-domains', async () => {
    const due = await ports.store.identity.listMailDomainsDue(ports.clock() - everyMs, atOnce)
    for (const domain of due) await checkDomain(ports, domain)
  })
}

async function checkDomain(ports: Ports, domain: string): Promise<void> {
  const { identity } = ports.store
  const before = await identity.findMailDomain(domain)
  const facts = await ports.domains?.find(domain)
  // A network that is down says nothing about a domain: it is looked at again with the next round.
  if (facts?.takesMail === undefined) return
  const found: MailDomain = {
    domain,
    checkedAt: ports.clock(),
    takesMail: facts.takesMail,
    // A registry that does not answer takes nothing back.
    registeredAt: facts.registeredAt ?? before?.registeredAt ?? null,
  }
  const addresses = await identity.listAddressesAt(domain)
  const lapsed = addresses.filter(({ verifiedAt }) => findLapse(verifiedAt, found) !== undefined)
  const fresh = lapsed.filter(({ verifiedAt }) => findLapse(verifiedAt, before) === undefined)
  const grant = await authorize(ports, system, 'instance:operate', '')
  const events = fresh.map(({ accountId, verifiedAt }) => ({
    type: 'account-change' as const,
    detail: { account: accountId, op: 'address-lapsed', why: findLapse(verifiedAt, found) },
  }))
  await ports.store.commit(grant, events, async tx => {
    await tx.identity.saveMailDomain(found)
    for (const address of fresh) await tell(tx, ports, address, findLapse(address.verifiedAt, found))
  })
}

/** By the mailboxes that are still theirs; who has no other sees it at the next sign-in. */
async function tell(tx: Tx, ports: Ports, lapsed: ProvenAddress, why: Lapse | undefined): Promise<void> {
  const account = await tx.identity.findAccount(lapsed.accountId)
  if (account === undefined || why === undefined) return
  const others = (await tx.identity.listAddresses(account.id)).filter(
    each => each.verifiedAt !== null && domainOf(each.email) !== domainOf(lapsed.email),
  )
  const { publicUrl } = ports.config
  await addLetters(
    tx,
    others.map(each => each.email),
    `${lapsed.email} opens your account no more – ${hostOf(publicUrl)}`,
    [
      `Hello ${account.login},`,
      '',
      `${sayLapse(lapsed.email, why)} Found on ${new Date(ports.clock()).toISOString()}.`,
      '',
      `Look at your addresses and remove it, or make another one primary: ${publicUrl}/account/addresses`,
    ],
  )
}

/** In words for its owner. */
export function sayLapse(email: string, why: Lapse): string {
  const reason =
    why === 'new-owner'
      ? 'was registered anew after you confirmed the address, so others may read its mail'
      : 'takes no mail any more, so others may register it soon'
  return `The domain of ${email} ${reason}: the address recovers no account any longer.`
}

/** Whether a proven address still belongs to whoever proved it. */
export async function lapseOf(
  ports: Ports,
  { email, verifiedAt }: Pick<Address, 'email' | 'verifiedAt'>,
): Promise<Lapse | undefined> {
  if (verifiedAt === null) return undefined
  return findLapse(verifiedAt, await ports.store.identity.findMailDomain(domainOf(email)))
}

/** An address of one's own that opens nothing any more. */
export interface LapsedAddress {
  readonly email: string
  readonly why: Lapse
}

/** Which of an account's addresses have lapsed. */
export async function listLapsed(
  ports: Ports,
  account: Pick<Account, 'id'>,
): Promise<readonly LapsedAddress[]> {
  const addresses = await ports.store.identity.listAddresses(account.id)
  const found = await Promise.all(
    addresses.map(async each => ({ email: each.email, why: await lapseOf(ports, each) })),
  )
  return found.flatMap(({ email, why }) => (why === undefined ? [] : [{ email, why }]))
}

/** For the operator: domains under which addresses have lapsed, with how many. */
export async function listAbandonedDomains(
  ports: Ports,
  actor: Actor,
): Promise<readonly { domain: MailDomain; addresses: number }[]> {
  await authorize(ports, actor, 'instance:operate', '')
  const found = await Promise.all(
    (await ports.store.identity.listMailDomains(shown)).map(async domain => {
      const addresses = await ports.store.identity.listAddressesAt(domain.domain)
      return { domain, addresses: addresses.filter(each => findLapse(each.verifiedAt, domain)).length }
    }),
  )
  return found.filter(each => each.addresses > 0)
}
