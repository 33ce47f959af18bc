// SPDX-License-Identifier: Apache-2.0
import { type DistTag, type PackageName, problem, type Version } from '@holdfast/core'
import { amend, decide, refuse, settle } from '../catalog/index.ts'
import { type Actor, authorize } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { openPackage } from './package.ts'
import { provePresence } from './presence.ts'
import { listFacts, viewPackage } from './view.ts'

/** The tags as readers see them, wherever the package comes from. Throws `package-not-found`. */
export async function readTags(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<ReadonlyMap<DistTag, Version>> {
  await authorize(ports, actor, 'package:read', name)
  const view = await viewPackage(ports, name)
  if (view === undefined) throw problem('package-not-found', { name })
  return view.tags
}

/** Points a tag at a version that can be installed. */
export async function setTag(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  tag: DistTag,
  version: Version,
): Promise<void> {
  const { known, grant } = await openPackage(ports, actor, 'package:tag', name)
  const all = await listFacts(ports, name)
  const facts = all.find(each => each.version === version)
  if (facts === undefined) throw problem('version-not-found', { name, version })
  if (!decide(facts).resolves) throw refuse(name, facts, all)
  await provePresence(ports, grant, known.requiresTfa)
  const change = async (tx: Tx) => {
    // Asked again: it may have been removed in the meantime.
    const now = await tx.catalog.findVersion(name, version)
    if (now === undefined || !decide(settle(now)).resolves) throw problem('revision-conflict', { name })
    await tx.catalog.setTag(name, tag, version)
  }
  const event = tagEvent(name, tag, version)
  await ports.store.commit(grant, event, tx => amend(tx.catalog, name, ports.clock(), () => change(tx)))
}

/** Removes a tag. Throws `latest-tag-kept`, `tag-not-found`. */
export async function removeTag(ports: Ports, actor: Actor, name: PackageName, tag: DistTag): Promise<void> {
  const { known, grant } = await openPackage(ports, actor, 'package:tag', name)
  // Without `latest` clients have nothing to install when no version is asked for.
  if (tag === 'latest') throw problem('latest-tag-kept')
  if (!(await ports.store.catalog.listTags(name)).has(tag)) throw problem('tag-not-found', { name, tag })
  await provePresence(ports, grant, known.requiresTfa)
  await ports.store.commit(grant, tagEvent(name, tag, ''), tx =>
    amend(tx.catalog, name, ports.clock(), () => tx.catalog.removeTag(name, tag)),
  )
}

/** Points a tag somewhere inside a commit, with its event. */
export async function moveTag(tx: Tx, name: PackageName, tag: DistTag, version: Version): Promise<void> {
  await tx.catalog.setTag(name, tag, version)
  tx.record(tagEvent(name, tag, version))
}

/** `ver` is empty when the tag is gone. */
export function tagEvent(name: PackageName, tag: DistTag, version: Version | ''): NewEvent {
  return version === ''
    ? { type: 'dist-tag', pkg: name, fields: { tag, ver: '' } }
    : { type: 'dist-tag', pkg: name, ver: version, fields: { tag } }
}
