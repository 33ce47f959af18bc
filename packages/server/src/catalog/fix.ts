// SPDX-License-Identifier: Apache-2.0
/**
 * The way past the release age for what mends a known flaw. Attackers would love it: an advisory somebody wrote years ago,
 * and a new malicious version that "fixes" it. So a version passes only where the feed itself named it, in an advisory that is
 * new as well and that was changed after the version was out, where nothing else about it is new and screening finds nothing.
 */
import { compareVersions, isPrerelease, type Version } from '@holdfast/core'
import { isWeaker } from './history.ts'
import type { Advisory } from './policy.ts'
import type { KeptFacts } from './port.ts'
import type { Evidence } from './rule.ts'
import type { Screening } from './screening.ts'

const dayMs = 24 * 3600_000
/** An advisory that was out for longer before the version came does not vouch for it: anybody can take the number it names. */
const freshMs = 14 * dayMs

/** Why a version may pass before it is old enough, or undefined. `establishedBefore` says since when others count as old. */
export function findFix(
  evidence: Evidence,
  kept: KeptFacts,
  establishedBefore: number,
): { readonly kind: 'fix' | 'siblings'; readonly why: string } | undefined {
  // Mostly there are none, and versions without end to look for what they replace.
  const mending = evidence.advisories.filter(each => vouches(each, kept))
  const sibling = evidence.siblingAdvisories.find(each => vouches(each, kept))
  if (mending.length === 0 && sibling === undefined) return undefined
  const replaced = findReplaced(evidence, kept, establishedBefore)
  if (replaced === undefined || !isUnsuspicious(kept, replaced)) return undefined
  if (!isClean(evidence.context.screenings.get(kept.version))) return undefined
  const mended = mending.find(
    each =>
      each.covers(replaced.version) &&
      !each.covers(kept.version) &&
      isLowestFix(each, replaced.version, kept.version),
  )
  if (mended !== undefined) return { kind: 'fix', why: `it fixes ${mended.id} of ${replaced.version}` }
  // Packages that are released together need one another: @acme/core 1.2.4 installs @acme/parser 1.2.4.
  return (
    sibling && {
      kind: 'siblings',
      why: `it was released with the fix of ${sibling.id} in ${sibling.package}`,
    }
  )
}

/** The version people have who would take this one: the newest older one that is out for long enough and stands. */
function findReplaced(
  { kept }: Evidence,
  { version }: KeptFacts,
  establishedBefore: number,
): KeptFacts | undefined {
  let newest: KeptFacts | undefined
  for (const each of kept) {
    const isCandidate =
      (each.status === 'live' || each.status === 'yanked') &&
      each.traits.knownSince <= establishedBefore &&
      !isPrerelease(each.version) &&
      compareVersions(each.version, version) < 0
    if (isCandidate && (newest === undefined || compareVersions(each.version, newest.version) > 0))
      newest = each
  }
  return newest
}

/** The feed names this very version, spoke after it was out, and did not wait for somebody to publish it. */
function vouches(advisory: Advisory, { version, traits }: KeptFacts): boolean {
  return (
    advisory.kind === 'vulnerability' &&
    advisory.fixed.includes(version) &&
    advisory.modifiedAt >= traits.knownSince &&
    advisory.publishedAt >= traits.knownSince - freshMs
  )
}

/** A later version on the same road adds more than the fix. */
function isLowestFix({ fixed }: Advisory, replaced: Version, version: Version): boolean {
  return !fixed.some(each => compareVersions(each, replaced) > 0 && compareVersions(each, version) < 0)
}

/**
 * Screening found nothing to warn of, or somebody looked and let it go. What never came in is screened before its first byte, and
 * asked about again then.
 */
function isClean(found: Screening | undefined): boolean {
  return found === undefined || found.state === 'allow' || found.state === 'due' || found.hold === 'released'
}

/** Same hands, same evidence, no new code that runs by itself, nothing new that comes along. */
function isUnsuspicious({ traits }: KeptFacts, { traits: before }: KeptFacts): boolean {
  const isKnown = new Set(before.dependencies)
  return (
    traits.publisher !== '' &&
    traits.publisher === before.publisher &&
    !isWeaker(traits.provenance, before.provenance) &&
    traits.signature !== 'broken' &&
    (traits.signature !== 'missing' || before.signature === 'missing') &&
    (before.hasInstallScript || !traits.hasInstallScript) &&
    traits.dependencies.every(name => isKnown.has(name))
  )
}
