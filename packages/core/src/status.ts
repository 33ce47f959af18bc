// SPDX-License-Identifier: Apache-2.0
import type { EventType } from './event.ts'
import type { ProblemCode } from './problem-table.ts'

/** Where a version stands. */
export type Status =
  | 'pending'
  | 'staged'
  | 'live'
  | 'yanked'
  | 'cooling'
  | 'held'
  | 'quarantined'
  | 'blocked'
  | 'removed'

/** What every path does with a version of one status, and which events lead there and away. */
export interface StatusRow {
  /** Stands in the packument. */
  readonly listed: boolean
  readonly searchable: boolean
  /** Ranges and tags may pick it. */
  readonly resolves: boolean
  /** The tarball is given by its exact URL. */
  readonly served: boolean
  /** The answer to the exact tarball URL, for somebody without special rights. */
  readonly httpStatus: 200 | 403 | 404 | 410
  readonly problem?: ProblemCode
  readonly enteredBy: readonly EventType[]
  /** Empty where only time ends it. */
  readonly leftBy: readonly EventType[]
  readonly reversible: boolean
}

const hidden = { listed: false, searchable: false, resolves: false, served: false } as const

/** The gate's table: one row a status, asked by every path that shows or serves a version. */
export const statusTable: Readonly<Record<Status, StatusRow>> = {
  // To outsiders these do not exist yet: 403 would tell that something is coming.
  pending: {
    ...hidden,
    httpStatus: 404,
    problem: 'version-not-found',
    enteredBy: ['publish'],
    leftBy: ['hold', 'quarantine', 'unpublish'],
    reversible: false,
  },
  staged: {
    ...hidden,
    httpStatus: 404,
    problem: 'version-not-found',
    enteredBy: ['stage'],
    leftBy: ['publish', 'stage'],
    reversible: true,
  },
  live: {
    listed: true,
    searchable: true,
    resolves: true,
    served: true,
    httpStatus: 200,
    enteredBy: ['publish', 'release', 'unyank'],
    leftBy: ['hold', 'policy', 'quarantine', 'unpublish', 'yank'],
    reversible: true,
  },
  // Exact pins and lock files keep working; tags move off it.
  yanked: {
    listed: true,
    searchable: false,
    resolves: false,
    served: true,
    httpStatus: 200,
    enteredBy: ['yank'],
    leftBy: ['quarantine', 'unpublish', 'unyank'],
    reversible: true,
  },
  cooling: {
    ...hidden,
    httpStatus: 403,
    problem: 'version-cooling',
    enteredBy: ['policy', 'publish'],
    leftBy: ['hold', 'policy', 'quarantine', 'unpublish'],
    reversible: true,
  },
  held: {
    ...hidden,
    httpStatus: 403,
    problem: 'version-held',
    enteredBy: ['hold'],
    leftBy: ['quarantine', 'release', 'unpublish'],
    reversible: true,
  },
  quarantined: {
    ...hidden,
    httpStatus: 403,
    problem: 'version-quarantined',
    enteredBy: ['quarantine'],
    leftBy: ['release', 'unpublish'],
    reversible: true,
  },
  blocked: {
    ...hidden,
    httpStatus: 403,
    problem: 'version-blocked',
    enteredBy: ['policy'],
    leftBy: ['policy', 'quarantine', 'unpublish'],
    reversible: true,
  },
  removed: {
    ...hidden,
    httpStatus: 410,
    problem: 'version-removed',
    enteredBy: ['unpublish'],
    leftBy: [],
    reversible: false,
  },
}
