// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import {
  type Digest,
  type DistTag,
  isDrillName,
  isProblem,
  type PackageName,
  type Problem,
  problem,
  scopeOf,
  type Version,
} from '@holdfast/core'
import {
  type Access,
  defaultPolicy,
  fallbackTags,
  type Ingested,
  type JudgeContext,
  judge,
  type KeptFacts,
  type Mirror,
  type OriginName,
  originOf,
  type PackageVersion,
  type Policy,
  type Rule,
  rulesFor,
  settle,
  type UpstreamMeasure,
  type UpstreamVersion,
  type VersionFacts,
  type VersionTraits,
} from '../catalog/index.ts'
import type { KnownMirror, Ports } from '../ports.ts'
import { stoodStillAt } from './feed-state.ts'
import { findLikeness } from './look-alike.ts'

const dayMs = 24 * 3600_000
/** How far back the advisories of a scope can matter: what they name is young, or passes anyway. */
const siblingMs = 60 * dayMs
const askAgainMs = 10_000

/** What it takes to look at a package. */
export type Viewing = Pick<
  Ports,
  'store' | 'clock' | 'mirrors' | 'routes' | 'popular' | 'lookAlikes' | 'advisorySources'
>

/** A package as everybody sees it now: the policy was asked about each of its versions. */
export interface PackageView {
  readonly name: PackageName
  readonly origin: OriginName
  readonly access: Access
  readonly revision: number
  readonly createdAt: number
  readonly modifiedAt: number
  /** Tags as readers see them: never at what does not resolve. */
  readonly tags: ReadonlyMap<DistTag, Version>
  /** In the order of publication, removed ones included. */
  readonly versions: readonly VersionFacts[]
  /** Of the policy that looked, with what it knew against this package; 0 where no rule looks at it. */
  readonly policyVersion: number
  /** When a verdict changes by itself, in milliseconds since the epoch, or null. */
  readonly validUntil: number | null
  /** What its upstream says of it; undefined for a package that is hosted here. */
  readonly known: KnownMirror | undefined
}

/** A package before the policy looked at it. */
export interface KeptPackage extends Omit<PackageView, 'versions' | 'policyVersion' | 'validUntil'> {
  /** As their owners or the upstream set them. */
  readonly tags: ReadonlyMap<DistTag, Version>
  readonly kept: readonly KeptFacts[]
}

/** The policy in force. */
export async function currentPolicy(ports: Pick<Ports, 'store'>): Promise<Policy> {
  return (await ports.store.policy.current()) ?? defaultPolicy
}

/**
 * The one way to look at a package: whatever shows or serves a version asks here, so that no path can forget the policy.
 * Says nothing of who may read it. Undefined when there is no such package.
 */
export async function viewPackage(ports: Viewing, name: PackageName): Promise<PackageView | undefined> {
  const policy = await currentPolicy(ports)
  const found = await findKept(ports, name)
  return found && viewUnder(ports, policy, found)
}

/** The package as a policy would show it. */
export async function viewUnder(ports: Viewing, policy: Policy, found: KeptPackage): Promise<PackageView> {
  const { kept, ...about } = found
  const rules = rulesFor(policy, found.name, found.origin)
  const isAsked = rules.length > 0
  const context = isAsked ? await readContext(ports, rules, found) : undefined
  const versions = context === undefined ? kept.map(settle) : judge(policy, context, kept)
  return {
    ...about,
    tags: fallbackTags(found.tags, versions),
    versions,
    policyVersion: context === undefined ? 0 : stampOf(policy, context),
    validUntil: versions.reduce<number | null>((first, { until }) => earlier(first, until), null),
  }
}

/**
 * The same for somebody who names a version or a tag: one that was published a moment ago is asked for, though what the upstream
 * said last is fresh. At most every ten seconds, whoever invents versions; an upstream that does not answer has none.
 */
export async function viewWith(
  ports: Viewing,
  name: PackageName,
  wanted: string,
): Promise<PackageView | undefined> {
  const view = await viewPackage(ports, name)
  if (view?.known === undefined || view.tags.has(wanted as DistTag)) return view
  if (view.versions.some(each => each.version === wanted)) return view
  if (ports.clock() - view.known.mirror.checkedAt < askAgainMs) return view
  const asked = await ports.mirrors.refresh(name, view.origin).catch(error => {
    if (!isProblem(error)) throw error
  })
  return asked === undefined ? view : viewPackage(ports, name)
}

