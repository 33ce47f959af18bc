// SPDX-License-Identifier: Apache-2.0
/**
 * Many versions at once. Each passes what a publish passes; what differs is the commit: a few hundred versions, each
 * with its own event, share one transaction. Whoever is killed in the middle starts again: what is here is skipped.
 */
import {
  compareVersions,
  confusableKey,
  type DistTag,
  isDrillName,
  isProblem,
  matchesName,
  newestVersion,
  type PackageName,
  type Problem,
  parseNamePattern,
  problem,
  type Version,
} from '@holdfast/core'
import { type Access, amend, type PackageRole } from '../catalog/index.ts'
import { type Actor, actsInDrill, authorize, type Grant } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { type AlreadyHere, type Arrival, type Checked, checkArrival } from './arrival.ts'
import { deprecateEvent } from './deprecate.ts'
import { hostNames } from './host.ts'
import { findSafeguard, passSafeguards } from './import-safeguard.ts'
import { ownerEvent, userOf } from './leaf.ts'
import { aboutPackage } from './manifest.ts'
import { mapAhead } from './map-ahead.ts'
import { handOf, publishEvent, recordVersion } from './publish.ts'
import { keepDue } from './screening.ts'
import { moveTag } from './tag.ts'

/** What an import is told beside the versions. */
export interface ImportWishes {
  /** Access of packages that are new here. */
  readonly access: Access
  /** Account that becomes owner of what is imported. */
  readonly ownerId?: string
  /** Hosts new names here; else a name that no pattern claims is refused. */
  readonly hostNames: boolean
  /** Why versions come into packages that ask for approvals or proof; without it these are refused. */
  readonly pastSafeguards?: string
}

/** What became of one arrival. */
export type ImportOutcome =
  | {
      readonly kind: 'imported'
      readonly source: string
      readonly name: PackageName
      readonly version: Version
      readonly sizeBytes: number
      /** A package here whose name a person could mistake for this one. */
      readonly looksLike?: PackageName
    }
  | {
      readonly kind: 'skipped'
      readonly source: string
      readonly name: PackageName
      readonly version: Version
    }
  | { readonly kind: 'refused'; readonly source: string; readonly problem: Problem }

const latest = 'latest' as DistTag
const batchVersions = 200
const batchBytes = 128 * 1024 * 1024
/** Several are read and inspected side by side: gunzip and disk run in threads of their own. */
const checkedAhead = 12
const keptAtOnce = 16
const maxAttempts = 5
/** What somebody did between the look and the commit: the next look finds it. */
const lostRaces: ReadonlySet<string> = new Set([
  'version-exists',
  'revision-conflict',
  'version-staged',
  'stage-required',
  'trust-downgrade',
])

/**
 * Lets versions in, as the operator, and tells what became of each. Everything told as imported is durable and visible.
 * Throws what is not the fault of one version (a full disk, a lost database); the same import may be started again.
 */
export async function* importVersions(
  ports: Ports,
  actor: Actor,
  arrivals: AsyncIterable<Arrival>,
  wishes: ImportWishes,
): AsyncGenerator<ImportOutcome> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  let batch: Checked[] = []
  let bytes = 0
  const checked = mapAhead(arrivals, checkedAhead, arrival => checkOrRefuse(ports, arrival, wishes.access))
  try {
    for await (const each of checked) {
      if ('kind' in each) {
        yield each
        continue
      }
      batch.push(each)
      bytes += each.bytes.sizeBytes
      if (batch.length < batchVersions && bytes < batchBytes) continue
      yield* await letIn(ports, grant, batch, wishes)
      batch = []
      bytes = 0
    }
    yield* await letIn(ports, grant, batch, wishes)
  } finally {
    for (const { upload } of batch) await upload.tarball.discard()
  }
}

async function checkOrRefuse(
  ports: Ports,
  arrival: Arrival,
  access: Access,
): Promise<Checked | ImportOutcome> {
  try {
    const checked = await checkArrival(ports, arrival, access)
    return 'upload' in checked ? checked : skipped(checked)
  } catch (error) {
    return refused(arrival, error)
  }
}

