// SPDX-License-Identifier: Apache-2.0
/** What a log's leaves, read from the first to the last, say that a registry must be like. */
import type { DistTag } from '../dist-tag.ts'
import { findLeafFault } from '../event.ts'
import type { PackageName } from '../package-name.ts'
import type { Status } from '../status.ts'
import type { Version } from '../version.ts'
import type { Leaf } from './leaf.ts'

/** A version as its leaves leave it. One that is not covered yet counts as what it becomes. */
export interface ReplayedVersion {
  readonly status: Extract<Status, 'staged' | 'live' | 'yanked' | 'held' | 'quarantined' | 'removed'>
  /** Bytes that are published here, or came in from an upstream. */
  readonly source: 'hosted' | 'upstream'
  /** `sha512-…`; empty while only measures spoke of it. */
  readonly integrity: string
  /** `sha256-…` of the document with the message; empty for none. */
  readonly deprecated: string
}

/** A package as its leaves leave it. */
export interface ReplayedPackage {
  readonly versions: ReadonlyMap<Version, ReplayedVersion>
  readonly tags: ReadonlyMap<DistTag, Version>
  /** Roles of accounts and rights of teams, by their ids. */
  readonly roles: ReadonlyMap<string, string>
}

/** All packages, and what the leaves say that cannot be. */
export interface Replay {
  readonly packages: ReadonlyMap<PackageName, ReplayedPackage>
  readonly faults: readonly string[]
}

interface Told {
  readonly versions: Map<Version, ReplayedVersion>
  readonly tags: Map<DistTag, Version>
  readonly roles: Map<string, string>
}

/** What a leaf says beside what all leaves say, as core's table has it. */
interface Said {
  readonly ver?: Version | ''
  readonly op: string
  readonly tag: DistTag
  readonly msg: string
  readonly role: string
  readonly subject: { readonly id: string }
  readonly dist: { readonly integrity: string }
}

/** Plays leaves of one log, in the order of the log. Types that are not known here change nothing. */
export function replayLeaves(leaves: Iterable<Leaf>): Replay {
  const packages = new Map<PackageName, Told>()
  const faults: string[] = []
  for (const leaf of leaves) {
    if (leaf.link === undefined || !Object.hasOwn(acts, leaf.type)) continue
    const { pkg, seq } = leaf.link
    const told = packages.get(pkg) ?? { versions: new Map(), tags: new Map(), roles: new Map() }
    packages.set(pkg, told)
    const why = findLeafFault(leaf.fields) ?? acts[leaf.type]?.(told, leaf.fields as unknown as Said)
    if (why !== undefined) faults.push(`entry ${seq} of ${pkg} (${leaf.type}): ${why}`)
  }
  return { packages, faults }
}

/** Changes what is told, or says why that cannot be. */
type Act = (told: Told, said: Said) => string | undefined

const acts: Readonly<Record<string, Act>> = {
  publish: ({ versions }, { ver, dist }) => {
    const before = versions.get(ver as Version)
    if (before?.source === 'hosted' && before.status !== 'staged') return `${ver} is there already`
    versions.set(ver as Version, { ...fresh, source: 'hosted', integrity: dist.integrity })
    return undefined
  },
  stage: ({ versions }, { ver, op }) => {
    if (op === 'add') versions.set(ver as Version, { ...fresh, source: 'hosted', status: 'staged' })
    else if (versions.get(ver as Version)?.status === 'staged') versions.delete(ver as Version)
    else return `${ver} does not wait`
    return undefined
  },
  ingest: ({ versions }, { ver, dist: { integrity } }) => {
    const before = versions.get(ver as Version) ?? fresh
    if (before.source === 'hosted') return `${ver} is published here`
    if (before.integrity !== '' && before.integrity !== integrity) return `${ver} came in with other bytes`
    versions.set(ver as Version, { ...before, integrity })
    return undefined
  },
  yank: move('yanked'),
  unyank: move('live'),
  hold: move('held'),
  quarantine: move('quarantined'),
  release: move('live'),
  unpublish: (told, said) => {
    const why = move('removed')(told, said)
    if (said.ver === undefined) told.tags.clear()
    return why
  },
  deprecate: ({ versions }, { ver, msg }) => {
    const before = versions.get(ver as Version)
    if (before === undefined) return `${ver} is not there`
    versions.set(ver as Version, { ...before, deprecated: msg })
    return undefined
  },
  'dist-tag': ({ tags }, { tag, ver }) => {
    if (ver === '' || ver === undefined) tags.delete(tag)
    else tags.set(tag, ver)
    return undefined
  },
  owner: ({ roles }, { op, subject, role }) => {
    if (op === 'remove') roles.delete(subject.id)
    else roles.set(subject.id, role)
    return undefined
  },
}

/** An upstream's version may be measured before its bytes come in. */
const fresh: ReplayedVersion = { status: 'live', source: 'upstream', integrity: '', deprecated: '' }

/** A new status of one version, or of all that are there. */
function move(status: ReplayedVersion['status']): Act {
  return ({ versions }, { ver }) => {
    const isThere = (each: ReplayedVersion) => each.status !== 'removed' && each.status !== 'staged'
    if (ver === undefined) {
      for (const [version, each] of versions) if (isThere(each)) versions.set(version, { ...each, status })
      return undefined
    }
    const before = versions.get(ver as Version) ?? fresh
    if (!isThere(before)) return `${ver} is ${before.status}`
    versions.set(ver as Version, { ...before, status })
    return undefined
  }
}
