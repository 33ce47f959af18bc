// SPDX-License-Identifier: Apache-2.0
import { readVersionRange, type Version, type VersionRange } from '@holdfast/core'
import type { Advisory } from './policy.ts'

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
