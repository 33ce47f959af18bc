// SPDX-License-Identifier: Apache-2.0
import {
  drillOrigin,
  drillUpstreamScope,
  isDrillName,
  matchesName,
  type NamePattern,
  type PackageName,
} from '@holdfast/core'
import type { NameRoute, OriginName } from './upstream.ts'

/**
 * Where a name comes from, the one answer: what is hosted here wins and never falls through (dependency confusion), else the
 * most specific route. Undefined where nothing claims the name.
 */
export function originOf(
  name: PackageName,
  hosted: readonly NamePattern[],
  routes: readonly NameRoute[],
): OriginName | undefined {
  const folded = foldCase(name)
  if (isDrillName(folded)) return folded.startsWith(`${drillUpstreamScope}/`) ? drillOrigin : 'hosted'
  if (hosted.some(pattern => claims(pattern, name))) return 'hosted'
  let best: NameRoute | undefined
  for (const route of routes)
    if (claims(route.pattern, name) && (best === undefined || isMoreSpecific(route, best))) best = route
  return best?.origin
}

/** In whatever case: to ask elsewhere for `@Acme/ui` would tell a name of `@acme/*`, and could get its twin. */
function claims(pattern: NamePattern, name: PackageName): boolean {
  return matchesName(foldCase(pattern), foldCase(name))
}

function foldCase<T extends string>(text: T): T {
  return text.toLowerCase() as T
}

/** Patterns that two routes give to different origins: nobody could say which is meant. */
export function findAmbiguous(routes: readonly NameRoute[]): readonly NamePattern[] {
  const first = new Map<NamePattern, OriginName>()
  const twice = new Set<NamePattern>()
  for (const { pattern, origin } of routes) {
    const folded = foldCase(pattern)
    const known = first.get(folded)
    if (known !== undefined && known !== origin) twice.add(pattern)
    first.set(folded, known ?? origin)
  }
  return [...twice]
}

/** Patterns that match one name are prefixes of one another: the longer says more, a whole name says most. */
function isMoreSpecific({ pattern: one }: NameRoute, { pattern: other }: NameRoute): boolean {
  if (one.endsWith('*') !== other.endsWith('*')) return other.endsWith('*')
  return one.length > other.length
}
