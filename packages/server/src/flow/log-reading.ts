// SPDX-License-Identifier: Apache-2.0
/** Who may read what of the transparency log: its leaves name packages, and of some not everybody may know. */
import { decodeLeaf, isPackageName, type PackageName, problem, type Version } from '@holdfast/core'
import { type Actor, authorize, may, mayReadPublic } from '../identity/index.ts'
import type { EntryProof, LogEntry, Ports, PublishedLog } from '../ports.ts'

/** One version that somebody wants a proof of. */
export interface WantedProof {
  readonly name: PackageName
  readonly version: Version
}

/** Hashes alone tell how much happened and when, so they are for whoever may read here at all. Throws `unauthenticated`. */
export function checkMayReadHashes(ports: Ports, actor: Actor): void {
  if (!mayReadHashes(ports, actor)) throw problem('unauthenticated')
}

function mayReadHashes(ports: Ports, actor: Actor): boolean {
  return actor.kind === 'operator' || mayReadPublic(ports.config, actor)
}

/**
 * Whether somebody may read entries of whatever package. While no package was ever restricted that is whoever may read here;
 * from then on those who may read the record.
 */
export async function mayReadWholeLog(ports: Ports, actor: Actor): Promise<boolean> {
  if (!(await ports.store.catalog.wasEverRestricted())) return mayReadHashes(ports, actor)
  return may(ports, actor, 'log:read', '')
}

/** Throws `unauthenticated` or `forbidden` where somebody may not. */
export async function checkMayReadWholeLog(ports: Ports, actor: Actor): Promise<void> {
  checkMayReadHashes(ports, actor)
  if (!(await mayReadWholeLog(ports, actor))) await authorize(ports, actor, 'log:read', '')
}

/**
 * All entries of a package under the newest checkpoint. Throws `package-not-found` alike for a package that somebody may
 * not read, one that is not there, and one that was only prepared.
 */