/** Keeps the bytes of a batch and commits it; whoever published one of its versions meanwhile has won that one. */
async function letIn(
  ports: Ports,
  grant: Grant,
  batch: readonly Checked[],
  wishes: ImportWishes,
  attempt = 1,
): Promise<readonly ImportOutcome[]> {
  const { fresh, others } = await sift(ports, grant.actor, batch, wishes)
  if (fresh.length === 0) return others
  for await (const _ of mapAhead(fresh, keptAtOnce, each => each.upload.tarball.keep()));
  // A crash here leaves bytes under their digests that no version names: the next run names them, or the scrubber removes them.
  try {
    const looksLike = await ports.store.commit(grant, fresh.map(publishedElsewhere), tx =>
      record(ports, tx, grant.actor, fresh, wishes),
    )
    // A crash here loses the report of this batch: the next run tells it as skipped.
    if (!(await ports.log.covered())) throw problem('log-busy', { waiting: fresh.length, retryAfter: 60 })
    return [...others, ...fresh.map(each => imported(each, looksLike.get(each.upload.name)))]
  } catch (error) {
    if (!isProblem(error) || !lostRaces.has(error.code) || attempt === maxAttempts) throw error
    return letIn(ports, grant, batch, wishes, attempt + 1)
  }
}

/** Those of a batch that may go in and are not here yet, each name and version once; and what became of the others. */
async function sift(
  ports: Ports,
  actor: Actor,
  batch: readonly Checked[],
  wishes: ImportWishes,
): Promise<{ fresh: Checked[]; others: ImportOutcome[] }> {
  const fresh = new Map<string, Checked>()
  const others: ImportOutcome[] = []
  const strangers = await refuseNames(ports, actor, batch, wishes.hostNames)
  for (const each of batch) {
    const spec = `${each.upload.name}@${each.upload.version}`
    const fault = strangers.get(each.upload.name)
    const outcome = fault
      ? refused(each.arrival, fault)
      : await whyNotFresh(ports, each, fresh.get(spec), wishes.pastSafeguards)
    if (outcome === undefined) fresh.set(spec, each)
    else {
      others.push(outcome)
      await each.upload.tarball.discard()
    }
  }
  return { fresh: [...fresh.values()], others }
}

/** Names that are new here and that no pattern claims are refused, or hosted first when that is wished. */
async function refuseNames(
  ports: Ports,
  actor: Actor,
  batch: readonly Checked[],
  mayHost: boolean,
): Promise<ReadonlyMap<PackageName, Problem>> {
  const faults = new Map<PackageName, Problem>()
  const hosted = await ports.store.catalog.listHosted()
  const exact = new Set<string>(hosted)
  const wide = hosted.filter(pattern => pattern.endsWith('*'))
  for (const name of new Set(batch.map(each => each.upload.name))) {
    if (isDrillName(name)) {
      if (!actsInDrill(actor)) faults.set(name, problem('name-not-hosted', { name }))
      continue
    }
    if ((await ports.store.catalog.findPackage(name)) !== undefined) continue
    const isHosted = exact.has(name) || wide.some(pattern => matchesName(pattern, name))
    // Names that could no longer be made are welcome: half of all projects depend on `events` or `punycode`.
    if (!isHosted) faults.set(name, problem('name-not-hosted', { name }))
  }
  if (!mayHost || faults.size === 0) return faults
  await hostNames(ports, actor, [...faults.keys()].map(parseNamePattern))
  return new Map()
}

/** Two files of one run may hold the same version: the first counts, as if it were published already. */
async function whyNotFresh(
  ports: Ports,
  each: Checked,
  twin: Checked | undefined,
  reason: string | undefined,
): Promise<ImportOutcome | undefined> {
  const { name, version } = each.upload
  const digest = (await ports.store.catalog.findVersion(name, version))?.digest ?? twin?.bytes.digest
  if (digest === undefined) {
    const fault = await findSafeguard(ports.store, name, version, reason, ports.clock())
    return fault && refused(each.arrival, fault)
  }
  if (digest === each.bytes.digest) return skipped({ arrival: each.arrival, here: { name, version } })
  return refused(each.arrival, problem('version-exists', { name, version }))
}

function publishedElsewhere({ arrival, upload, bytes, inspection }: Checked): NewEvent {
  const detail = { imported: true, publishedAt: arrival.publishedAt, tags: arrival.told?.tags ?? [] }
  return { ...publishEvent(upload, bytes, inspection), detail }
}

/** Writes a batch, package by package; gives back the new names that look like others. */
async function record(
  ports: Ports,
  tx: Tx,
  actor: Actor,
  batch: readonly Checked[],
  wishes: ImportWishes,
): Promise<ReadonlyMap<PackageName, PackageName>> {
  const looksLike = new Map<PackageName, PackageName>()
  for (const [name, unsorted] of Map.groupBy(batch, each => each.upload.name)) {
    const versions = unsorted.toSorted(inOrderOfPublication)
    const known = await tx.catalog.findPackage(name)
    if (known === undefined) {
      const twin = await createPackage(tx, name, versions, wishes.access, ports.clock())
      if (twin !== undefined) looksLike.set(name, twin)
    } else {
      const numbers = versions.map(each => each.upload.version)
      await passSafeguards(tx, ports, known, numbers, wishes.pastSafeguards)
    }
    await amend(tx.catalog, name, ports.clock(), async () => {
      const manifests = new Map<Version, Readonly<Record<string, unknown>>>()
      const hand = handOf(actor)
      for (const each of versions) {
        manifests.set(each.upload.version, await recordVersion(ports, tx, { ...each, hand }))
        const { version, deprecated } = each.upload
        // An import of thousands does not wait for screening: it follows, and closes what is young.
        const { digest } = each.bytes
        await tx.screening.set(keepDue({ name, version, origin: 'hosted', digest }, ports.clock()))
        if (deprecated) tx.record(deprecateEvent(name, version, deprecated))
      }
      await setTags(tx, name, versions)
      await describe(tx, name, versions, manifests)
      await addPeople(tx, name, versions, wishes.ownerId)
    })
  }
  return looksLike
}

