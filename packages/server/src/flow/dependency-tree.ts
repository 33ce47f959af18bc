// SPDX-License-Identifier: Apache-2.0
/** What a version brings along when it is installed from here now, and what is known against any of it. */
import { setTimeout as delay } from 'node:timers/promises'
import {
  compareVersions,
  type DistTag,
  isPackageName,
  isPrerelease,
  type PackageName,
  readDependencyRange,
  type Version,
} from '@holdfast/core'
import { type Advisory, decide, type Mirror } from '../catalog/index.ts'
import { type Actor, may } from '../identity/index.ts'
import type { Mirrors, Ports } from '../ports.ts'
import { findHits } from './project-hit.ts'
import { type PackageView, viewPackage } from './view.ts'

const maxNodes = 300
const workMs = 5000
const keptMs = 60_000
const maxKept = 200

/** A version that is asked for, and what it asks for itself. */
export interface TreeRoot {
  readonly name: PackageName
  readonly version: Version
  readonly needs: readonly Need[]
}

/** A dependency as a `package.json` writes it. */
export interface Need {
  readonly name: string
  readonly range: string
}

/** One version of the tree, which is drawn as a graph: who needs the same shares it. */
export interface TreeNode {
  /** `name@version`. */
  readonly key: string
  readonly name: PackageName
  readonly version: Version
  /** How many steps it is from the root, by the shortest way; the root is 0. */
  readonly depth: number
  /** Who needs it on that way; undefined for the root. */
  readonly from: string | undefined
  /** Keys of what it needs. */
  readonly needs: readonly string[]
}

/** Something known against a version of the tree. */
export interface TreeHit {
  readonly node: TreeNode
  readonly advisory: Advisory
  /** Keys from what the root needs itself to the node. */
  readonly path: readonly string[]
}

export interface TreeReading {
  readonly nodes: ReadonlyMap<string, TreeNode>
  /** The nearest first. */
  readonly hits: readonly TreeHit[]
  /** What this registry has nothing for, as it is asked for. */
  readonly unresolved: readonly Need[]
  /** There is more than was looked at. */
  readonly isCut: boolean
}

type Tree = Omit<TreeReading, 'hits' | 'unresolved'> & {
  readonly unresolved: readonly (Need & { readonly by: string })[]
}

interface Kept {
  readonly at: number
  readonly work: Promise<Tree>
}

const keptOf = new WeakMap<Ports['store'], Map<string, Kept>>()

/**
 * The tree of a version as this registry would install it, without what the actor may not read. Undefined where that is not known
 * within the time: the work goes on, and who asks again gets it. No upstream is asked.
 */
export async function readTree(
  ports: Ports,
  actor: Actor,
  root: TreeRoot,
  withinMs: number,
): Promise<TreeReading | undefined> {
  const stop = new AbortController()
  const work = remember(ports, root)
  const tree = await Promise.race([
    work,
    delay(withinMs, undefined, { signal: stop.signal }).catch(() => undefined),
  ]).finally(() => stop.abort())
  if (tree === undefined) return undefined
  const readable = await keepReadable(ports, actor, tree)
  const unresolved = new Map(readable.unresolved.map(each => [`${each.name} ${each.range}`, each]))
  return { ...readable, unresolved: [...unresolved.values()], hits: await listHits(ports, readable) }
}

function remember(ports: Ports, root: TreeRoot): Promise<Tree> {
  const kept = keptOf.get(ports.store) ?? new Map<string, Kept>()
  keptOf.set(ports.store, kept)
  const key = `${root.name}@${root.version}`
  const now = ports.clock()
  const found = kept.get(key)
  if (found !== undefined && now - found.at < keptMs) return found.work
  const work = grow(ports, root)
  work.catch(() => kept.delete(key))
  kept.delete(key)
  kept.set(key, { at: now, work })
  const [oldest] = kept.keys()
  if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest)
  return work
}

interface Waiting {
  readonly key: string
  readonly name: PackageName
  readonly version: Version
  readonly depth: number
  readonly from: string | undefined
  readonly needs: readonly Need[]
}

/** Breadth first, so that each node is found by its shortest way. */
async function grow(ports: Ports, root: TreeRoot): Promise<Tree> {
  const look = openLook(ports)
  const until = performance.now() + workMs
  const nodes = new Map<string, TreeNode>()
  const unresolved: (Need & { readonly by: string })[] = []
  const begun = new Set([`${root.name}@${root.version}`])
  const waiting: Waiting[] = [{ ...root, key: `${root.name}@${root.version}`, depth: 0, from: undefined }]
  let isCut = false
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    const keys: string[] = []
    for (const need of at.needs) {
      if (performance.now() > until || begun.size >= maxNodes) {
        isCut = true
        break
      }
      const found = await look(need)
      if (found === undefined) unresolved.push({ ...need, by: at.key })
      else {
        const key = `${found.name}@${found.version}`
        keys.push(key)
        if (begun.has(key)) continue
        begun.add(key)
        waiting.push({ ...found, key, depth: at.depth + 1, from: at.key, needs: await found.readNeeds() })
      }
    }
    const { key, name, version, depth, from } = at
    nodes.set(key, { key, name, version, depth, from, needs: keys })
  }
  return { nodes, unresolved, isCut }
}

