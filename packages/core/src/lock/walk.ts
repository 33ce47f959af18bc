// SPDX-License-Identifier: Apache-2.0
import type { LockGraph, LockNeed, LockNode } from './graph.ts'

/** Whether something runs with the project, is left out where it does not fit, or only serves its development. */
export type LockScope = 'required' | 'optional' | 'dev'

/** Why each node is there, by its key: what is required in any way is required. */
export function scopesOf({ roots, nodes }: LockGraph): ReadonlyMap<string, LockScope> {
  const scopes = new Map<string, LockScope>()
  const own = roots.flatMap(({ needs }) => needs)
  const spread = (scope: LockScope, start: readonly LockNeed[], follows: (need: LockNeed) => boolean) => {
    const waiting = [...start]
    for (let need = waiting.pop(); need !== undefined; need = waiting.pop()) {
      const node = need.to === undefined ? undefined : nodes.get(need.to)
      if (node === undefined || scopes.has(node.key)) continue
      scopes.set(node.key, scope)
      waiting.push(...node.needs.filter(follows))
    }
  }
  const isNeeded = ({ kind }: LockNeed) => kind !== 'optional'
  spread(
    'required',
    own.filter(({ kind }) => kind === 'runtime' || kind === 'peer'),
    isNeeded,
  )
  // What is optional below something required is found from there.
  const below = [...scopes.keys()].flatMap(key => nodes.get(key)?.needs ?? [])
  spread('optional', [...own.filter(({ kind }) => kind === 'optional'), ...below], () => true)
  spread(
    'dev',
    own.filter(({ kind }) => kind === 'dev'),
    () => true,
  )
  for (const key of nodes.keys()) if (!scopes.has(key)) scopes.set(key, 'required')
  return scopes
}

/** The shortest way from the project to each node, by its key: the names on the way, itself last. */
export function pathsOf({ roots, nodes }: LockGraph): (key: string) => readonly LockNode[] {
  const from = new Map<string, string | undefined>()
  let edge: readonly (readonly [string, string | undefined])[] = roots.flatMap(({ needs }) =>
    needs.flatMap(({ to }) => (to === undefined ? [] : [[to, undefined] as const])),
  )
  while (edge.length > 0) {
    const fresh = edge.filter(([key, parent]) => nodes.has(key) && !from.has(key) && from.set(key, parent))
    edge = fresh.flatMap(([key]) =>
      (nodes.get(key)?.needs ?? []).flatMap(({ to }) => (to === undefined ? [] : [[to, key] as const])),
    )
  }
  return key => {
    const path: LockNode[] = []
    for (let at: string | undefined = key; at !== undefined; at = from.get(at)) {
      const node = nodes.get(at)
      if (node !== undefined) path.unshift(node)
    }
    return path
  }
}
