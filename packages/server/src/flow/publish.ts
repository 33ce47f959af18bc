// SPDX-License-Identifier: Apache-2.0
import {
  confusableKey,
  type Digest,
  type DistTag,
  formatIntegrity,
  type PackageName,
  parseIntegrity,
  problem,
  scopeOf,
  type Version,
} from '@holdfast/core'
import { type Access, amend, approvalsOf, type Package, type PackageVersion } from '../catalog/index.ts'
import {
  type Actor,
  actorId,
  authorize,
  checkNotFrozen,
  closures,
  forbid,
  type Grant,
  isMachine,
} from '../identity/index.ts'
import {
  checkManifestAgrees,
  defaultInspectLimits,
  digestManifest,
  type Inspection,
  inspectTarball,
  type NewEvent,
} from '../integrity/index.ts'
import type { BlobWriter, KeptProvenance, Ports, Tx, WrittenBytes } from '../ports.ts'
import { judgeInTurn, newsOf, type PublishHabits, readHabits, toAct } from './behaviour.ts'
import { checkStillOpen, lookForBlocked, refuseBlocked } from './block.ts'
import { checkHidden } from './exposure.ts'
import { inTurn } from './guess.ts'
import { checkMayBeMade } from './host.ts'
import { checkStillTrusted, settleEvents, settlePending, withJob } from './job.ts'
import { ownerEvent, userOf } from './leaf.ts'
import { refuseTokens } from './leak.ts'
import { abbreviate, aboutPackage, dependenciesOf, keepManifest } from './manifest.ts'
import { adviseName } from './name-advice.ts'
import { signedText } from './own-signature.ts'
import { checkTrust, holdTrust } from './package-trust.ts'
import { provePresence } from './presence.ts'
import { admitProvenance, adviseSource, attestField } from './publish-provenance.ts'
import { keepScreening, type Screened, screenUpload } from './screening.ts'
import { moveTag } from './tag.ts'

/** What a client wants published; its claims are checked, never believed. */
export interface Upload {
  readonly name: PackageName
  readonly version: Version
  readonly tag: DistTag
  readonly access: Access | undefined
  /** The version object as the client sent it. */
  readonly manifest: Readonly<Record<string, unknown>>
  readonly readme: string | undefined
  /** The client's digests, empty when it sent none. */
  readonly integrity: string
  readonly shasum: string
  readonly tarball: BlobWriter
  /** The Sigstore bundle that came with it, as it was sent. */
  readonly bundle?: string | undefined
  /** Kept from elsewhere: an import's times are the original ones. */
  readonly publishedAt?: number
  readonly deprecated?: string
}

/** Whose a version is: who published or staged it, by which token, and who approved it last. */
export interface Hand {
  readonly publisherId: string
  readonly tokenId: string
  /** Empty where nobody had to. */
  readonly approverId: string
}

/** A version that may become one, with what was found of it. */
export interface Entry {
  readonly upload: Upload
  readonly bytes: WrittenBytes
  readonly inspection: Inspection
  /** What its provenance was found to prove when it came. */
  readonly proof: KeptProvenance | undefined
  readonly hand: Hand
  readonly isByJob: boolean
  readonly screened: Screened
  /** Of whoever publishes alone: what several approved breaks with no habit. */
  readonly habits?: PublishHabits
}

export interface Published {
  readonly name: PackageName
  readonly version: Version
  readonly digest: Digest
  /** True when these very bytes were published before and nothing was done. */
  readonly repeated: boolean
  /** What the publisher should hear; empty for nothing. */
  readonly advice: string
  /** False where the log does not get on: it is kept, and shows itself when the log does. */
  readonly isVisible: boolean
  /** Why nobody gets it before a person has looked; empty where it is open. */
  readonly held: string
}

const latest = 'latest' as DistTag
const repeatWindowMs = 10 * 60_000

/**
 * Lets one version in. Throws a problem and keeps nothing unless everything holds; of two racing publishes of one
 * version exactly one wins, and the same publisher's identical repetition is answered like the first.
 */