/** All versions of a package as everybody sees them; none when there is no such package. */
export async function listFacts(ports: Viewing, name: PackageName): Promise<readonly VersionFacts[]> {
  return (await viewPackage(ports, name))?.versions ?? []
}

/** One hosted version as everybody sees it, without the others where no rule looks at hosted names. */
export async function viewVersion(ports: Viewing, kept: PackageVersion): Promise<VersionFacts> {
  const policy = await currentPolicy(ports)
  if (rulesFor(policy, kept.package, 'hosted').length === 0) return settle(kept)
  const all = await listFacts(ports, kept.package)
  // One that came in since is judged at the next look.
  return all.find(each => each.version === kept.version) ?? settle({ ...kept, status: 'pending' })
}

/**
 * What is kept of a package. What was ever published here is hosted whatever the patterns say now: a name that changed hands
 * between here and an upstream would be the attack this registry is there to stop.
 */
export async function findKept(ports: Viewing, name: PackageName): Promise<KeptPackage | undefined> {
  const { catalog } = ports.store
  const known = await catalog.findPackage(name)
  if (known === undefined) return findMirrored(ports, name)
  const { access, revision, createdAt, modifiedAt } = known
  const tags = await catalog.listTags(name)
  const kept = await catalog.listKeptFacts(name)
  return { name, origin: 'hosted', access, revision, createdAt, modifiedAt, tags, kept, known: undefined }
}

async function findMirrored(ports: Viewing, name: PackageName): Promise<KeptPackage | undefined> {
  const { store, mirrors, routes } = ports
  if (routes.length === 0 && !isDrillName(name)) return undefined
  const origin = originOf(name, await store.catalog.listHosted(), routes)
  if (origin === undefined || origin === 'hosted') return undefined
  const known = await mirrors.get(name, origin)
  if (known === undefined) return undefined
  const { mirror } = known
  const measures = new Map((await store.mirrors.listMeasures(name)).map(each => [each.version, each]))
  const ingested = (await store.mirrors.listIngested(name)).filter(each => each.origin === origin)
  const bytesOf = new Map(ingested.map(each => [each.version, each]))
  const blocked = new Map((await store.measures.listBlocks('hash')).map(each => [each.value, each.why]))
  const decidedOf = (version: Version, digest: Digest | undefined) =>
    findBlocked(blocked, digest) ?? measures.get(version)
  const told = mirror.versions.map(each => {
    const bytes = bytesOf.get(each.version)
    return keepMirrored(each, mirror.isGone, decidedOf(each.version, bytes?.digest ?? each.digest), bytes)
  })
  const isTold = new Set(mirror.versions.map(each => each.version))
  const withdrawn = ingested
    .filter(each => !isTold.has(each.version))
    .map(each => keepWithdrawn(each, decidedOf(each.version, each.digest), whyLeftOut(mirror, each.version)))
  const { revision, createdAt, modifiedAt, tags } = mirror
  return {
    name,
    origin,
    access: 'public',
    revision,
    createdAt,
    modifiedAt,
    tags,
    kept: [...withdrawn, ...told].sort((a, b) => a.publishedAt - b.publishedAt),
    known,
  }
}

type Decided = Pick<UpstreamMeasure, 'status' | 'reason'>

/** Bytes that people closed by their hash, under whatever name and version. */
function findBlocked(blocked: ReadonlyMap<string, string>, digest: Digest | undefined): Decided | undefined {
  const why = digest === undefined ? undefined : blocked.get(digest)
  return why === undefined ? undefined : { status: 'quarantined', reason: `its bytes are blocked: ${why}` }
}

/** A version as its upstream tells it, with what people decided here and what its bytes told. */
function keepMirrored(
  told: UpstreamVersion,
  isGone: boolean,
  measure: Decided | undefined,
  bytes: Ingested | undefined,
): KeptFacts {
  const { version, publishedAt, deprecated } = told
  const contained = measure ?? findContained(isGone, told.digest, bytes?.digest)
  return {
    version,
    status: contained?.status ?? 'live',
    reason: contained?.reason ?? '',
    deprecated,
    publishedAt,
    traits: bytes === undefined ? told : withBytes(told, bytes),
  }
}

