// SPDX-License-Identifier: Apache-2.0
/** Who asks for an installed version, and what each of them allows. */
import {
  type LockGraph,
  type LockNeed,
  type LockNode,
  readDependencyRange,
  type Version,
} from '@holdfast/core'
import { versionOf } from '../audit/known.ts'
import type { Market } from './packument.ts'

/** Somebody who asks for a version: a package of the project, or one that is installed. */
export interface Asker {
  readonly by:
    | { readonly kind: 'root'; readonly folder: string }
    | { readonly kind: 'node'; readonly name: string; readonly version: Version }
  /** As it is written there; undefined where nobody knows. */
  readonly range: string | undefined
  /** The name under which it is asked for, another one for an alias. */
  readonly as: string
}

/** All who ask for one version of a package, wherever it lies. */
export async function listAskers(
  graph: LockGraph,
  market: Market,
  name: string,
  version: string,
): Promise<readonly Asker[]> {
  const isIt = ({ to }: LockNeed) => {
    const node = to === undefined ? undefined : graph.nodes.get(to)
    return node?.name === name && node.version === version
  }
  const askers = new Map<string, Asker>()
  const add = (each: Asker) => askers.set(JSON.stringify(each), each)
  for (const { folder, needs } of graph.roots)
    for (const need of needs.filter(isIt))
      add({ by: { kind: 'root', folder }, range: need.range, as: need.name })
  for (const node of graph.nodes.values())
    for (const need of node.needs.filter(isIt)) {
      const asker = await toAsker(node, need, market)
      if (asker !== undefined) add(asker)
    }
  return [...askers.values()]
}

async function toAsker(node: LockNode, need: LockNeed, market: Market): Promise<Asker | undefined> {
  const version = versionOf(node)
  if (version === undefined) return undefined
  // Where the lock file keeps no ranges, the registry has them.
  const range = need.range ?? (await market.offer(node.name)).rangeOf(version, need.name)
  return { by: { kind: 'node', name: node.name, version }, range, as: need.name }
}

/** Whether what is written allows a version; what cannot be read allows none. */
export function allows(range: string | undefined, version: Version): boolean {
  if (range === undefined) return false
  const plain = bareRange(range)
  return plain === 'latest' || (readDependencyRange(plain)?.(version) ?? false)
}

/** Without the name of an alias. */
export function bareRange(range: string): string {
  return /^npm:@?[^@]+@(.+)$/.exec(range)?.[1] ?? range.replace(/^npm:/, '')
}

/** The range that allows a version with the freedom that the old one gave. */
export function raiseRange(range: string | undefined, to: Version): string {
  const bare = bareRange(range ?? '')
  const alias = range?.endsWith(bare) ? range.slice(0, range.length - bare.length) : ''
  const sign = /^[\^~]/.exec(bare)?.[0] ?? (/^[=v]?\d+\.\d+\.\d+/.test(bare) ? '' : '^')
  return `${alias}${sign}${to}`
}