export async function publish(ports: Ports, actor: Actor, upload: Upload): Promise<Published> {
  try {
    const { grant, known } = await admit(ports, actor, upload.name)
    await ports.log.checkRoom()
    const bytes = checkClaims(upload)
    const there = await ports.store.catalog.findVersion(upload.name, upload.version)
    if (there !== undefined && isRepetition(ports, actor, there, bytes))
      return { ...(await done(ports, upload, bytes, true)), held: there.reason }
    if (there !== undefined) throw problem('version-exists', { name: upload.name, version: upload.version })
    if (known !== undefined) await checkMayPublishNow(ports.store, known, upload.version, ports.clock())
    const isPresent = await provePresence(ports, grant, known?.requiresTfa)
    const inspection = await inspect(ports, upload)
    const access = known?.access ?? upload.access ?? 'public'
    const proof = await admitProvenance(ports, actor, { ...upload, ...bytes, access })
    await checkTrust(ports.store, actor.kind === 'job', upload, proof, ports.clock())
    const screened = await screenUpload(ports, upload, bytes.digest)
    const { news, score } = screened.words
    const { hasInstallScript } = inspection
    const isProven = proof !== undefined
    const act = toAct(actor, { ...upload, hasInstallScript, news, score, isProven, isPresent })
    const habits = await readHabits(ports, act)
    const published = await withJob(
      ports,
      actor,
      withNews(publishEvent(upload, bytes, inspection, proof), news),
    )
    const events = [published, ...(await settleEvents(ports, grant, upload.name))]
    const isByJob = actor.kind === 'job'
    const entry = { upload, bytes, inspection, proof, hand: handOf(actor), isByJob, screened, habits }
    const held = await enter(ports, grant, entry, events, async tx => {
      const now = await tx.catalog.findPackage(upload.name)
      if (now !== undefined) await checkMayPublishNow(tx, now, upload.version, ports.clock())
    })
    // A crash here leaves a version that the next round of the log shows: the client repeats it and is answered like now.
    const [answer, ofName] = await Promise.all([
      done(ports, upload, bytes, false),
      known === undefined ? adviseName(ports, upload.name, upload.version) : undefined,
    ])
    const advice = ofName ?? adviseSource(upload.manifest, proof) ?? ''
    return { ...answer, held, advice }
  } finally {
    await upload.tarball.discard()
  }
}

/** What it newly brings, for whoever publishes next to be held against. */
export function withNews(event: NewEvent, news: readonly string[]): NewEvent {
  return { ...event, detail: { ...event.detail, news: newsOf(news) } }
}

/**
 * The one way in: bytes, then the version with its events in one commit, whether it was published or approved. Says why it is held,
 * nothing where it is open.
 */
export async function enter(
  ports: Ports,
  grant: Grant,
  entry: Entry,
  events: readonly NewEvent[],
  check: (tx: Tx) => Promise<void>,
): Promise<string> {
  const looked = await lookForBlocked(ports, () => entry.upload.tarball.read())
  await refuseBlocked(ports, grant, entry.upload, looked)
  await entry.upload.tarball.keep()
  // A crash here leaves bytes under their digest that no version names: the scrubber's to remove, harmless.
  return inTurn(ports, `publish ${entry.hand.publisherId}`, () =>
    ports.store.commit(grant, events, async tx => {
      const { habits, screened } = entry
      const judged = habits === undefined ? screened : await judgeInTurn(tx, ports, habits, screened)
      // A freeze that came while this went on counts, and so does one of these bytes.
      await checkNotFrozen(tx, closures(grant.actor, grant.operation, grant.subject))
      await checkStillOpen(tx, entry.bytes.digest, looked)
      await check(tx)
      await record(ports, tx, grant, { ...entry, screened: judged })
      return judged.reason
    }),
  )
}

/** Where several people decide, or something else waits for that, nobody publishes past them. */
async function checkMayPublishNow(
  { stages }: Pick<Tx, 'stages'> | Ports['store'],
  known: Package,
  version: Version,
  now: number,
): Promise<void> {
  const { name } = known
  const approvals = approvalsOf(known, now)
  if (approvals > 0) throw problem('stage-required', { name, approvals })
  if ((await stages.findByVersion(name, version)) !== undefined)
    throw problem('version-staged', { name, version })
}