/** What the bytes told counts for more than what is said of them. */
function withBytes(told: UpstreamVersion, bytes: Ingested): VersionTraits {
  const { ingestedAt, digest, hasInstallScript, provenance } = bytes
  return {
    ...told,
    // What came in before is not new because its upstream lacked it for a while.
    knownSince: ingestedAt < told.knownSince ? told.publishedAt : told.knownSince,
    digest,
    hasInstallScript: told.hasInstallScript || hasInstallScript,
    provenance: provenance === 'broken' ? 'broken' : told.provenance,
  }
}

function findContained(
  isGone: boolean,
  told: Digest | undefined,
  found: Digest | undefined,
): Pick<KeptFacts, 'status' | 'reason'> | undefined {
  if (isGone) return { status: 'quarantined', reason: 'its registry withdrew the package' }
  if (told === undefined || found === undefined || told === found) return undefined
  return { status: 'quarantined', reason: 'its registry now offers other bytes under this version' }
}

/** Why an upstream's word on one of its versions counts for nothing; undefined where it does, or says none. */
function whyLeftOut({ leftOut }: Mirror, version: string): string | undefined {
  const found = leftOut.find(each => each.version === version)
  return found && `its registry's record of it cannot be believed: ${found.why}`
}

/** What to say to whoever wants a version that a package does not have. */
export function refuseMissing({ name, known }: PackageView, version: Version): Problem {
  const reason = known && whyLeftOut(known.mirror, version)
  return reason === undefined
    ? problem('version-not-found', { name, version })
    : problem('version-disbelieved', { name, version, reason })
}

/** What came in here once and the upstream offers no longer: mostly malware that was taken down. */
function keepWithdrawn(bytes: Ingested, measure: Decided | undefined, doubt: string | undefined): KeptFacts {
  const { version, publishedAt, ingestedAt, digest, hasInstallScript } = bytes
  return {
    version,
    status: measure?.status ?? 'quarantined',
    reason: measure?.reason ?? doubt ?? 'its registry withdrew this version',
    deprecated: '',
    publishedAt,
    traits: {
      // Its age went with what the upstream said; whoever lets it go has looked.
      knownSince: measure?.status === 'live' ? 0 : ingestedAt,
      digest,
      hasInstallScript,
      signature: 'unverified',
      provenance: 'none',
      publisher: '',
      dependencies: [],
    },
  }
}

async function readContext(
  ports: Viewing,
  rules: readonly Rule[],
  found: KeptPackage,
): Promise<JudgeContext> {
  const { name, origin, createdAt, kept } = found
  const { policy } = ports.store
  const now = ports.clock()
  const scope = scopeOf(name)
  const digests = kept.flatMap(each => each.traits.digest ?? [])
  const [waivers, advisories, ofScope, badDigests, grandfathered, screenings, stoodStill] = await Promise.all(
    [
      policy.listWaivers(name),
      policy.listAdvisories(name),
      scope === undefined ? [] : policy.listSiblingAdvisories(scope, now - siblingMs),
      policy.listBadDigests(digests),
      policy.listGrandfathered(name),
      ports.store.screening.list(name),
      stoodStillAt(ports),
    ],
  )
  return {
    name,
    origin,
    now,
    agesUntil: stoodStill ?? now,
    createdAt,
    waivers,
    advisories,
    siblingAdvisories: ofScope.filter(each => each.package !== name),
    badDigests,
    grandfathered,
    screenings: new Map(screenings.map(each => [each.version, each])),
    isPopular: ports.popular?.has(name),
    lookAlike: rules.some(({ kind }) => kind === 'look-alike')
      ? await findLikeness(ports, found, now)
      : undefined,
  }
}

/** Changes with the policy, and with what is known against this package and those it was released with; with nothing else. */
function stampOf({ version }: Policy, context: JudgeContext): number {
  const known = [context.advisories, context.siblingAdvisories, [...context.badDigests]]
  if (known.every(each => each.length === 0)) return version * 2 ** 32
  return version * 2 ** 32 + createHash('sha256').update(JSON.stringify(known)).digest().readUInt32BE()
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}
