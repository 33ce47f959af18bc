// SPDX-License-Identifier: Apache-2.0
/** Versions that wait for somebody else's approval. To everybody who may not approve them they do not exist. */
import type { Digest, DistTag, PackageName, Version } from '@holdfast/core'
import type { Package } from './port.ts'

/** A version that was looked into and waits. Its name and number are taken meanwhile. */
export interface Staged {
  /** A random UUID. */
  readonly id: string
  readonly package: PackageName
  readonly version: Version
  readonly tag: DistTag
  /** JSON text of the version object as the client sent it. */
  readonly manifest: string
  /** As the client sent it; empty when it sent none. */
  readonly readme: string
  readonly digest: Digest
  readonly shasum: string
  readonly sizeBytes: number
  readonly stagedAt: number
  readonly expiresAt: number
  /** An account, or the trusted publisher or robot that did. */
  readonly stagerId: string
  readonly stagerKind: 'person' | 'job' | 'robot'
  /** Login at the time of reading; empty when the account is gone, and for machines. */
  readonly stagerLogin: string
  readonly tokenId: string
  /** JSON text of what its provenance was found to prove when it was staged; empty for none. */
  readonly proof: string
}

/** Somebody's yes to a staged version. */
export interface StageApproval {
  readonly accountId: string
  readonly login: string
  readonly at: number
}

export interface StageReads {
  find(id: string): Promise<Staged | undefined>
  findByVersion(name: PackageName, version: Version): Promise<Staged | undefined>
  /** Of these packages, the oldest first. */
  list(names: readonly PackageName[]): Promise<readonly Staged[]>
  count(name: PackageName): Promise<number>
  /** The oldest first. */
  listApprovals(id: string): Promise<readonly StageApproval[]>
  /** Those that waited too long. */
  listExpired(now: number, limit: number): Promise<readonly Staged[]>
}

export interface StageWrites {
  /** Throws `version-staged` where one of this name and number waits. */
  add(staged: Omit<Staged, 'stagerLogin'>): Promise<void>
  /** Others who decide on it wait from here on. False when it is no longer there. */
  hold(id: string): Promise<boolean>
  /** False when this account said so before. */
  approve(id: string, accountId: string, at: number): Promise<boolean>
  /** With its approvals; false when it is no longer there: of those who decide at once one does. */
  remove(id: string): Promise<boolean>
}

/** How many people approve a version of this package before it is published; 0 where one may also publish alone. */
export function approvalsOf({ approvals, approvalsBefore, approvalsFrom }: Package, now: number): number {
  return now < approvalsFrom ? Math.max(approvals, approvalsBefore) : approvals
}
