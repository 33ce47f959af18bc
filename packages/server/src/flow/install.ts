// SPDX-License-Identifier: Apache-2.0
import { type Digest, type PackageName, problem, tarballFileName, type Version } from '@holdfast/core'
import { decide, refuse, type UpstreamVersion } from '../catalog/index.ts'
import { type Actor, authorize } from '../identity/index.ts'
import type { DocumentForm, Ports, ReadyDocument } from '../ports.ts'
import { isYoung } from './intake.ts'
import { listFacts, type PackageView, refuseMissing, viewVersion, viewWith } from './view.ts'
import { noteRefusal, refuseBytes } from './why.ts'

/** The packument for somebody who may read it. Throws `package-not-found`, `unauthenticated`. */
export async function readDocument(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  form: DocumentForm,
): Promise<ReadyDocument> {
  await authorize(ports, actor, 'package:read', name)
  const document = await ports.documents.get(name, form)
  if (document === undefined) throw problem('package-not-found', { name })
  return document
}

/** What goes out for a tarball's address. */
export interface TarballGrant {
  readonly name: PackageName
  readonly version: Version
  readonly digest: Digest
  readonly sizeBytes: number
  readonly access: 'public' | 'restricted'
  /** Shown beside the bytes of a yanked version. */
  readonly notice: string
  /** When the gate may answer otherwise without an event, in milliseconds since the epoch, or null. */
  readonly validUntil: number | null
}

/** A tarball that comes in from its upstream while it goes out. */
export interface TarballFlow {
  readonly name: PackageName
  readonly version: Version
  /** As the upstream promised it. */
  readonly digest: Digest
  /** As the upstream announced it; undefined where it does not say. */
  readonly sizeBytes: number | undefined
  /** Ends only when the digest over all of them held. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/**
 * Asks the gate for one tarball. Throws the status's problem when it is closed: the policy holds here as in packuments.
 * What an upstream has and we do not comes in first.
 */
export async function openTarball(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  fileName: string,
): Promise<TarballGrant | TarballFlow> {
  await authorize(ports, actor, 'package:read', name)
  const wanted = versionIn(name, fileName)
  const known = await ports.store.catalog.findPackage(name)
  if (known === undefined) return openMirrored(ports, actor, name, wanted)
  const found = await ports.store.catalog.findVersion(name, wanted)
  if (found === undefined) throw problem('version-not-found', { name, version: wanted })
  const facts = await viewVersion(ports, found)
  const decision = decide(facts)
  if (!decision.served) throw refuseBytes(ports, actor, name, facts, await listFacts(ports, name))
  const notice = decision.status === 'yanked' ? decision.deprecated : ''
  const { version, digest, sizeBytes } = found
  return { name, version, digest, sizeBytes, access: known.access, notice, validUntil: facts.until }
}

/** An upstream's: from what came in, else it is brought in, and the gate asked again about what was found meanwhile. */
async function openMirrored(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  version: Version,
): Promise<TarballGrant | TarballFlow> {
  const view = await getOpenView(ports, actor, name, version)
  const kept = await findKeptBytes(ports, view, version)
  if (kept !== undefined) return kept
  const told = await checkSignature(ports, actor, view, version)
  // What came in once is the version's only content, though its bytes were let go of here and its upstream tells less.
  const digest = (await ports.store.mirrors.findIngested(name, version))?.digest ?? told.digest
  const arrival = ports.intake.bring(name, view.origin, { ...told, digest })
  // Of bytes without a SHA-512 nobody could say yet whether they are known to be bad, of none whether what is blocked stands in them.
  const isLookedInto = (await ports.store.measures.listBlocks('indicator')).length > 0
  if (digest === undefined || isLookedInto || isYoung(told, ports.clock())) {
    await arrival.done
    const again = await getOpenView(ports, actor, name, version)
    const come = await findKeptBytes(ports, again, version)
    if (come === undefined) throw problem('unavailable', { why: 'the bytes are gone' })
    return come
  }
  const sizeBytes = await arrival.opened
  return { name, version, digest, sizeBytes, bytes: arrival.follow() }
}

async function getView(ports: Ports, name: PackageName, version: Version): Promise<PackageView> {
  const view = await viewWith(ports, name, version)
  if (view === undefined) throw problem('package-not-found', { name })
  return view
}

/** The package, where the gate lets this version of it out; throws the gate's problem where it does not. */
async function getOpenView(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  version: Version,
): Promise<PackageView> {
  const view = await getView(ports, name, version)
  const facts = view.versions.find(each => each.version === version)
  if (facts === undefined) throw noteRefusal(ports, actor, name, version, refuseMissing(view, version))
  if (!decide(facts).served) throw refuseBytes(ports, actor, name, facts, view.versions)
  return view
}

async function findKeptBytes(
  { store, blobs }: Ports,
  view: PackageView,
  version: Version,
): Promise<TarballGrant | undefined> {
  const kept = await store.mirrors.findIngested(view.name, version)
  if (kept?.origin !== view.origin || (await blobs.size(kept.digest)) === undefined) return undefined
  const until = view.versions.find(each => each.version === version)?.until ?? Number.POSITIVE_INFINITY
  // What the upstream says next may close it without an event.
  const validUntil = Math.min(until, view.known?.freshUntil ?? until)
  const { digest, sizeBytes } = kept
  return { name: view.name, version, digest, sizeBytes, access: 'public', notice: '', validUntil }
}

/** The version as its upstream tells it, with its signature looked at: a broken one is for the policy to decide on. */
async function checkSignature(
  ports: Ports,
  actor: Actor,
  { name, origin, known }: PackageView,
  version: Version,
): Promise<UpstreamVersion> {
  const told = known?.mirror.versions.find(each => each.version === version)
  if (told === undefined) throw problem('version-not-found', { name, version })
  if (told.signature !== 'unverified') return told
  const signature = (await ports.upstreams.get(origin)?.checkSignature(name, told)) ?? told.signature
  await ports.store.mirrors.noteSignature(name, told, signature)
  await getOpenView(ports, actor, name, version)
  return { ...told, signature }
}

/** One version for a version endpoint, through the same gate: its object as JSON text. */
export async function readVersion(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  version: Version,
): Promise<string> {
  await authorize(ports, actor, 'package:read', name)
  const view = await getView(ports, name, version)
  const facts = view.versions.find(each => each.version === version)
  if (facts === undefined) throw refuseMissing(view, version)
  if (!decide(facts).listed) throw refuse(name, facts, view.versions)
  const text = await ports.documents.getVersion(name, version)
  if (text === undefined) throw problem('version-not-found', { name, version })
  return text
}

/** Notes who fetched what; the batch is written within a second. */
export function noteDownload(
  ports: Ports,
  who: Pick<Actor, 'kind'> | Identified,
  name: PackageName,
  version: Version,
  address: string,
  client: string,
): void {
  const known = 'credential' in who ? who : undefined
  const tokenId = known?.credential.kind === 'token' ? known.credential.id : ''
  ports.downloads.add({ package: name, version, accountId: known?.id ?? '', tokenId, address, client })
}

type Identified = Pick<Extract<Actor, { kind: 'person' | 'job' | 'robot' }>, 'kind' | 'id' | 'credential'>

/** The version that a tarball's file is named after. */
function versionIn(name: PackageName, fileName: string): Version {
  const prefix = tarballFileName(name, '' as Version).replace(/\.tgz$/, '')
  if (!fileName.startsWith(prefix) || !fileName.endsWith('.tgz') || fileName.length === prefix.length + 4)
    throw problem('version-not-found', { name, version: fileName })
  return fileName.slice(prefix.length, -4) as Version
}
