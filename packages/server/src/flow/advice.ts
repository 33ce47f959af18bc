// SPDX-License-Identifier: Apache-2.0
import { type PackageName, problem, type Version } from '@holdfast/core'
import { type Advisory, mergeAliases, readCovered } from '../catalog/index.ts'
import { type Actor, may, mayReadPublic } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

/** Packages with the versions that somebody has. */
export type Asked = ReadonlyMap<PackageName, ReadonlySet<Version>>

/** What is known against a package that somebody has in a version it is about, once under however many names. */
export type Advised = ReadonlyMap<PackageName, readonly Advisory[]>

/**
 * What is known here against these versions, wherever they come from: nobody else is asked, so that no name leaves this
 * instance. Of packages that the actor may not read it says nothing. Throws `unauthenticated`.
 */
export async function adviseOn(ports: Ports, actor: Actor, asked: Asked): Promise<Advised> {
  if (!mayReadPublic(ports.config, actor)) throw problem('unauthenticated')
  const known = await ports.store.policy.listAdvisoriesOf([...asked.keys()])
  const hits = known.filter(advisory => isAbout(advisory, asked.get(advisory.package) ?? new Set()))
  const advised = new Map<PackageName, readonly Advisory[]>()
  for (const [name, advisories] of Map.groupBy(hits, each => each.package))
    if (await may(ports, actor, 'package:read', name)) advised.set(name, mergeAliases(advisories))
  return advised
}

function isAbout(advisory: Advisory, versions: ReadonlySet<Version>): boolean {
  return versions.values().some(readCovered(advisory))
}
