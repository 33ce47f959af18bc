// SPDX-License-Identifier: Apache-2.0
/** What the store keeps of advisories beside the rows that rules read: the records as they came, and who brought them. */
import type { PackageName } from '@holdfast/core'
import type { Advisory } from './policy.ts'

/** A record of the OSV schema as it came: what is served again. */
export interface OsvRecord {
  readonly id: string
  /** JSON. */
  readonly text: string
  /** Who brought it, by the name of the feed. */
  readonly feed: string
  /** By its own word, milliseconds since the epoch. */
  readonly modifiedAt: number
  readonly withdrawnAt: number | null
}

/** Who brings advisories, and how that went the last time. */
export interface Feed {
  readonly name: string
  /** When all of it was last taken in, and when that last changed anything; milliseconds since the epoch. */
  readonly takenAt: number
  readonly changedAt: number
  /** Records that were read then, and what could not be. */
  readonly records: number
  readonly faults: number
  /** The first of the faults in words, or nothing. */
  readonly fault: string
}

/** A record with what it says of packages. */
export interface ReadRecord {
  readonly record: OsvRecord
  readonly advisories: readonly Advisory[]
}

/** A record of a feed that would close what has long been used here: a person looks first. */
export interface WaitingRecord {
  readonly id: string
  readonly text: string
  readonly feed: string
  /** What it would close, in words. */
  readonly why: string
  readonly at: number
  /** What a person refused does not come back until the feed says something else. */
  readonly state: 'waiting' | 'refused'
}

export interface AdvisoryRows {
  /** Those of these ids; all of them without any. */
  listWaiting(ids?: readonly string[]): Promise<readonly WaitingRecord[]>
  listRecords(ids: readonly string[]): Promise<readonly OsvRecord[]>
  /** Those whose ids begin so, by id. */
  listByPrefix(prefix: string, limit: number): Promise<readonly OsvRecord[]>
  /** The packages that each of these records is about. */
  listSubjects(ids: readonly string[]): Promise<ReadonlyMap<string, readonly PackageName[]>>
  /** Ids of the records about a package, after one of them, in order. */
  listRecordIds(name: PackageName, after: string, limit: number): Promise<readonly string[]>
  /** Records about nothing but packages that everybody here may read, by id, after one of them. */
  pageShown(after: string, limit: number): Promise<readonly OsvRecord[]>
  /** Of the same those that changed last, the newest first. */
  listNewest(limit: number): Promise<readonly OsvRecord[]>
  listFeeds(): Promise<readonly Feed[]>
  /** How a feed is doing; a note without consequences, so without an event. */
  noteFeed(feed: Feed): Promise<void>
}

export interface AdvisoryWrites {
  /** Takes the place of what these records said before. At most some hundred at once. */
  setRecords(records: readonly ReadRecord[]): Promise<void>
  /** Takes the place of what waited under this id. */
  setWaiting(record: WaitingRecord): Promise<void>
  dropWaiting(id: string): Promise<void>
}
