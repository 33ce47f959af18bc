// SPDX-License-Identifier: Apache-2.0
/** What screening found in a version, and what became of that: one row a version, hosted or of an upstream. */
import type { Digest, PackageName, Version } from '@holdfast/core'
import type { OriginName } from './upstream.ts'

/** One thing that stands in a version, or in how it was published, and speaks against it. */
export interface Finding {
  readonly rule: string
  /** Empty where it is about no file. */
  readonly file: string
  readonly line: number
  readonly excerpt: string
  readonly why: string
  readonly weight: number
}

/** `due` was not screened yet, `failed` could not be: neither is a pass. */
export type ScreeningState = 'due' | 'failed' | 'allow' | 'warn' | 'hold'

/** What became of a hold. `none` where there never was one. */
export type HoldState = 'none' | 'open' | 'released' | 'confirmed'

export interface Screening {
  readonly package: PackageName
  readonly version: Version
  readonly origin: OriginName
  readonly digest: Digest
  readonly state: ScreeningState
  readonly score: number
  /** Digest of the rules that said it; empty where none did. */
  readonly rules: string
  readonly findings: readonly Finding[]
  /** Why it could not be screened; empty where it was. */
  readonly fault: string
  /** Young, or new and little used, when it was looked at: what is found may close it. */
  readonly mayHold: boolean
  readonly screenedAt: number
  readonly hold: HoldState
  /** Milliseconds since the epoch; null where there was no hold. */
  readonly heldAt: number | null
  /** How often people were reminded that nobody decided. */
  readonly reminders: number
  /** Id of an account, `operator`, or a part of the instance; empty while nobody decided. */
  readonly decidedBy: string
  readonly decidedAt: number | null
  /** What whoever decided said. */
  readonly words: string
}

export interface ScreeningReads {
  find(name: PackageName, version: Version): Promise<Screening | undefined>
  /** Of a package, in the order of versions' names. */
  list(name: PackageName): Promise<readonly Screening[]>
  /** Holds in a state, the oldest first. */
  listHolds(state: HoldState, limit: number): Promise<readonly Screening[]>
  /** What was never screened or could not be, the longest waiting first. */
  listDue(limit: number): Promise<readonly Screening[]>
  /** What other rules screened, the newest first. */
  listOutdated(rules: string, limit: number): Promise<readonly Screening[]>
  countOutdated(rules: string): Promise<number>
  countDue(): Promise<number>
  /** Open holds since before a time of which people were reminded less often, the oldest first. */
  listOverdue(heldBefore: number, reminders: number, limit: number): Promise<readonly Screening[]>
}

export interface ScreeningWrites {
  /** Replaces what is kept of the version. */
  set(screening: Screening): Promise<void>
  /** Counts one reminder of an open hold; false where that was counted before. */
  noteReminder(name: PackageName, version: Version, reminders: number): Promise<boolean>
  /** Ends an open hold; false where there is none. */
  settle(
    name: PackageName,
    version: Version,
    hold: 'released' | 'confirmed',
    by: string,
    at: number,
    words: string,
  ): Promise<boolean>
}
