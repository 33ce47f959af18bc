// SPDX-License-Identifier: Apache-2.0
/** What somebody should see before they approve a staged version. */
import { compareVersions, type Digest, type PackageDiff, problem } from '@holdfast/core'
import { decide, type Finding, type PackageVersion, type Staged } from '../catalog/index.ts'
import type { Actor } from '../identity/index.ts'
import { defaultInspectLimits, diffTarballs, type TarballPair } from '../integrity/index.ts'
import type { KeptProvenance, Ports } from '../ports.ts'
import { readHabits } from './behaviour.ts'
import { judgePublish } from './behaviour-rule.ts'
import { screenKept } from './screening.ts'
import { getStaged, type StageView } from './stage.ts'
import { listFacts } from './view.ts'

/** Each tarball is whole in memory; npm's own limit is far below. */
const maxComparedBytes = 64 * 1024 * 1024

/** How a version says where it was built. */
export type BuiltBy = 'a person' | 'a robot' | 'a trusted publisher' | 'provenance'

/** A staged version beside the one before it. */
export interface StageReview extends StageView {
  /** The newest that can be installed and is older, else the newest; undefined for none. */
  readonly before: PackageVersion | undefined
  readonly diff: PackageDiff | undefined
  /** Why there is no comparison; empty where there is. */
  readonly fault: string
  /** Who published the version before, in words; empty for nobody. */
  readonly publisherBefore: string
  readonly builtBy: BuiltBy
  readonly builtByBefore: BuiltBy | undefined
  /** What its provenance was found to prove. */
  readonly proof: KeptProvenance | undefined
  /** What screening finds in it, and what is odd about how it came. */
  readonly findings: readonly Finding[]
  /** Why a responder will have to look once it is approved; empty where none will. */
  readonly willBeHeld: string
}

/** Compares a staged version with the one before. Throws `stage-not-found` as `getStaged` does. */
export async function reviewStaged(ports: Ports, actor: Actor, id: string): Promise<StageReview> {
  const view = await getStaged(ports, actor, id)
  const { staged } = view
  const before = await findBefore(ports, view)
  const compared = await compare(ports, before?.digest, staged.digest)
  const proof = staged.proof === '' ? undefined : (JSON.parse(staged.proof) as KeptProvenance)
  return {
    ...view,
    ...(await screenStaged(ports, staged, proof !== undefined)),
    before,
    ...compared,
    publisherBefore: before === undefined ? '' : publisherOf(before),
    builtBy: proof === undefined ? builtByKind[staged.stagerKind] : 'provenance',
    builtByBefore: before && builtByOf(before),
    proof,
  }
}

/** How it came is for the approvers to weigh; what is in it holds it whoever approves. */
async function screenStaged(
  ports: Ports,
  staged: Staged,
  isProven: boolean,
): Promise<Pick<StageReview, 'findings' | 'willBeHeld'>> {
  const { package: name, version, digest, stagerId: publisherId, tokenId, stagerKind } = staged
  const { words, reason, hasInstallScript } = await screenKept(ports, name, version, digest)
  const isByJob = stagerKind === 'job'
  const act = {
    ...{ name, version, publisherId, tokenId, isByJob, isProven: isByJob || isProven, hasInstallScript },
    ...{ news: words.news, score: words.score, network: '', isPresent: true },
  }
  const { past } = await readHabits(ports, act)
  const judged = judgePublish(past, act, ports.clock())
  return { findings: [...judged.findings, ...words.findings], willBeHeld: reason }
}

const builtByKind = { person: 'a person', job: 'a trusted publisher', robot: 'a robot' } as const

function builtByOf({ predicateType, publisherProvider, publisherId }: PackageVersion): BuiltBy {
  if (predicateType !== '') return 'provenance'
  if (publisherProvider !== '') return 'a trusted publisher'
  return publisherId.startsWith('rb_') ? 'a robot' : 'a person'
}

function publisherOf({ publisherLogin, publisherProvider }: PackageVersion): string {
  return publisherProvider === '' ? publisherLogin : `a job at ${publisherProvider}`
}

async function findBefore(ports: Ports, { staged }: StageView): Promise<PackageVersion | undefined> {
  const { package: name, version } = staged
  const open = (await listFacts(ports, name)).filter(facts => decide(facts).listed).map(each => each.version)
  const sorted = open.toSorted(compareVersions)
  const found = sorted.findLast(each => compareVersions(each, version) < 0) ?? sorted.at(-1)
  return found && ports.store.catalog.findVersion(name, found)
}

async function compare(
  ports: Ports,
  before: Digest | undefined,
  after: Digest,
): Promise<Pick<StageReview, 'diff' | 'fault'>> {
  const limits = { ...defaultInspectLimits, maxInflatedBytes: ports.config.maxUnpackedBytes }
  const outcome = await diffTarballs(() => readPair(ports, before, after), limits)
  return 'diff' in outcome ? { diff: outcome.diff, fault: '' } : { diff: undefined, fault: outcome.fault }
}

async function readPair(ports: Ports, before: Digest | undefined, after: Digest): Promise<TarballPair> {
  const old = before && (await readWhole(ports, before))
  const now = await readWhole(ports, after)
  return old === 'large' || now === 'large'
    ? { fault: 'a tarball is too large for that' }
    : { before: old, after: now }
}

async function readWhole({ blobs }: Ports, digest: Digest): Promise<Uint8Array<ArrayBuffer> | 'large'> {
  const reader = await blobs.open(digest)
  if (reader === undefined) throw problem('unavailable', { why: 'the bytes are gone' })
  try {
    if (reader.sizeBytes > maxComparedBytes) return 'large'
    const bytes = new Uint8Array(reader.sizeBytes)
    await reader.read(0, bytes)
    return bytes
  } finally {
    await reader.close()
  }
}