export async function readPackageLog(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<{ readonly checkpoint: PublishedLog; readonly leaves: readonly LogEntry[] }> {
  await authorize(ports, actor, 'package:read', name)
  const checkpoint = await getPublished(ports)
  const all = (await isKnown(ports, name)) ? await ports.store.log.ofPackage(name) : []
  const leaves = all.filter(({ index }) => index < checkpoint.size)
  if (leaves.length === 0) throw problem('package-not-found', { name })
  return { checkpoint, leaves }
}

/** What was left out of an answer is asked for by itself: an entry is half a kilobyte. */
const entriesAtOnce = 20_000

/**
 * The entries of many packages under one checkpoint, for as many of them as an answer holds. None for a package that is not
 * there, or not for this reader to know of.
 */
export async function readPackageLogs(
  ports: Ports,
  actor: Actor,
  names: readonly PackageName[],
): Promise<{
  readonly checkpoint: PublishedLog
  readonly packages: ReadonlyMap<PackageName, readonly LogEntry[]>
}> {
  checkMayReadHashes(ports, actor)
  const checkpoint = await getPublished(ports)
  const known = await filterKnown(ports, await listReadable(ports, actor, names))
  const all = await ports.store.log.ofPackages(known, entriesAtOnce)
  const covered = [...all].map(
    ([name, entries]) => [name, entries.filter(({ index }) => index < checkpoint.size)] as const,
  )
  return { checkpoint, packages: new Map(covered.filter(([, entries]) => entries.length > 0)) }
}

/** The proof that a version's publication is in the log. Throws `package-not-found`, `log-entry-not-found`. */
export async function proveVersion(ports: Ports, actor: Actor, wanted: WantedProof): Promise<EntryProof> {
  await authorize(ports, actor, 'package:read', wanted.name)
  const found = await ports.store.log.findPublish(wanted.name, wanted.version)
  if (found === undefined) throw problem('log-entry-not-found', { entry: `${wanted.name}@${wanted.version}` })
  return proveOne(ports, found)
}

/** The proof of an entry by its place. Throws `log-entry-not-found` alike for one that is not there and one that is not for everybody. */
export async function proveIndex(ports: Ports, actor: Actor, index: number): Promise<EntryProof> {
  const [found] = await ports.store.log.readEntries(index, index + 1)
  return proveFound(ports, actor, found, String(index))
}

/** The same by the event's id. */
export async function proveId(ports: Ports, actor: Actor, id: string): Promise<EntryProof> {
  return proveFound(ports, actor, await ports.store.log.findById(id), id)
}

async function proveFound(
  ports: Ports,
  actor: Actor,
  found: LogEntry | undefined,
  entry: string,
): Promise<EntryProof> {
  checkMayReadHashes(ports, actor)
  if (found === undefined || !(await mayReadEntry(ports, actor, found)))
    throw problem('log-entry-not-found', { entry })
  return proveOne(ports, found)
}

async function proveOne(ports: Ports, found: LogEntry): Promise<EntryProof> {
  const [proof] = await ports.log.prove([found])
  if (proof === undefined) throw problem('log-entry-not-found', { entry: String(found.index) })
  return proof
}

/** Proofs of many versions under one checkpoint; undefined for each that is not in it, or not for this reader to know of. */
export async function proveVersions(
  ports: Ports,
  actor: Actor,
  wanted: readonly WantedProof[],
): Promise<{ readonly checkpoint: string; readonly proofs: readonly (EntryProof | undefined)[] }> {
  checkMayReadHashes(ports, actor)
  const checkpoint = await getPublished(ports)
  const readable = new Set(
    await listReadable(
      ports,
      actor,
      wanted.map(({ name }) => name),
    ),
  )
  const entries = await ports.store.log.findPublishes(wanted)
  const found = entries.map((entry, at) => {
    const isThere = entry !== undefined && entry.index < checkpoint.size
    return isThere && readable.has(wanted[at]?.name as PackageName) ? entry : undefined
  })
  const there = await ports.log.prove(found.filter(each => each !== undefined))
  const proofs = [...there]
  return {
    // A newer one may have been published meanwhile.
    checkpoint: there[0]?.checkpoint ?? checkpoint.note,
    proofs: found.map(each => each && proofs.shift()),
  }
}

/** What `may` asks of packages is read at once: one question each would cost more than the proofs. */
async function listReadable(
  ports: Ports,
  actor: Actor,
  names: readonly PackageName[],
): Promise<readonly PackageName[]> {
  const { store } = ports
  const unique = [...new Set(names)]
  const packages = await store.catalog.findPackages(unique)
  const catalog = { ...store.catalog, findPackage: async (name: PackageName) => packages.get(name) }
  const asked = { ...ports, store: { ...store, catalog } }
  const readable: PackageName[] = []
  for (const name of unique) if (await may(asked, actor, 'package:read', name)) readable.push(name)
  return readable
}

/** Those that are more than prepared. */
async function filterKnown({ store }: Ports, names: readonly PackageName[]): Promise<readonly PackageName[]> {
  const [packages, ingested] = await Promise.all([
    store.catalog.findPackages(names),
    store.mirrors.filterIngested(names),
  ])
  const known = new Set([...packages.keys(), ...ingested])
  return names.filter(name => known.has(name))
}

/** Whether one entry is for somebody: as its package is, and without one as the whole log is. */
export async function mayReadEntry(ports: Ports, actor: Actor, { entry }: LogEntry): Promise<boolean> {
  const { pkg } = decodeLeaf(Buffer.from(entry).toString('utf8'))
  if (await mayReadWholeLog(ports, actor)) return true
  if (!isPackageName(pkg)) return false
  return (await may(ports, actor, 'package:read', pkg)) && isKnown(ports, pkg)
}

/** A name whose publication is only prepared is nobody's business yet. */
async function isKnown({ store }: Ports, name: PackageName): Promise<boolean> {
  if ((await store.catalog.findPackage(name)) !== undefined) return true
  return (await store.mirrors.listIngested(name)).length > 0
}

async function getPublished(ports: Ports): Promise<PublishedLog> {
  const published = await ports.log.published()
  if (published === undefined) throw problem('log-entry-not-found', { entry: '0' })
  return published
}
