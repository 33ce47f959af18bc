// SPDX-License-Identifier: Apache-2.0
/** What the store keeps of CI jobs, their trusted publishers, and robots. */
import type { PackageName } from '@holdfast/core'
import type { JobFacts } from './job-facts.ts'
import type { PublisherRule, TrustedPublisher } from './trusted-publisher.ts'

/** A job that was given a token: what its issuer said of it. */
export interface Job {
  /** The token it was given. */
  readonly tokenId: string
  /** The trusted publisher, or the organisation's rule for installs, that let it in. */
  readonly publisherId: string
  readonly facts: JobFacts
  readonly at: number
}

export interface MachineReads {
  /** Publishers of a package, pending ones that are over left out; oldest first. */
  listPublishers(name: PackageName, now: number): Promise<readonly TrustedPublisher[]>
  findPublisher(id: string): Promise<TrustedPublisher | undefined>
  /** Pending publishers that an account waits with, over all names. */
  countPending(accountId: string, now: number): Promise<number>
  findJob(tokenId: string): Promise<Job | undefined>
}

export interface MachineWrites {
  addPublisher(publisher: TrustedPublisher): Promise<void>
  /** Ends a publisher; false when it was ended before. What it published stays its. */
  removePublisher(id: string, at: number): Promise<boolean>
  /** Ends the tokens of a publisher's jobs. */
  revokeTokensOf(holderId: string, at: number): Promise<void>
  setPublisherRule(id: string, rule: PublisherRule): Promise<void>
  setPublisherUsed(id: string, at: number): Promise<void>
  /** The name is there now. */
  settlePublisher(id: string): Promise<void>
  /** False when this issuer's token was used before. What need not be remembered any more at `now` is forgotten. */
  useNonce(issuer: string, nonce: string, until: number, now: number): Promise<boolean>
  addJob(job: Job): Promise<void>
}
