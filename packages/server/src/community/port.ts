// SPDX-License-Identifier: Apache-2.0
import type { EventType, PackageName, Version } from '@holdfast/core'
import type { Announcement } from './announcement.ts'
import type { Delivery, Hook } from './hook.ts'
import type { NameTransfer } from './name-transfer.ts'
import type { PolicyPageName, PolicyText } from './policy-page.ts'
import type { Review } from './review.ts'
import type { Watch, WatchKey, WatchSettings } from './watch.ts'

/** As much of an event as news are made of. */
export interface NewsEvent {
  readonly position: number
  readonly id: string
  readonly at: number
  readonly type: EventType
  readonly actorKind: string
  readonly actorId: string
  readonly pkg: PackageName | null
  readonly ver: Version | null
  readonly detail: { readonly [key: string]: unknown }
}

/** What the store keeps of how people and registry reach each other. */
export interface CommunityReads {
  /** The newest text of a page, or the one of this version; undefined where ours was never replaced. */
  findPolicyText(page: PolicyPageName, version?: number): Promise<PolicyText | undefined>
  /** Newest first. */
  listPolicyTexts(page: PolicyPageName, limit: number): Promise<readonly PolicyText[]>
  findAnnouncement(id: string): Promise<Announcement | undefined>
  /** Newest first. */
  listAnnouncements(limit: number): Promise<readonly Announcement[]>
  findTransfer(id: string): Promise<NameTransfer | undefined>
  /** What waits for a name: one at a time. */
  findOpenTransfer(name: PackageName): Promise<NameTransfer | undefined>
  /** Oldest first. */
  listOpenTransfers(limit: number): Promise<readonly NameTransfer[]>
  findReview(id: string): Promise<Review | undefined>
  /** Newest first. */
  listReviews(): Promise<readonly Review[]>
  /** In the order of kind and subject. */
  listWatches(accountId: string): Promise<readonly Watch[]>
  findWatchSettings(accountId: string): Promise<WatchSettings>
  findHook(id: string): Promise<Hook | undefined>
  /** In the order in which they were made. */
  listHooks(accountId: string): Promise<readonly Hook[]>
}

export interface CommunityWrites {
  /** Throws `policy-page-changed` where that version is there already: of two who edit at once one is first. */
  addPolicyText(text: PolicyText): Promise<void>
  setReview(review: Review): Promise<void>
  setTransfer(transfer: NameTransfer): Promise<void>
  setAnnouncement(announcement: Announcement): Promise<void>
  /** One that is there stays as it is. */
  addWatch(watch: Watch): Promise<void>
  removeWatch(watch: Omit<Watch, 'since'>): Promise<void>
  setWatchSettings(accountId: string, settings: WatchSettings): Promise<void>
  /** What waits to be told to somebody is told, or nobody's business any more. */
  removeDue(accountId: string, positions: readonly number[]): Promise<void>
  setHook(hook: Hook): Promise<void>
  /** With what it was told and what waits. */
  removeHook(id: string): Promise<void>
  /** What waits for it, no longer. */
  dropWaiting(hookId: string): Promise<void>
  /** All that is kept of somebody's watching. */
  forgetWatcher(accountId: string): Promise<void>
}

/** What waits to be told, derived from events: the same again changes nothing. */
export interface WatchRows {
  /** Accounts that watch any of these, each once. */
  listWatchers(keys: readonly WatchKey[]): Promise<readonly string[]>
  addDue(accountIds: readonly string[], position: number): Promise<void>
  /** Accounts for whom something waits. */
  listDueAccounts(limit: number, after: string): Promise<readonly string[]>
  /** Positions of events, oldest first. */
  listDue(accountId: string, limit: number): Promise<readonly number[]>
}

/** Messages to people's own addresses, derived from events: the same again changes nothing. */
export interface HookRows {
  /** To every hook of these accounts that is not dead. */
  addDeliveries(accountIds: readonly string[], position: number, at: number): Promise<void>
  /** The oldest that waits of each hook, when its time has come: a hook is told one at a time, in order. */
  listDueDeliveries(now: number, limit: number): Promise<readonly Delivery[]>
  /** Newest first. */
  listDeliveries(hookId: string, limit: number): Promise<readonly Delivery[]>
  setDelivery(delivery: Delivery): Promise<void>
  removeDelivery(delivery: Pick<Delivery, 'hookId' | 'position'>): Promise<void>
  setFailing(hookId: string, since: number | null): Promise<void>
  removeOldDeliveries(before: number): Promise<void>
}