/** Who may, on a package that is there or on a new name that may be made. */
export async function admit(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<{ grant: Grant; known: Package | undefined }> {
  const known = await ports.store.catalog.findPackage(name)
  if (known !== undefined) return { known, grant: await authorize(ports, actor, 'package:publish', name) }
  const grant = await authorize(ports, actor, 'package:create', name)
  await checkMayBeMade(ports, name)
  return { known: undefined, grant }
}

/** The digests computed here against those the client sent. */
export function checkClaims(upload: Upload): WrittenBytes {
  const bytes = upload.tarball.digests()
  if (upload.integrity !== '') {
    const wanted = parseIntegrity(upload.integrity)
    // A SHA-512 that cannot be read is a claim that cannot hold; other algorithms alone are not looked at.
    if (wanted === undefined ? upload.integrity.includes('sha512-') : wanted !== bytes.digest) {
      throw problem('digest-mismatch', {
        what: 'integrity',
        wanted: upload.integrity,
        found: formatIntegrity(bytes.digest),
      })
    }
  }
  if (upload.shasum !== '' && upload.shasum.toLowerCase() !== bytes.shasum) {
    throw problem('digest-mismatch', { what: 'shasum', wanted: upload.shasum, found: bytes.shasum })
  }
  return bytes
}

/** npm repeats a PUT whose answer was lost; the same hand sending the same bytes again soon is answered alike. */
function isRepetition(ports: Ports, actor: Actor, there: PackageVersion, bytes: WrittenBytes): boolean {
  return (
    (there.status === 'live' || there.status === 'pending' || there.status === 'held') &&
    there.digest === bytes.digest &&
    there.publisherId === actorId(actor) &&
    ports.clock() - there.publishedAt < repeatWindowMs
  )
}

/** Looks into the bytes, and holds what the client said against them. */
export async function inspect(ports: Ports, upload: Upload): Promise<Inspection> {
  const limits = { ...defaultInspectLimits, maxInflatedBytes: ports.config.maxUnpackedBytes }
  const inspection = await inspectTarball(upload.tarball.read(), limits)
  checkManifestAgrees(inspection.manifest, upload.manifest)
  await refuseTokens(ports, upload, inspection.tokens)
  return inspection
}

async function record(ports: Ports, tx: Tx, grant: Grant, entry: Entry): Promise<void> {
  const { upload, bytes, inspection, proof, isByJob, screened } = entry
  const { name, version } = upload
  const { actor } = grant
  // Access is said once, when the name is made: a maintainer's publish must not open or close a package.
  const isNew =
    (await tx.catalog.findPackage(name)) === undefined &&
    (await createPackage(tx, actor, upload, ports.clock()))
  if (!isNew && actor.kind === 'job') await checkStillTrusted(tx, actor, name)
  else if (!isNew && grant.operation === 'package:create') await checkNotTaken(tx, actor, name)
  await amend(tx.catalog, name, ports.clock(), async () => {
    const manifest = await recordVersion(ports, tx, entry)
    await checkHidden(tx, ports, upload, proof?.build)
    await holdTrust(tx, isByJob, upload, proof, ports.clock())
    await applyTag(tx, upload)
    await keepScreening(tx, ports, { name, version, origin: 'hosted', digest: bytes.digest }, screened)
    // A pre-release under a tag of its own does not speak for the package, nor what nobody may see.
    if (screened.reason === '' && (await tx.catalog.listTags(name)).get(latest) === version)
      await tx.catalog.describe(name, aboutPackage(manifest, upload.readme ?? inspection.readme ?? ''))
  })
}

/** The version's own row, signed; gives back its manifest as it is kept. */
export async function recordVersion(
  ports: Ports,
  tx: Tx,
  { upload, bytes, inspection, hand }: Omit<Entry, 'proof' | 'isByJob' | 'screened' | 'habits'>,
): Promise<Readonly<Record<string, unknown>>> {
  const { name, version } = upload
  const manifest = keepManifest(upload.manifest, inspection)
  await tx.catalog.addVersion({
    package: name,
    version,
    status: 'pending',
    digest: bytes.digest,
    shasum: bytes.shasum,
    sizeBytes: bytes.sizeBytes,
    unpackedSizeBytes: inspection.unpackedSizeBytes,
    fileCount: inspection.fileCount,
    manifest: JSON.stringify(manifest),
    shortManifest: JSON.stringify(abbreviate(manifest)),
    signatures: JSON.stringify([signVersion(ports, name, version, bytes.digest)]),
    publishedAt: upload.publishedAt ?? ports.clock(),
    ...hand,
    dependencies: dependenciesOf(manifest),
    hasInstallScript: inspection.hasInstallScript,
    ...(upload.deprecated ? { deprecated: upload.deprecated } : {}),
  })
  return manifest
}

/** The hand of whoever does it alone. */
export function handOf(actor: Actor): Hand {
  const tokenId = 'credential' in actor && actor.credential.kind === 'token' ? actor.credential.id : ''
  return { publisherId: actorId(actor), tokenId, approverId: '' }
}

/** Somebody else may have made the name since `authorize` said that it may be made: then it is theirs. */
async function checkNotTaken(tx: Tx, actor: Actor, name: PackageName): Promise<void> {
  if (actor.kind !== 'person') return
  const role = await tx.identity.roleOn(actor.id, name)
  if (role === 'owner' || role === 'maintainer') return
  throw forbid('package:publish', name)
}

/**
 * Says whether it made the name, or somebody else just has. A look-alike of a name hosted here is refused at birth (npm's
 * moniker rule and common confusables).
 */
async function createPackage(tx: Tx, actor: Actor, upload: Upload, at: number): Promise<boolean> {
  const key = confusableKey(upload.name)
  const twin = await tx.catalog.findConfusable(key)
  if (twin !== undefined && (actor.kind === 'person' || isMachine(actor)))
    throw problem('name-confusable', { name: upload.name, other: twin })
  if (!(await tx.catalog.addPackage(upload.name, key, upload.access ?? 'public', at))) return false
  if (actor.kind === 'person') {
    await tx.catalog.setRole(upload.name, actor.id, 'owner')
    tx.record(ownerEvent(upload.name, 'add', userOf(actor.id), 'owner'))
  }
  if (actor.kind === 'job') await settlePending(tx, actor, upload.name, at)
  if (actor.kind === 'person' || actor.kind === 'job') await checkOfScope(tx, upload.name)
  return true
}

/** Asked while others wait: the scope may have become an organisation's, or its owner-to-be have left it, since `authorize`. */
async function checkOfScope(tx: Tx, name: PackageName): Promise<void> {
  const org = scopeOf(name)?.slice(1)
  if (org === undefined) return
  await tx.identity.holdScope(org)
  if (!(await tx.identity.orgExists(org))) return
  for (const { accountId, role } of await tx.catalog.listPeople(name))
    if (role === 'owner' && (await tx.identity.orgRole(accountId, org)) === undefined)
      throw forbid('package:create', name)
}

/** Only the given tag moves; `latest` comes with the first version whatever its tag. */
async function applyTag(tx: Tx, upload: Upload): Promise<void> {
  await moveTag(tx, upload.name, upload.tag, upload.version)
  if (!(await tx.catalog.listTags(upload.name)).has(latest))
    await moveTag(tx, upload.name, latest, upload.version)
}

/** npm's registry signature over name, version and digest. */
function signVersion(
  ports: Ports,
  name: PackageName,
  version: Version,
  digest: Digest,
): { keyid: string; sig: string } {
  return {
    keyid: ports.signer.keyId,
    sig: ports.signer.sign(signedText(name, version, digest)),
  }
}

/** The event of one publish: digests of the bytes and of the manifest, for the log. */
export function publishEvent(
  upload: Upload,
  bytes: WrittenBytes,
  inspection: Inspection,
  proof?: KeptProvenance,
): NewEvent {
  return {
    type: 'publish',
    pkg: upload.name,
    ver: upload.version,
    fields: {
      ...attestField(proof),
      dist: {
        integrity: formatIntegrity(bytes.digest),
        size: bytes.sizeBytes,
        manifest: digestManifest(keepManifest(upload.manifest, inspection), distOf(bytes, inspection)),
      },
    },
    detail: { tag: upload.tag },
  }
}

/** The part of `dist` that never changes. */
function distOf(bytes: WrittenBytes, inspection: Inspection) {
  return {
    integrity: formatIntegrity(bytes.digest),
    shasum: bytes.shasum,
    fileCount: inspection.fileCount,
    unpackedSize: inspection.unpackedSizeBytes,
  }
}

/** Whoever published is answered when others see it: what the log does not have is installed by nobody. */
async function done(
  ports: Ports,
  { name, version }: Upload,
  { digest }: WrittenBytes,
  repeated: boolean,
): Promise<Published> {
  return { name, version, digest, repeated, advice: '', held: '', isVisible: await ports.log.covered() }
}
