// SPDX-License-Identifier: Apache-2.0
/** Who has the bytes that a case is about, and what else contains them. */
import type { PackageName, Version } from '@holdfast/core'

/** One hand that fetched one version: a person, a token or a CI job, from one address with one client. */
export interface Holder {
  readonly package: PackageName
  readonly version: Version
  /** Empty for nobody, and for a machine. */
  readonly accountId: string
  /** Empty for nobody, and for an account that is gone. */
  readonly login: string
  readonly tokenId: string
  /** The CI job that the token was made for. */
  readonly job: { readonly repository: string; readonly workflow: string; readonly run: string } | undefined
  readonly address: string
  readonly client: string
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
}

/** Where a page of holders ended. */
export type HolderMark = Pick<Holder, 'package' | 'version' | 'accountId' | 'tokenId' | 'address' | 'client'>

/** How many there are, all pages together. */
export interface HolderTotals {
  readonly fetches: number
  readonly accounts: number
  readonly tokens: number
  readonly addresses: number
}

/** A hosted package that names another in its manifest. */
export interface DependentEdge {
  readonly package: PackageName
  readonly dependency: PackageName
}

/** A letter to one holder, and whether what it asks for is done. */
export interface BlastLetter {
  readonly incident: string
  readonly accountId: string
  readonly login: string
  readonly sentAt: number
  readonly doneAt: number | null
}

export interface BlastReads {
  /** In the order of packages, versions, accounts, tokens, addresses and clients, those after a mark. */
  listHolders(incident: string, after: HolderMark | undefined, limit: number): Promise<readonly Holder[]>
  sumHolders(incident: string): Promise<HolderTotals>
  /** Accounts that fetched it, in the order of their ids. */
  listHolderAccounts(incident: string, after: string, limit: number): Promise<readonly string[]>
  /** What one account fetched, in the order of packages, versions, tokens, addresses and clients. */
  listOwn(accountId: string, after: HolderMark | undefined, limit: number): Promise<readonly Holder[]>
  /** Hosted packages that depend on any of these. */
  listDependentEdges(names: readonly PackageName[], limit: number): Promise<readonly DependentEdge[]>
  /** In the order of user names. */
  listLetters(incident: string): Promise<readonly BlastLetter[]>
  /** Those to one account, the newest first. */
  listLettersTo(accountId: string): Promise<readonly BlastLetter[]>
}

export interface BlastWrites {
  /** False, and nothing changes, where one was sent before. */
  addLetter(incident: string, accountId: string, at: number): Promise<boolean>
  /** False where there is none, or it was done before. */
  setLetterDone(incident: string, accountId: string, at: number): Promise<boolean>
  forgetLetters(accountId: string): Promise<void>
  /** Forgets what an account fetched, but for what a case that is not closed is about; says how many records went. */
  forgetOwn(accountId: string): Promise<number>
}
