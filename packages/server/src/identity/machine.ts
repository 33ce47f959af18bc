// SPDX-License-Identifier: Apache-2.0
/** What the store keeps of CI jobs, their trusted publishers, and robots. */
import type { PackageName, Version } from '@holdfast/core'
import type { CiProvider } from '../config.ts'
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

/** How often one job fetched one version. */
export interface JobDownload {
  readonly version: Version
  readonly facts: JobFacts
  readonly count: number
  readonly lastAt: number
}

/** An organisation's trust in the jobs of one owner at a CI service: they read its restricted packages. */
export interface TrustedReader {
  /** `tp_` and 16 hex characters. */
  readonly id: string
  readonly org: string
  readonly provider: CiProvider
  readonly issuer: string
  /** Never the issuer alone: that would be everybody who has a job there. */
  readonly ownerId: string
  readonly repositoryId?: string | undefined
  /** Generic issuer: claims with the one value each must have. */
  readonly claims?: Readonly<Record<string, string>> | undefined
  readonly createdAt: number
  readonly createdBy: string
}

/** By ids alone: names of owners can be given up and registered by others. */
export function letsIn(reader: TrustedReader, job: JobFacts): boolean {
  const { issuer, provider, ownerId, repositoryId, claims } = reader
  if (issuer !== job.issuer) return false
  if (provider === 'generic')
    return Object.entries(claims ?? {}).every(([name, value]) => job.claims[name] === value)
  return ownerId === job.ownerId && (repositoryId === undefined || repositoryId === job.repositoryId)
}

/** A machine that belongs to an organisation: it stays when people leave. */
export interface Robot {
  /** `rb_` and 16 hex characters. */
  readonly id: string
  readonly org: string
  readonly name: string
  readonly createdAt: number
  readonly createdBy: string
}

export interface MachineReads {
  /** Publishers of a package, pending ones that are over left out; oldest first. */
  listPublishers(name: PackageName, now: number): Promise<readonly TrustedPublisher[]>
  findPublisher(id: string): Promise<TrustedPublisher | undefined>
  /** Pending publishers that an account waits with, over all names. */
  countPending(accountId: string, now: number): Promise<number>
  findJob(tokenId: string): Promise<Job | undefined>
  /**
   * Newest first: what jobs fetched of a package that were let in by it or by this organisation. Jobs that others let in
   * are others' business: names of private repositories.
   */
  listJobDownloads(name: PackageName, org: string, limit: number): Promise<readonly JobDownload[]>
  /** Oldest first. */
  listReaders(org: string): Promise<readonly TrustedReader[]>
  /** One that is still there. */
  findReader(id: string): Promise<TrustedReader | undefined>
  /** Those of all organisations that trust jobs of this issuer. */
  listReadersOfIssuer(issuer: string): Promise<readonly TrustedReader[]>
  /** By name. */
  listRobots(org: string): Promise<readonly Robot[]>
  /** A robot that is still there. */
  findRobot(id: string): Promise<Robot | undefined>
}

export interface MachineWrites {
  addPublisher(publisher: TrustedPublisher): Promise<void>
  /** Ends a publisher; false when it was ended before. What it published stays its. */
  removePublisher(id: string, at: number): Promise<boolean>
  setPublisherRule(id: string, rule: PublisherRule): Promise<void>
  setPublisherUsed(id: string, at: number): Promise<void>
  /** The name is there now. */
  settlePublisher(id: string): Promise<void>
  /** False when this issuer's token was used before. What need not be remembered any more at `now` is forgotten. */
  useNonce(issuer: string, nonce: string, until: number, now: number): Promise<boolean>
  addJob(job: Job): Promise<void>
  addReader(reader: TrustedReader): Promise<void>
  /** False when it was ended before. */
  removeReader(id: string, at: number): Promise<boolean>
  addRobot(robot: Robot): Promise<void>
  /** False when it was ended before. */
  removeRobot(id: string, at: number): Promise<boolean>
}
