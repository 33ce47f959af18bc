// SPDX-License-Identifier: Apache-2.0
/** Where a version was built, as far as it was proved, and what its package must prove from now on. */
import { formatIntegrity, type PackageName, problem, type Version } from '@holdfast/core'
import type { Actor } from '../identity/index.ts'
import {
  type BuildFacts,
  isDeclaredSource,
  isLowerTrust,
  noTrust,
  type PackageTrust,
  type ProvenanceFinding,
  readSlsa,
  type SlsaLevel,
  type TrustLevel,
  trustLevelAt,
} from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { explainVersion } from './why.ts'

/** What is known of a version's provenance; times in milliseconds since the epoch. */
export interface ProvenanceWords {
  readonly name: PackageName
  readonly version: Version
  readonly origin: string
  /** Of the bytes, as lock files have it; empty where they are not here. */
  readonly integrity: string
  readonly state: 'none' | ProvenanceFinding['kind']
  /** Of what does not hold, or nobody could look at. */
  readonly why: string
  readonly build: BuildFacts | null
  readonly slsa: SlsaLevel
  /** Whether package.json names the repository it was built from; null where nothing can be compared. */
  readonly isDeclared: boolean | null
  /** Since when the repository is not there; null while it is, or nobody asked. */
  readonly sourceGoneSince: number | null
  /** The bundle as it was published here. */
  readonly bundle: BundleWords | null
  /** What a version published here shows, and what those before it showed where that was more. */
  readonly level: TrustLevel | null
  readonly loweredFrom: TrustLevel | null
  /** What the next version published here must show. */
  readonly demand: PackageTrust | null
}

/** What was checked of a bundle, and when. */
export interface BundleWords {
  readonly predicateType: string
  readonly sha256: string
  /** SHA-256 of the trust root. */
  readonly root: string
  readonly isPublic: boolean
  readonly signedAt: number
  readonly verifiedAt: number
}

/** What is known, for whoever may read the package. Throws `package-not-found`, `version-not-found`. */
export async function explainProvenance(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  version: Version,
): Promise<ProvenanceWords> {
  const told = await explainVersion(ports, actor, name, version)
  return told.origin === 'hosted'
    ? explainOwn(ports, name, version)
    : explainUpstreams(ports, name, version, told.origin, told.provenance)
}

async function explainOwn(
  { store, clock }: Ports,
  name: PackageName,
  version: Version,
): Promise<ProvenanceWords> {
  const kept = await store.catalog.findVersion(name, version)
  if (kept === undefined) throw problem('version-not-found', { name, version })
  const proof = await store.trust.findProvenance(name, version)
  const { repository } = JSON.parse(kept.manifest) as { repository?: unknown }
  const declared = proof && isDeclaredSource(repository, proof.build.repository)
  const trust = (await store.trust.findTrust(name)) ?? noTrust
  return {
    ...{ name, version, origin: 'hosted', why: '' },
    integrity: formatIntegrity(kept.digest),
    state: proof === undefined ? 'none' : 'verified',
    build: proof?.build ?? null,
    slsa: readSlsa(proof?.build),
    isDeclared: declared ?? null,
    sourceGoneSince: (proof && (await store.sourceLinks.find(proof.build.repository)))?.goneSince ?? null,
    bundle: proof === undefined ? null : bundleOf(proof),
    ...levelsOf(await store.trust.listShown(name), version),
    demand: { ...trust, level: trustLevelAt(trust, clock()) },
  }
}

/** What versions before this one proved, where that was more; null where it was not. */
export async function findLowered(
  { store }: Pick<Ports, 'store'>,
  name: PackageName,
  version: Version,
): Promise<TrustLevel | null> {
  return levelsOf(await store.trust.listShown(name), version).loweredFrom
}

function bundleOf({ predicateType, sha256, root, isPublic, signedAt, verifiedAt }: BundleWords): BundleWords {
  return { predicateType, sha256, root, isPublic, signedAt, verifiedAt }
}

function levelsOf(
  shown: readonly { readonly version: Version; readonly level: TrustLevel }[],
  version: Version,
): Pick<ProvenanceWords, 'level' | 'loweredFrom'> {
  const at = shown.findIndex(each => each.version === version)
  const level = shown[at]?.level ?? 'none'
  const best = shown
    .slice(0, at)
    .reduce<TrustLevel>((most, each) => (isLowerTrust(most, each.level) ? each.level : most), 'none')
  return { level, loweredFrom: isLowerTrust(level, best) ? best : null }
}

async function explainUpstreams(
  { store }: Ports,
  name: PackageName,
  version: Version,
  origin: string,
  found: ProvenanceFinding | undefined,
): Promise<ProvenanceWords> {
  const ingested = await store.mirrors.findIngested(name, version)
  const build = found?.kind === 'verified' ? found.build : null
  return {
    ...{ name, version, origin, build },
    integrity: ingested === undefined ? '' : formatIntegrity(ingested.digest),
    state: found?.kind ?? 'none',
    why: found === undefined || found.kind === 'verified' ? '' : found.why,
    slsa: readSlsa(build ?? undefined),
    ...{
      isDeclared: null,
      sourceGoneSince: null,
      bundle: null,
      level: null,
      loweredFrom: null,
      demand: null,
    },
  }
}
