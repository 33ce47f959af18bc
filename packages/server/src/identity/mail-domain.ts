// SPDX-License-Identifier: Apache-2.0
/** The domains of mail addresses: one that lapsed, or has a new owner, lets strangers read its mail. */

/** What was found of a domain when it was last looked at. */
export interface MailDomain {
  readonly domain: string
  readonly checkedAt: number
  /** Whether it is delegated and some host takes mail for it. */
  readonly takesMail: boolean
  /** When it was registered, where a registry says so. */
  readonly registeredAt: number | null
}

/** What the network says of a domain right now; undefined where it gave no answer that counts. */
export interface DomainFacts {
  readonly takesMail: boolean | undefined
  readonly registeredAt: number | undefined
}

/** Why an address opens nothing any more. */
export type Lapse = 'no-mail' | 'new-owner'

/** A proven address, and whose it is. */
export interface ProvenAddress {
  readonly accountId: string
  readonly email: string
  readonly verifiedAt: number
}

export interface MailDomainReads {
  findMailDomain(domain: string): Promise<MailDomain | undefined>
  /** Domains of proven addresses that were not looked at since `before`, longest ago first. */
  listMailDomainsDue(before: number, limit: number): Promise<readonly string[]>
  /** Proven addresses at a domain. */
  listAddressesAt(domain: string): Promise<readonly ProvenAddress[]>
  /** What is known of every domain that is not fine, or was registered lately, newest look first. */
  listMailDomains(limit: number): Promise<readonly MailDomain[]>
}

export interface MailDomainWrites {
  saveMailDomain(found: MailDomain): Promise<void>
}

/**
 * Whether an address proven then still belongs to whoever proved it. A domain registered after that has another owner,
 * or had one in between; one that takes no mail can be registered by anybody soon.
 */
export function findLapse(verifiedAt: number, domain: MailDomain | undefined): Lapse | undefined {
  if (domain === undefined) return undefined
  if (domain.registeredAt !== null && domain.registeredAt > verifiedAt) return 'new-owner'
  // Whoever proved it after the look received a letter there: the domain was back.
  return !domain.takesMail && domain.checkedAt > verifiedAt ? 'no-mail' : undefined
}

/** The domain of an address, as it is looked up. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1).toLowerCase()
}
