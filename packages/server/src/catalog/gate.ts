// SPDX-License-Identifier: Apache-2.0
import {
  compareVersions,
  type DistTag,
  isPrerelease,
  newestVersion,
  type Problem,
  problem,
  type Status,
  statusTable,
  type Version,
} from '@holdfast/core'
import type { VersionFacts } from './port.ts'

/** What the gate says of one version. Every path that shows or serves a version asks for it. */
export interface Decision {
  readonly status: Status
  /** In the packument. */
  readonly listed: boolean
  /** Ranges and tags may pick it. */
  readonly resolves: boolean
  readonly searchable: boolean
  /** Its tarball goes out when asked for by exact URL. */
  readonly served: boolean
  /** Why, in words; empty while live. */
  readonly reason: string
  /** What npm shows as `deprecated`, empty when nothing. */
  readonly deprecated: string
}

/** The gate: answers for one version from its facts alone, so that no two paths can disagree. */
export function decide(facts: VersionFacts): Decision {
  const row = statusTable[facts.status]
  return {
    status: facts.status,
    listed: row.listed,
    resolves: row.resolves,
    searchable: row.searchable,
    served: row.served,
    reason: facts.reason,
    deprecated: facts.status === 'yanked' ? `yanked: ${facts.reason}` : facts.deprecated,
  }
}

/** The problem a closed gate answers with, naming what may be used instead. */
export function refuse(name: string, facts: VersionFacts, all: readonly VersionFacts[]): Problem {
  const next = nextAllowed(all, facts.version)
  const data = { name, version: facts.version, reason: tellReason(facts), next: next ?? 'none' }
  return problem(statusTable[facts.status].problem ?? 'version-not-found', data)
}

/** Why a version is closed, with the rule by its name where one closed it: people ask their operators about it. */
export function tellReason({ reason, rule }: VersionFacts): string {
  return rule === '' ? reason : `${reason} (rule ${rule})`
}

/** The smallest newer version that resolves, else the newest one that does. */
export function nextAllowed(all: readonly VersionFacts[], version: Version): Version | undefined {
  const open = all.filter(facts => decide(facts).resolves).map(facts => facts.version)
  const newer = open.filter(
    each => compareVersions(each, version) > 0 && (isPrerelease(version) || !isPrerelease(each)),
  )
  return newer.sort(compareVersions)[0] ?? newestVersion(open)
}

/**
 * Tags as readers see them. A tag whose version does not resolve falls back to the newest version that does and is
 * not newer than it, else to the newest; `latest` never points at nothing while something is listed.
 */
export function fallbackTags(
  tags: ReadonlyMap<DistTag, Version>,
  all: readonly VersionFacts[],
): ReadonlyMap<DistTag, Version> {
  const resolving = all.filter(facts => decide(facts).resolves).map(facts => facts.version)
  const listed = all.filter(facts => decide(facts).listed).map(facts => facts.version)
  const open = resolving.length > 0 ? resolving : listed
  const isOpen = new Set(open)
  const shown = new Map<DistTag, Version>()
  let fallback: ((wanted: Version) => Version | undefined) | undefined
  for (const [tag, version] of tags) {
    if (!isOpen.has(version)) fallback ??= openFallback(open)
    const target = isOpen.has(version) ? version : fallback?.(version)
    if (target !== undefined) shown.set(tag, target)
  }
  const latest = 'latest' as DistTag
  const newest = shown.has(latest) ? undefined : newestVersion(open)
  if (newest !== undefined) shown.set(latest, newest)
  return shown
}

/** The newest older one of these, stable ones first, else the newest. Sorted once: a package may have thousands of tags. */
function openFallback(open: readonly Version[]): (wanted: Version) => Version | undefined {
  const ordered = open.toSorted(compareVersions)
  const stable = ordered.filter(each => !isPrerelease(each))
  const newest = newestVersion(open)
  return wanted => lastBelow(stable, wanted) ?? lastBelow(ordered, wanted) ?? newest
}

function lastBelow(ordered: readonly Version[], version: Version): Version | undefined {
  let [low, high] = [0, ordered.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareVersions(ordered[middle] ?? version, version) < 0) low = middle + 1
    else high = middle
  }
  return ordered[low - 1]
}
