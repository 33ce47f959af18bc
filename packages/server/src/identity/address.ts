// SPDX-License-Identifier: Apache-2.0
/** The mail addresses of accounts. An address belongs to whoever proved it first; until then it counts for nothing. */
import type { Account } from './port.ts'

/** One mail address of one account; the primary one is also the account's `email`. */
export interface Address {
  readonly email: string
  readonly verifiedAt: number | null
  readonly createdAt: number
}

export interface AddressReads {
  /** The account that has proven this address. Case-insensitive. */
  findAccountByEmail(email: string): Promise<Account | undefined>
  /** All addresses of an account, oldest first. */
  listAddresses(accountId: string): Promise<readonly Address[]>
}

export interface AddressWrites {
  /** Remembers an address that is not proven yet; fine when the account has it. */
  addAddress(accountId: string, email: string, at: number): Promise<void>
  /** Throws `address-taken` when another account proved it before. */
  setAddressVerified(accountId: string, email: string, at: number): Promise<void>
  /** Makes one of the account's addresses the one that letters go to. */
  setPrimaryAddress(accountId: string, address: Address): Promise<void>
  removeAddress(accountId: string, email: string): Promise<void>
}
