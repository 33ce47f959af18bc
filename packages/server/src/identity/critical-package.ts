// SPDX-License-Identifier: Apache-2.0
/** Packages that many rely on, so that their maintainers need second factors that cannot be phished. */
import type { PackageName } from '@holdfast/core'

/** Computed from use, or marked by a person. A package may be both. */
export type CriticalSource = 'computed' | 'marked'

export interface CriticalPackage {
  readonly package: PackageName
  readonly source: CriticalSource
  /** Why, in words shown to people. */
  readonly why: string
  readonly since: number
  /** From when its rule binds: a computed one gives notice, a marked one none. */
  readonly bindsAt: number
}

/** A package and how often it is used. */
export interface Use {
  readonly package: PackageName
  readonly count: number
}

export interface CriticalReads {
  /** Why a package is critical: none, one or two entries. */
  findCritical(name: PackageName): Promise<readonly CriticalPackage[]>
  listCritical(): Promise<readonly CriticalPackage[]>
  /** The packages with most downloads since a day, most first. */
  listMostDownloaded(sinceMs: number, limit: number): Promise<readonly Use[]>
  /** The packages that most others depend on, most first. */
  listMostDependedOn(limit: number): Promise<readonly Use[]>
}

export interface CriticalWrites {
  /** Adds an entry, or replaces the one of the same package and source. */
  setCritical(entry: CriticalPackage): Promise<void>
  removeCritical(name: PackageName, source: CriticalSource): Promise<void>
}
