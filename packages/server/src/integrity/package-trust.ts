// SPDX-License-Identifier: Apache-2.0
/** How well a package's versions have proved where they come from, and what the next one may not fall below. */
import type { BuildFacts } from './provenance.ts'

/** From the weakest to the strongest: a token, a trusted CI job, proof of a build, proof of a build from a known source. */
export const trustLevels = ['none', 'oidc', 'provenance', 'source'] as const
export type TrustLevel = (typeof trustLevels)[number]

/** A repository that builds of a package may come from. */
export interface BuildSource {
  readonly issuer: string
  /** Its address. */
  readonly repository: string
  /** Empty until the first build from there told them. */
  readonly repositoryId: string
  readonly ownerId: string
  /** From when it counts. */
  readonly startsAt: number
}

/** What a package's next version must show. */
export interface PackageTrust {
  readonly level: TrustLevel
  /** Where the level is `source`: from any of these. */
  readonly sources: readonly BuildSource[]
  /** What the owners lowered it to, and from when. */
  readonly lowering: { readonly level: TrustLevel; readonly startsAt: number } | null
}

/** What one version shows. */
export interface ShownTrust {
  readonly isByJob: boolean
  readonly build: BuildFacts | undefined
}

/** Of a package that proved nothing yet. */
export const noTrust: PackageTrust = { level: 'none', sources: [], lowering: null }

/** Whether one level proves less than another. */
export function isLowerTrust(one: TrustLevel, other: TrustLevel): boolean {
  return trustLevels.indexOf(one) < trustLevels.indexOf(other)
}

/** The level that counts at `now`. */
export function trustLevelAt({ level, lowering }: PackageTrust, now: number): TrustLevel {
  return lowering !== null && lowering.startsAt <= now ? lowering.level : level
}

/** Why a version falls below what its package reached, or undefined where it does not. */
export function explainDowngrade(
  trust: PackageTrust,
  { isByJob, build }: ShownTrust,
  now: number,
): string | undefined {
  const level = trustLevelAt(trust, now)
  if (level === 'none' || (level === 'oidc' && (isByJob || build !== undefined))) return undefined
  if (level === 'oidc') return 'earlier versions came from a trusted CI job, this one from a token'
  if (build === undefined) return 'earlier versions came with provenance, this one without'
  if (level === 'provenance' || findSource(trust, build, now) !== undefined) return undefined
  const known = trust.sources.map(each => each.repository).join(', ')
  return `it was built from ${build.repository}, and earlier versions from ${known}`
}

/** The trust once a version that shows this is in: never less than before, and the first source stays the source. */
export function raiseTrust(trust: PackageTrust, shown: ShownTrust, now: number): PackageTrust {
  const before = trustLevelAt(trust, now)
  const reached = reachedBy(shown)
  const level = isLowerTrust(before, reached) ? reached : before
  // What took effect is over: from here on it counts as any other level.
  const lowering = before === trust.level ? trust.lowering : null
  if (shown.build === undefined || level !== 'source') return { ...trust, level, lowering }
  return { level, lowering, sources: withSource(trust, shown.build, now) }
}

function reachedBy({ isByJob, build }: ShownTrust): TrustLevel {
  if (build !== undefined) return build.repositoryId === '' ? 'provenance' : 'source'
  return isByJob ? 'oidc' : 'none'
}

/** The sources with the ids of a build that fits one of them; a build that fits none begins the list anew. */
function withSource(trust: PackageTrust, build: BuildFacts, now: number): readonly BuildSource[] {
  const fitting = findSource(trust, build, now)
  const { issuer, repository, repositoryId, ownerId } = build
  if (fitting === undefined) return [{ issuer, repository, repositoryId, ownerId, startsAt: now }]
  return trust.sources.map(each => (each === fitting ? { ...each, repositoryId, ownerId } : each))
}

/** A name that was given up can be registered by anybody; the ids cannot. */
function findSource({ sources }: PackageTrust, build: BuildFacts, now: number): BuildSource | undefined {
  return sources.find(
    each =>
      each.startsAt <= now &&
      each.issuer === build.issuer &&
      each.repository.toLowerCase() === build.repository.toLowerCase() &&
      (each.repositoryId === '' || each.repositoryId === build.repositoryId) &&
      (each.ownerId === '' || each.ownerId === build.ownerId),
  )
}
