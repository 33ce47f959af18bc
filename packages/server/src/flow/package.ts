// SPDX-License-Identifier: Apache-2.0
import { type PackageName, problem } from '@holdfast/core'
import type { Package } from '../catalog/index.ts'
import { type Actor, authorize, type Grant, type Operation } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

/** A package somebody may do something to. Throws `package-not-found` when there is none, or when they may not even read it. */
export async function openPackage(
  ports: Ports,
  actor: Actor,
  operation: Operation,
  name: PackageName,
): Promise<{ known: Package; grant: Grant }> {
  const known = await ports.store.catalog.findPackage(name)
  if (known !== undefined) return { known, grant: await authorize(ports, actor, operation, name) }
  // The same answers as for a package that is there and hidden: they must not tell which it is.
  if (actor.kind === 'nobody' && operation !== 'package:read') throw problem('unauthenticated')
  await authorize(ports, actor, 'package:read', name)
  throw problem('package-not-found', { name })
}

/** Throws `revision-conflict` unless the document a client changed is the present one; undefined where there was none. */
export function checkRevision(known: Package, revision: number | undefined): void {
  if (revision !== undefined && revision !== known.revision)
    throw problem('revision-conflict', { name: known.name })
}
