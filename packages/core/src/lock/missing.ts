// SPDX-License-Identifier: Apache-2.0
import { type LockGraph, type LockNeed, listNeeds, type ProjectManifest } from './graph.ts'

/**
 * What a project needs of registries by its manifests and its lock file, and the lock file does not hold: `a`, or `b, which a needs`.
 * A lock file that leaves something out, or writes it so that it is not read, would otherwise pass for one with nothing in it.
 */
export function listMissing(graph: LockGraph, manifests: readonly ProjectManifest[]): readonly string[] {
  const { roots, nodes, manager } = graph
  const own = new Set([...roots.map(each => each.name), ...manifests.map(each => each.manifest['name'])])
  const held = new Set([...nodes.values()].map(each => each.name))
  // The edges of yarn say what was asked for, which its resolutions replace.
  const isYarn = manager === 'yarn' || manager === 'berry'
  const isMissing = ({ name, range = '', kind, to, isLinked }: LockNeed): boolean =>
    (kind === 'runtime' || kind === 'dev') &&
    (to === undefined || !nodes.has(to)) &&
    isLinked !== true &&
    !own.has(name) &&
    !/^(?:file|link|portal|workspace|catalog):|^\.{0,2}\//.test(range) &&
    !(isYarn && held.has(nameOf(range) ?? name))
  const missing = new Set(roots.flatMap(({ needs }) => needs.filter(isMissing).map(each => each.name)))
  for (const { folder, manifest } of manifests) {
    const root = roots.find(each => each.folder === folder)
    // A folder that is no part of the project for its manager, though a pattern leads there.
    if (root === undefined && folder !== '') continue
    const known = new Map(root?.needs.map(each => [each.name, each]))
    for (const need of listNeeds(manifest, name => known.get(name)?.to))
      if (!known.has(need.name) && isMissing(need)) missing.add(need.name)
  }
  if (!isYarn)
    for (const { name, needs } of nodes.values())
      for (const need of needs) if (isMissing(need)) missing.add(`${need.name}, which ${name} needs`)
  return [...missing]
}

/** Whose package an alias is. */
function nameOf(range: string): string | undefined {
  return /^npm:(@?[^@]+)(?:@|$)/.exec(range)?.[1]
}
