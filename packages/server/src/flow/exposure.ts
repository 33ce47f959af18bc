// SPDX-License-Identifier: Apache-2.0
/** A bundle names its repository, workflow and commit to whoever may read the package: of a source that is not public nobody else should. */
import { excerpt, type PackageName, problem, type Version } from '@holdfast/core'
import type { Access } from '../catalog/index.ts'
import type { BuildFacts } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'

const shownSources = 5

/** Why provenance of this build may not stand in a package of this access, or undefined. */
export function explainExposure(
  { config }: Pick<Ports, 'config'>,
  access: Access,
  build: BuildFacts,
): string | undefined {
  return isOpen({ config }, access) && isHidden(build)
    ? `its source is ${build.visibility}, and anybody could read about it here`
    : undefined
}

/** The same in the transaction that lets a version in: the package may have been opened since. Throws `provenance-refused`. */
export async function checkHidden(
  tx: Tx,
  ports: Pick<Ports, 'config'>,
  { name, version }: { readonly name: PackageName; readonly version: Version },
  build: BuildFacts | undefined,
): Promise<void> {
  const known = await tx.catalog.findPackage(name)
  const why = known && build && explainExposure(ports, known.access, build)
  if (why !== undefined) throw problem('provenance-refused', { name, version, why })
}

/** The sources that opening a package would show, each once; empty where it shows none. */
export async function listExposed(
  { trust }: Pick<Tx, 'trust'> | Ports['store'],
  ports: Pick<Ports, 'config'>,
  name: PackageName,
): Promise<readonly string[]> {
  if (!isOpen(ports, 'public')) return []
  const hidden = (await trust.listBuilds(name)).filter(isHidden)
  return [...new Set(hidden.map(each => each.repository))].sort()
}

/** Throws `provenance-exposed` where opening a package would show sources that are not public. */
export async function checkMayOpen(tx: Tx, ports: Pick<Ports, 'config'>, name: PackageName): Promise<void> {
  const sources = await listExposed(tx, ports, name)
  if (sources.length === 0) return
  const more = sources.length > shownSources ? ` and ${sources.length - shownSources} more` : ''
  throw problem('provenance-exposed', {
    name,
    sources: sources.slice(0, shownSources).map(excerpt).join(', ') + more,
  })
}

function isHidden({ visibility }: BuildFacts): boolean {
  return visibility === 'private' || visibility === 'internal'
}

function isOpen({ config }: Pick<Ports, 'config'>, access: Access): boolean {
  return config.read === 'anyone' && access === 'public'
}
