// SPDX-License-Identifier: Apache-2.0
import {
  checkNewPackageName,
  isDrillName,
  looksLikeDrill,
  matchesName,
  type NamePattern,
  type PackageName,
  problem,
} from '@holdfast/core'
import { findAmbiguous } from '../catalog/index.ts'
import { type Actor, authorize } from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { provePresence } from './presence.ts'

/** Says which names are hosted here; each pattern is an event of its own. */
export async function hostNames(ports: Ports, actor: Actor, patterns: readonly NamePattern[]): Promise<void> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  await provePresence(ports, grant)
  checkNotRouted(ports, patterns)
  const events = patterns.map(pattern => hostedEvent('add', pattern))
  await ports.store.commit(grant, events, async tx => {
    for (const pattern of patterns) await tx.catalog.addHosted(pattern, ports.clock())
  })
}

/** Throws `name-routed` where the configuration gives names that are hosted here to an upstream: nobody could say which is meant. */
export async function checkRoutes(ports: Pick<Ports, 'store' | 'routes'>): Promise<void> {
  checkNotRouted(ports, await ports.store.catalog.listHosted())
}

function checkNotRouted({ routes }: Pick<Ports, 'routes'>, hosted: readonly NamePattern[]): void {
  // That all other names come from somewhere contradicts nothing.
  const narrow = routes.filter(({ pattern }) => pattern !== '*')
  const [pattern] = findAmbiguous([...hosted.map(each => ({ pattern: each, origin: 'hosted' })), ...narrow])
  const origin = narrow.find(route => route.pattern === pattern)?.origin
  if (pattern !== undefined && origin !== undefined) throw problem('name-routed', { pattern, origin })
}

/** Names under these patterns can no longer be made here; what is published stays. */
export async function unhostNames(
  ports: Ports,
  actor: Actor,
  patterns: readonly NamePattern[],
): Promise<void> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  await provePresence(ports, grant)
  const events = patterns.map(pattern => hostedEvent('remove', pattern))
  await ports.store.commit(grant, events, async tx => {
    for (const pattern of patterns) await tx.catalog.removeHosted(pattern)
  })
}

function hostedEvent(op: 'add' | 'remove', pattern: NamePattern): NewEvent {
  return { type: 'hosted-names', fields: { op, pattern }, detail: { op, pattern } }
}

/** Throws unless a package of this name may live here. */
export async function checkMayBeMade(ports: Ports, name: PackageName): Promise<void> {
  checkNewPackageName(name)
  // Who may make names in the sandbox itself is `authorize`'s to say.
  if (isDrillName(name)) return
  if (looksLikeDrill(name))
    throw problem('invalid-package-name', { name, why: 'it looks like the sandbox of drills' })
  const hosted = await ports.store.catalog.listHosted()
  if (!hosted.some(pattern => matchesName(pattern, name)))
    throw problem('name-not-hosted', { name, data: ports.config.data })
}
