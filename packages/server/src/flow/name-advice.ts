// SPDX-License-Identifier: Apache-2.0
import type { PackageName, Version } from '@holdfast/core'
import type { Ports } from '../ports.ts'
import { findLikeness } from './look-alike.ts'
import { viewPackage } from './view.ts'

/** What whoever published the first version of a name should hear of the name; undefined for nothing. */
export async function adviseName(
  ports: Ports,
  name: PackageName,
  version: Version,
): Promise<string | undefined> {
  const view = await viewPackage(ports, name)
  if (view === undefined) return undefined
  const kept = await ports.store.catalog.listKeptFacts(name)
  const found = await findLikeness(ports, { ...view, kept }, ports.clock())
  if (found === undefined) return undefined
  const asked = `${name} is likely taken for ${found.target} (${found.technique}): did you mean ${found.target}?`
  const isHeld = view.versions.some(({ hits }) =>
    hits.some(({ kind, isEnforced, action }) => kind === 'look-alike' && isEnforced && action !== 'warn'),
  )
  return isHeld
    ? `${asked} It is held until somebody lets it go, see ${ports.config.publicUrl}/why/npm/${name}/${version}`
    : asked
}
