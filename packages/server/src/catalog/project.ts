// SPDX-License-Identifier: Apache-2.0
/** What people's projects are made of: the lock files that they submitted, one of a branch. */
import type { LockScope, PackageName, Version } from '@holdfast/core'
import type { Advisory } from './policy.ts'

/** A lock file as it was last submitted for a branch. */
export interface ProjectLock {
  /** `lock-` and sixteen hexadecimal digits; another after each submission. */
  readonly id: string
  /** Id of the account whose project it is, or `@` and the name of the organisation. */
  readonly owner: string
  readonly project: string
  readonly branch: string
  /** Who wrote it: `npm`, `pnpm`, `yarn`, `berry` or `bun`. */
  readonly manager: string
  /** SHA-512 of its text, in hexadecimal. */
  readonly digest: string
  readonly entryCount: number
  /** Id of an account. */
  readonly submittedBy: string
  readonly submittedAt: number
}

/** One version that a lock file binds. */
export interface ProjectEntry {
  readonly package: PackageName
  readonly version: Version
  /** A package of the project itself asks for it. */
  readonly isDirect: boolean
  readonly scope: LockScope
  /** Whether its address is one of this registry; undefined where the lock file does not say. */
  readonly isOwn: boolean | undefined
  /** The shortest way to it, `name@version` each, itself last; its middle is left out where it is long. */
  readonly path: readonly string[]
}

/** An entry, and where it stands. */
export interface ProjectUse extends ProjectEntry {
  readonly lock: ProjectLock
}

/** A use of a package, and something that is known against versions of that. */
export interface ProjectRisk {
  readonly use: ProjectUse
  readonly advisory: Advisory
}

export interface ProjectReads {
  findLock(owner: string, project: string, branch: string): Promise<ProjectLock | undefined>
  /** Of these owners, in the order of projects and branches. */
  listLocks(owners: readonly string[]): Promise<readonly ProjectLock[]>
  listEntries(id: string): Promise<readonly ProjectEntry[]>
  /** Where any of these packages is used, in the order of owners, projects, branches and names. */
  listUses(names: readonly PackageName[], limit: number): Promise<readonly ProjectUse[]>
  /** Uses of packages against which anything is known, whatever version it is about, the advisories that changed last first; of all owners where none are given. */
  listRisks(owners: readonly string[] | undefined, limit: number): Promise<readonly ProjectRisk[]>
}

export interface ProjectWrites {
  /** Takes the place of what was submitted for the branch before. */
  setLock(lock: ProjectLock, entries: readonly ProjectEntry[]): Promise<void>
  /** Forgets a lock file with its entries; false where there is none. */
  removeLock(id: string): Promise<boolean>
  /** Notes that an owner was told of something about a project; false where that was before. */
  noteTold(owner: string, project: string, about: string, at: number): Promise<boolean>
  /** Forgets everything of an owner. */
  forgetOwner(owner: string): Promise<void>
}
