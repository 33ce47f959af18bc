// SPDX-License-Identifier: Apache-2.0
import type { KeptFacts } from './port.ts'
import type { VersionTraits } from './upstream.ts'

const dayMs = 24 * 3600_000
/** Who took over a package publishes again soon: only what nobody objected to for so long speaks for its publisher. */
const baselineMs = 14 * dayMs

/** What the versions before one say of it. What is contained speaks for nobody. */
export interface History {
  /** Published by somebody of whom no version is old enough to speak; false while the package itself has no such version. */
  isNewPublisher(kept: KeptFacts): boolean
  /** The strongest evidence of a build among earlier versions. */
  provenanceBefore(kept: KeptFacts): VersionTraits['provenance']
  wasSignedBefore(kept: KeptFacts): boolean
}

/** From the weakest evidence of a build to the strongest. */
const provenances: readonly VersionTraits['provenance'][] = [
  'broken',
  'none',
  'provenance',
  'trusted-publisher',
]

/** Whether the one says less of where a version was built than the other. */
export function isWeaker(one: VersionTraits['provenance'], other: VersionTraits['provenance']): boolean {
  return provenances.indexOf(one) < provenances.indexOf(other)
}

/** Reads the history of a package once, for all its versions. */
export function readHistory(kept: readonly KeptFacts[]): History {
  const speaking = kept
    .filter(each => each.status === 'live' || each.status === 'yanked')
    .sort((a, b) => a.publishedAt - b.publishedAt)
  const firstOf = new Map<string, number>()
  const strongerSince = new Map<VersionTraits['provenance'], number>()
  let signedSince = Number.POSITIVE_INFINITY
  for (const { publishedAt, traits } of speaking) {
    if (!firstOf.has(traits.publisher)) firstOf.set(traits.publisher, publishedAt)
    if (!strongerSince.has(traits.provenance)) strongerSince.set(traits.provenance, publishedAt)
    if (traits.signature === 'verified' && signedSince > publishedAt) signedSince = publishedAt
  }
  const first = speaking[0]?.publishedAt ?? Number.POSITIVE_INFINITY
  return {
    isNewPublisher({ publishedAt, traits }) {
      const baseline = publishedAt - baselineMs
      if (traits.publisher === '' || first > baseline) return false
      return (firstOf.get(traits.publisher) ?? publishedAt) > baseline
    },
    provenanceBefore({ publishedAt }) {
      let strongest: VersionTraits['provenance'] = 'none'
      for (const [provenance, since] of strongerSince)
        if (since < publishedAt && isWeaker(strongest, provenance)) strongest = provenance
      return strongest
    },
    wasSignedBefore: ({ publishedAt }) => signedSince < publishedAt,
  }
}
