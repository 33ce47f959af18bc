// SPDX-License-Identifier: Apache-2.0
/**
 * Taking back what was published. A removed version stays as a tombstone: its number is never used again, and its
 * bytes lie in the blob store until the scrubber removes them.
 */
import { type DistTag, type PackageName, problem, type Version } from '@holdfast/core'
import { amend, decide, fallbackTags, type Package, type VersionFacts } from '../catalog/index.ts'
import { type Actor, authorize, type Grant } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { checkRevision, openPackage } from './package.ts'
import { provePresence } from './presence.ts'
import { tagEvent } from './tag.ts'
import { listFacts } from './view.ts'

const hourMs = 3600_000
const dayMs = 24 * hourMs
const maxDependentsNamed = 3

/** What else must be true of a version that is past its first hours: npm's published policy. */
export const unpublishLimits = { downloadDays: 7, downloads: 300, owners: 1 } as const

/** A document that a client sent back with versions left out. */
export interface Remainder {
  readonly versions: ReadonlySet<string>
  readonly tags: ReadonlyMap<string, string>
}

/**
 * Removes the versions that the document of `revision` showed and the remainder lacks; what it did not show stays.
 * Of the tags only those move that pointed at a removed version. Gives what was removed, nothing when nothing is missing.
 */
export async function unpublishMissing(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  revision: number | undefined,
  remainder: Remainder,
): Promise<readonly Version[]> {
  const { known } = await openPackage(ports, actor, 'package:read', name)
  if (actor.kind === 'nobody') throw problem('unauthenticated')
  checkRevision(known, revision)
  const all = await listFacts(ports, name)
  const gone = all.filter(facts => decide(facts).listed && !remainder.versions.has(facts.version))
  if (gone.length === 0) return []
  const grant = await authorize(ports, actor, 'package:unpublish', name)
  await removeVersions(ports, grant, known, all, gone, remainder.tags)
  return gone.map(facts => facts.version)
}

/** Removes one version. Fine when it is removed already: npm asks for the tarball after the version is gone. */
export async function unpublishVersion(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  revision: number | undefined,
  version: Version,
): Promise<void> {
  const { known, grant } = await openPackage(ports, actor, 'package:unpublish', name)
  const all = await listFacts(ports, name)
  const facts = all.find(each => each.version === version)
  if (facts === undefined) throw problem('version-not-found', { name, version })
  if (facts.status === 'removed') return
  checkRevision(known, revision)
  await removeVersions(ports, grant, known, all, [facts], new Map())
}

/** Removes every version; the name stays with its owners. */
export async function unpublishPackage(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  revision: number | undefined,
): Promise<void> {
  const { known, grant } = await openPackage(ports, actor, 'package:unpublish', name)
  checkRevision(known, revision)
  const all = await listFacts(ports, name)
  const present = all.filter(facts => facts.status !== 'removed')
  if (present.length > 0) await removeVersions(ports, grant, known, all, present, new Map())
}

async function removeVersions(
  ports: Ports,
  grant: Grant,
  known: Package,
  all: readonly VersionFacts[],
  gone: readonly VersionFacts[],
  tags: ReadonlyMap<string, string>,
): Promise<void> {
  const { name } = known
  checkNotContained(gone)
  await checkPolicy(ports, name, gone)
  await provePresence(ports, grant, known.requiresTfa)
  const left = all.filter(facts => facts.status !== 'removed' && !gone.includes(facts))
  const moves = await moveTags(ports, name, gone, left, tags)
  const events: NewEvent[] =
    left.length === 0
      ? [{ type: 'unpublish', pkg: name }]
      : gone.map(({ version }) => ({ type: 'unpublish', pkg: name, ver: version }))
  for (const [tag, version] of moves) if (left.length > 0) events.push(tagEvent(name, tag, version ?? ''))
  const at = ports.clock()
  const change = async (tx: Tx) => {
    for (const { version } of gone) await tx.catalog.setStatus(name, version, 'removed', 'unpublished', at)
    for (const [tag, version] of moves) await applyMove(tx, name, tag, version)
    if (left.length === 0) await tx.catalog.removePackage(name, at)
  }
  await ports.store.commit(grant, events, tx => amend(tx.catalog, name, at, () => change(tx), known.revision))
}

/** What is held or quarantined is evidence of an incident: its owner cannot make it disappear. */
function checkNotContained(gone: readonly VersionFacts[]): void {
  const found = gone.find(facts => facts.status === 'held' || facts.status === 'quarantined')
  if (found !== undefined) throw refuse(`version ${found.version} is under investigation`)
}

/**
 * npm's published policy. New versions may be taken back unless a package here depends on them; older ones only if
 * besides hardly anybody fetches them and one owner decides alone. Throws `unpublish-refused` with the reason.
 */
async function checkPolicy(ports: Ports, name: PackageName, gone: readonly VersionFacts[]): Promise<void> {
  const dependents = await listLiveDependents(ports, name)
  if (dependents.length > 0) throw refuse(`other packages here depend on it (${dependents.join(', ')})`)
  const now = ports.clock()
  const { unpublishHours } = ports.config
  if (gone.every(facts => now - facts.publishedAt <= unpublishHours * hourMs)) return
  const age = `it was published more than ${unpublishHours} hours ago`
  const version = gone.length === 1 ? gone[0]?.version : undefined
  const downloads = await ports.store.downloads.count(
    name,
    version,
    now - unpublishLimits.downloadDays * dayMs,
  )
  if (downloads >= unpublishLimits.downloads)
    throw refuse(`${age} and was downloaded ${downloads} times in the last week`)
  const owners = (await ports.store.catalog.listPeople(name)).filter(
    ({ role }) => role === 'owner' || role === 'maintainer',
  )
  if (owners.length > unpublishLimits.owners) throw refuse(`${age} and has ${owners.length} owners`)
}

/** Packages here that need this one and are not removed themselves. */
async function listLiveDependents(ports: Ports, name: PackageName): Promise<readonly PackageName[]> {
  const { catalog } = ports.store
  const live: PackageName[] = []
  for (const dependent of await catalog.listDependents(name, 1000)) {
    if (dependent === name || (await catalog.findPackage(dependent))?.removedAt != null) continue
    live.push(dependent)
    if (live.length === maxDependentsNamed) break
  }
  return live
}

/** Tags of removed versions go where the client says, if that is left; `latest` goes to what is newest; others go. */
async function moveTags(
  ports: Ports,
  name: PackageName,
  gone: readonly VersionFacts[],
  left: readonly VersionFacts[],
  wanted: ReadonlyMap<string, string>,
): Promise<readonly [DistTag, Version | undefined][]> {
  const removed = new Set(gone.map(facts => facts.version))
  const newest = fallbackTags(new Map(), left).get('latest' as DistTag)
  const orphans = [...(await ports.store.catalog.listTags(name))].filter(([, version]) =>
    removed.has(version),
  )
  return orphans.map(([tag]) => {
    const target = left.find(facts => facts.version === wanted.get(tag) && decide(facts).resolves)?.version
    return [tag, target ?? (tag === 'latest' ? newest : undefined)]
  })
}

function applyMove(tx: Tx, name: PackageName, tag: DistTag, version: Version | undefined): Promise<void> {
  return version === undefined ? tx.catalog.removeTag(name, tag) : tx.catalog.setTag(name, tag, version)
}

function refuse(why: string) {
  return problem('unpublish-refused', { why })
}