interface Found {
  readonly name: PackageName
  readonly version: Version
  readNeeds(): Promise<readonly Need[]>
}

/** Finds versions in what is kept here; a package is looked at once. */
function openLook(ports: Ports): (need: Need) => Promise<Found | undefined> {
  const viewing = { ...ports, mirrors: keptMirrors(ports) }
  const views = new Map<string, Promise<PackageView | undefined>>()
  return async need => {
    const { name, range } = readAlias(need)
    if (!isPackageName(name)) return undefined
    const asked = views.get(name) ?? viewPackage(viewing, name)
    views.set(name, asked)
    const view = await asked
    const version = view && choose(view, range)
    if (view === undefined || version === undefined) return undefined
    return { name, version, readNeeds: () => readNeeds(ports, view, version) }
  }
}

/** What upstreams said last, however long ago: a page makes nobody wait for the wire. */
function keptMirrors({ store }: Ports): Mirrors {
  const get: Mirrors['get'] = async (name, origin) => {
    const mirror = await store.mirrors.find(name)
    return mirror?.origin === origin ? { mirror, freshUntil: 0, warning: '' } : undefined
  }
  return { get, refresh: get }
}

function readAlias({ name, range }: Need): Need {
  const [, other, wanted = ''] = /^npm:(@?[^@]+)(?:@(.*))?$/.exec(range) ?? []
  return other === undefined ? { name, range } : { name: other, range: wanted }
}

/** As npm chooses: what `latest` points at where it fits, else the newest that fits; of what is given out. */
function choose({ tags, versions }: PackageView, range: string): Version | undefined {
  const open = versions.filter(each => decide(each).served).map(each => each.version)
  const tagged = tags.get((range === '' ? 'latest' : range) as DistTag)
  if (tagged !== undefined && open.includes(tagged)) return tagged
  const fits = readDependencyRange(range)
  if (fits === undefined) return undefined
  const fitting = open.filter(fits).sort(compareVersions)
  const latest = tags.get('latest' as DistTag)
  if (latest !== undefined && fitting.includes(latest)) return latest
  return fitting.findLast(each => !isPrerelease(each)) ?? fitting.at(-1)
}

async function readNeeds(ports: Ports, view: PackageView, version: Version): Promise<readonly Need[]> {
  const mirror: Mirror | undefined = view.known?.mirror
  const manifest =
    mirror === undefined
      ? (JSON.parse(
          (await ports.store.catalog.findVersion(view.name, version))?.shortManifest ?? '{}',
        ) as Record<string, unknown>)
      : (await ports.documents.getWords(mirror, version)).manifest
  return [...listOf(manifest['dependencies']), ...listOf(manifest['optionalDependencies'])]
}

function listOf(value: unknown): Need[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).map(([name, range]) => ({ name, range: String(range) }))
}

/** A private package of a tree is not there for those who may not read it, nor what only it needs. */
async function keepReadable(ports: Ports, actor: Actor, tree: Tree): Promise<Tree> {
  const closed = new Set<string>()
  for (const name of new Set([...tree.nodes.values()].map(each => each.name)))
    if (!(await may(ports, actor, 'package:read', name))) closed.add(name)
  if (closed.size === 0) return tree
  const nodes = new Map<string, TreeNode>()
  const isOpen = (key: string) => !closed.has(tree.nodes.get(key)?.name ?? '')
  const waiting = [...tree.nodes.values()].slice(0, 1)
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    const { key, depth, needs } = at
    if (nodes.has(key)) continue
    nodes.set(key, { ...at, needs: needs.filter(isOpen) })
    for (const next of needs.filter(isOpen)) {
      const found = tree.nodes.get(next)
      if (found !== undefined && !nodes.has(next)) waiting.push({ ...found, depth: depth + 1, from: key })
    }
  }
  return { ...tree, nodes, unresolved: tree.unresolved.filter(each => nodes.has(each.by)) }
}

async function listHits({ store }: Ports, { nodes }: Tree): Promise<readonly TreeHit[]> {
  const below = [...nodes.values()].filter(each => each.depth > 0)
  const ofName = Map.groupBy(below, each => each.name)
  const told = await store.policy.listAdvisoriesOf([...ofName.keys()])
  const hits = [...Map.groupBy(told, each => each.package)].flatMap(([name, of]) =>
    findHits(of, ofName.get(name) ?? []).flatMap(({ advisory, uses }) =>
      uses.map(node => ({ node, advisory, path: pathTo(nodes, node) })),
    ),
  )
  return hits.sort((a, b) => a.node.depth - b.node.depth || (a.node.key < b.node.key ? -1 : 1))
}

function pathTo(nodes: ReadonlyMap<string, TreeNode>, node: TreeNode): readonly string[] {
  const path: string[] = []
  for (let at: TreeNode | undefined = node; at !== undefined && at.depth > 0; )
    at = path.unshift(at.key) && at.from !== undefined ? nodes.get(at.from) : undefined
  return path
}
