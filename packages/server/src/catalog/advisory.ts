// SPDX-License-Identifier: Apache-2.0
import { compareVersions, readVersionRange, type Version, type VersionRange } from '@holdfast/core'
import type { Advisory, Severity } from './policy.ts'

const all: VersionRange = () => true
const none: VersionRange = () => false

/**
 * The versions an advisory is about, for the policy, audits, pages and whoever matches: there is no other matcher. One whose range
 * cannot be read is about all: silence would be the danger. One that was withdrawn is about none.
 */
export function readCovered({ range, withdrawnAt }: Pick<Advisory, 'range' | 'withdrawnAt'>): VersionRange {
  return withdrawnAt === null ? (readVersionRange(range) ?? all) : none
}

/** Whether an advisory is about a version. */
export function covers(advisory: Pick<Advisory, 'range' | 'withdrawnAt'>, version: Version): boolean {
  return readCovered(advisory)(version)
}

/**
 * Advisories of one thing under several names, each group once: `GHSA-…`, the `CVE-…` it is an alias of, and `MAL-…` of the same.
 * Who names whom does not matter, nor whether they name one another in a circle.
 */
export function groupAliases<Told extends Pick<Advisory, 'id' | 'aliases'>>(
  told: readonly Told[],
): readonly (readonly Told[])[] {
  const leaders = new Map<string, string>()
  const leaderOf = (id: string): string => {
    let at = id
    for (let next = leaders.get(at); next !== undefined && next !== at; next = leaders.get(at)) at = next
    leaders.set(id, at)
    return at
  }
  for (const { id, aliases } of told) for (const alias of aliases) leaders.set(leaderOf(alias), leaderOf(id))
  return [...Map.groupBy(told, ({ id }) => leaderOf(id)).values()]
}

const severities: readonly Severity[] = ['low', 'moderate', 'high', 'critical']

/** Advisories of one package with each group of names for one thing as one, as bad and as wide as any of them says. */
export function mergeAliases(told: readonly Advisory[]): readonly Advisory[] {
  return groupAliases(told).map(merge)
}

function merge(group: readonly Advisory[]): Advisory {
  // What GitHub calls it is what clients can show and leave out.
  const [first, ...others] = group.toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1))
  if (first === undefined || others.length === 0) return first as Advisory
  const ranges = new Set([first, ...others].map(each => each.range))
  const names = new Set(group.flatMap(each => [each.id, ...each.aliases]))
  names.delete(first.id)
  return {
    ...first,
    aliases: [...names],
    kind: group.some(each => each.kind === 'malware') ? 'malware' : 'vulnerability',
    severity: group.map(each => each.severity).reduce(worse),
    cvss: group.map(each => each.cvss).reduce((a, b) => ((b?.score ?? -1) > (a?.score ?? -1) ? b : a)),
    cwe: [...new Set(group.flatMap(each => each.cwe))],
    range: ranges.has('*') ? '*' : [...ranges].join(' || '),
    fixed: [...new Set(group.flatMap(each => each.fixed))],
  }
}

function rank({ id }: Advisory): number {
  return id.startsWith('GHSA-') ? 0 : 1
}

function worse(one: Severity, other: Severity): Severity {
  return severities.indexOf(one) < severities.indexOf(other) ? other : one
}

/** From each fix up to where the next trouble begins, as clients write ranges; `<0.0.0` where nothing is mended. */
export function patchedRange(advisory: Pick<Advisory, 'range' | 'fixed'>): string {
  const covered = readCovered({ ...advisory, withdrawnAt: null })
  const begins = [...advisory.range.matchAll(/>=([^\s|]+)/g)].map(each => each[1] as Version)
  const gaps = new Map<Version | undefined, Version>()
  for (const fix of advisory.fixed.filter(each => !covered(each)).sort(compareVersions)) {
    const next = begins.filter(each => compareVersions(each, fix) > 0).sort(compareVersions)[0]
    if (!gaps.has(next)) gaps.set(next, fix)
  }
  if (gaps.size === 0) return '<0.0.0'
  return [...gaps].map(([next, fix]) => (next === undefined ? `>=${fix}` : `>=${fix} <${next}`)).join(' || ')
}