function inOrderOfPublication(a: Checked, b: Checked): number {
  return a.arrival.publishedAt - b.arrival.publishedAt || compareVersions(a.upload.version, b.upload.version)
}

/** A new name is as old as its first version. Look-alikes are let in, since the operator decides, and told. */
async function createPackage(
  tx: Tx,
  name: PackageName,
  versions: readonly Checked[],
  access: Access,
  now: number,
): Promise<PackageName | undefined> {
  const key = confusableKey(name)
  const twin = await tx.catalog.findConfusable(key)
  await tx.catalog.addPackage(
    name,
    key,
    access,
    Math.min(now, ...versions.map(each => each.arrival.publishedAt)),
  )
  return twin
}

/** Tags as the old registry had them; where nobody says, `latest` is the newest version and never moves back. */
async function setTags(tx: Tx, name: PackageName, versions: readonly Checked[]): Promise<void> {
  for (const { arrival, upload } of versions) {
    for (const tag of arrival.told?.tags ?? []) await moveTag(tx, name, tag, upload.version)
  }
  const present = (await tx.catalog.listTags(name)).get(latest)
  const isTold = versions.some(each => each.arrival.told !== undefined)
  if (isTold && present !== undefined) return
  const newest = newestVersion([
    ...versions.map(each => each.upload.version),
    ...(present === undefined ? [] : [present]),
  ])
  if (newest !== undefined && newest !== present) await moveTag(tx, name, latest, newest)
}

/** The package is described by the version that `latest` names, in the batch that brings it. */
async function describe(
  tx: Tx,
  name: PackageName,
  versions: readonly Checked[],
  manifests: ReadonlyMap<Version, Readonly<Record<string, unknown>>>,
): Promise<void> {
  const wanted = (await tx.catalog.listTags(name)).get(latest)
  const speaker = versions.find(each => each.upload.version === wanted)
  const manifest = wanted && manifests.get(wanted)
  if (speaker === undefined || manifest === undefined) return
  await tx.catalog.describe(
    name,
    aboutPackage(manifest, speaker.upload.readme ?? speaker.inspection.readme ?? ''),
  )
}

/** Those who looked after a package and have an account here may publish to it; only the operator's word makes an owner. */
async function addPeople(
  tx: Tx,
  name: PackageName,
  versions: readonly Checked[],
  ownerId: string | undefined,
): Promise<void> {
  const logins = new Set(versions.flatMap(each => each.arrival.told?.maintainers ?? []))
  for (const login of logins) {
    const account = await tx.identity.findAccountByLogin(login)
    if (account === undefined || (await tx.identity.roleOn(account.id, name)) !== undefined) continue
    await giveRole(tx, name, account.id, 'maintainer')
  }
  if (ownerId !== undefined) await giveRole(tx, name, ownerId, 'owner')
}

async function giveRole(tx: Tx, name: PackageName, id: string, role: PackageRole): Promise<void> {
  const before = (await tx.catalog.listPeople(name)).find(each => each.accountId === id)?.role
  if (before === role) return
  await tx.catalog.setRole(name, id, role)
  tx.record(ownerEvent(name, before === undefined ? 'add' : 'role', userOf(id), role))
}

function imported({ arrival, upload, bytes }: Checked, looksLike: PackageName | undefined): ImportOutcome {
  const { name, version } = upload
  const { source } = arrival
  return {
    kind: 'imported',
    source,
    name,
    version,
    sizeBytes: bytes.sizeBytes,
    ...(looksLike && { looksLike }),
  }
}

function skipped({ arrival, here }: AlreadyHere): ImportOutcome {
  return { kind: 'skipped', source: arrival.source, name: here.name, version: here.version }
}

/** What is wrong with one version is told and the import goes on; what is wrong with the instance ends it. */
function refused({ source }: Arrival, error: unknown): ImportOutcome {
  if (!isProblem(error) || error.status >= 500) throw error
  return { kind: 'refused', source, problem: error }
}
