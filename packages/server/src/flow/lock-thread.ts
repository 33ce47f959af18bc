// SPDX-License-Identifier: Apache-2.0
/** The thread that reads submitted lock files: their text in, who uses what and by which way out. */
import {
  findStrays,
  isPackageName,
  type LockGraph,
  type LockNode,
  listMissing,
  type PackageName,
  parseVersion,
  pathsOf,
  readLockGraph,
  scopesOf,
  type Version,
} from '@holdfast/core'
import type { ProjectEntry } from '../catalog/index.ts'
import { answerJobs, standBack } from '../thread.ts'
import type { LockJob, LockReading } from './project-lock.ts'

const maxEntries = 20_000
const pathLength = 12
const graveness = { required: 0, optional: 1, dev: 2 } as const

standBack()
answerJobs<LockJob, LockReading>(({ text, manifests, origin }) => {
  const graph = readGraph(text, manifests)
  const unknown = { kind: 'refused', why: 'it is in no format that is known here' } as const
  if (graph === undefined) return unknown
  const [gap] = listMissing(graph, manifests)
  // What a lock file leaves out would never be told of.
  if (gap !== undefined)
    return { kind: 'refused', why: `it does not hold all that is needed: there is no ${gap}` }
  if (isNothing(graph)) return unknown
  const registry = new Map([...graph.nodes].filter(([, node]) => node.source === 'registry'))
  if (registry.size > maxEntries) return { kind: 'refused', why: `it names more than ${maxEntries} versions` }
  // What lies about its own name would be counted as something else.
  const [lie] = findStrays({ ...graph, nodes: registry }, () => true)
  if (lie !== undefined) return { kind: 'refused', why: `${lie.name}@${lie.version}: ${lie.why}` }
  const strays = findStrays(graph, () => true).length
  return { kind: 'read', manager: graph.manager, entries: listEntries(graph, registry, origin), strays }
})

function isNothing({ roots, nodes }: LockGraph): boolean {
  return nodes.size === 0 && roots.every(({ name }) => name === undefined)
}

function readGraph(text: string, manifests: LockJob['manifests']): LockGraph | undefined {
  try {
    return readLockGraph(text, manifests)
  } catch {
    return undefined
  }
}

/** Each version once, with the shortest of its ways and the gravest of its reasons. */
function listEntries(
  graph: LockGraph,
  registry: ReadonlyMap<string, LockNode>,
  origin: string,
): readonly ProjectEntry[] {
  const pathOf = pathsOf(graph)
  const scopes = scopesOf(graph)
  const direct = new Set(graph.roots.flatMap(({ needs }) => needs.map(({ to }) => to)))
  const entries = new Map<string, ProjectEntry>()
  for (const node of registry.values()) {
    const named = nameOf(node)
    if (named === undefined) continue
    const path = shorten(pathOf(node.key).map(each => `${each.name}@${each.version}`))
    const scope = scopes.get(node.key) ?? 'required'
    const entry = { ...named, isDirect: direct.has(node.key), scope, isOwn: isOwn(node, origin), path }
    const key = `${named.package}@${named.version}`
    const before = entries.get(key)
    entries.set(key, before === undefined ? entry : join(before, entry))
  }
  return [...entries.values()]
}

function nameOf({ name, version }: LockNode): { package: PackageName; version: Version } | undefined {
  if (!isPackageName(name)) return undefined
  try {
    return { package: name, version: parseVersion(version) }
  } catch {
    return undefined
  }
}

function join(one: ProjectEntry, other: ProjectEntry): ProjectEntry {
  const shorter = other.path.length > 0 && other.path.length < one.path.length ? other.path : one.path
  return {
    ...one,
    isDirect: one.isDirect || other.isDirect,
    scope: graveness[other.scope] < graveness[one.scope] ? other.scope : one.scope,
    isOwn: one.isOwn === other.isOwn ? one.isOwn : false,
    path: shorter,
  }
}

function isOwn({ resolved }: LockNode, origin: string): boolean | undefined {
  if (resolved === undefined || !URL.canParse(resolved)) return undefined
  return new URL(resolved).origin === origin
}

function shorten(path: readonly string[]): readonly string[] {
  if (path.length <= pathLength) return path
  return [...path.slice(0, pathLength / 2), '…', ...path.slice(1 - pathLength / 2)]
}
