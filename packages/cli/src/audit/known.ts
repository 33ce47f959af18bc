// SPDX-License-Identifier: Apache-2.0
/** What registries know against what a lock file names. */
import {
  isPackageName,
  type LockGraph,
  type LockNode,
  type LockScope,
  parseVersion,
  pathsOf,
  readVersionRange,
  scopesOf,
  type Version,
} from '@holdfast/core'
import { askAdvisories, type NpmRegistry, type Routes } from '../npm-registry.ts'
import { UsageError } from '../usage-error.ts'

/** From the least to the worst. */
export const severities = ['low', 'moderate', 'high', 'critical'] as const
export type Severity = (typeof severities)[number]

/** What is known of some versions of a package. */
export interface Flaw {
  /** The advisory's own name where its address has it, such as `GHSA-…`. */
  readonly id: string
  readonly name: string
  readonly title: string
  readonly url: string
  readonly severity: Severity
  /** The versions that have it, in the one form that registries answer in. */
  readonly range: string
}

/** One flaw of one installed version. */
export interface Finding {
  readonly flaw: Flaw
  readonly name: string
  readonly version: Version
  readonly scope: LockScope
  /** The first version above it that the advisory leaves out. */
  readonly fixed: Version | undefined
  /** Why it is there: what needs it, beginning with what the project needs, itself last. */
  readonly path: readonly string[]
  /** Its places in the lock file. */
  readonly keys: readonly string[]
}

export interface Known {
  readonly findings: readonly Finding[]
  /** How many versions were asked about. */
  readonly asked: number
  /** Names that no registry was asked about: of a scope that was installed from somewhere that the project is not set to. */
  readonly withheld: readonly string[]
  /** Entries that are said to come from a registry, under a name or version that none has: nothing can be known of them. */
  readonly unread: readonly string[]
  /** Hosts that have no advisories. */
  readonly silent: readonly string[]
  /** What registries say beside their answers, such as that advisories are missing there. */
  readonly notices: readonly string[]
}

const namesAtOnce = 5000

/** Asks each package's own registry about all that is installed. */
export async function findKnown(graph: LockGraph, routes: Routes): Promise<Known> {
  const { asked, withheld, unread } = sortByRegistry(graph, routes)
  const flaws = new Map<string, readonly Flaw[]>()
  const silent = new Set<string>()
  const notices = new Set<string>()
  for (const [registry, versions] of asked)
    for (const some of chunk([...versions], namesAtOnce)) {
      const told = await askFlaws(registry, new Map(some), words => notices.add(words))
      if (told === undefined) silent.add(new URL(registry.base).host)
      for (const [name, found] of told ?? []) flaws.set(name, found)
    }
  // A scope's own registry may have none; without the one that knows the rest, nothing known is no answer.
  if (silent.has(new URL(routes.registryOf('').base).host))
    throw new UsageError(
      `${[...silent].join(', ')} tells no advisories`,
      'Name a registry that does with --registry.',
    )
  const count = [...asked.values()]
    .flatMap(versions => [...versions.values()])
    .reduce((sum, each) => sum + each.size, 0)
  return {
    findings: listFindings(graph, flaws),
    asked: count,
    withheld,
    unread,
    silent: [...silent],
    notices: [...notices],
  }
}

type Versions = Map<string, Set<Version>>

function sortByRegistry(
  graph: LockGraph,
  routes: Routes,
): { asked: Map<NpmRegistry, Versions>; withheld: readonly string[]; unread: readonly string[] } {
  const asked = new Map<NpmRegistry, Versions>()
  const withheld = new Set<string>()
  const unread = new Set<string>()
  const usual = findUsualOrigin(graph)
  for (const node of graph.nodes.values()) {
    const version = versionOf(node)
    if (version === undefined) {
      if (isFromRegistry(node)) unread.add(`${node.name}@${node.version}`.slice(0, 200))
      continue
    }
    if (isWithheld(node, routes, usual)) withheld.add(node.name)
    else {
      const registry = routes.registryOf(node.name)
      const versions: Versions = asked.get(registry) ?? new Map()
      asked.set(registry, versions.set(node.name, (versions.get(node.name) ?? new Set()).add(version)))
    }
  }
  return { asked, withheld: [...withheld].sort(), unread: [...unread].sort() }
}

function isFromRegistry({ source }: LockNode): boolean {
  return source === 'registry' || source === 'patch'
}

/** The version of what comes from a registry; undefined for all else. */
export function versionOf(node: LockNode): Version | undefined {
  const { name, version } = node
  if (!isFromRegistry(node) || !isPackageName(name)) return undefined
  try {
    return parseVersion(version)
  } catch {
    return undefined
  }
}

/**
 * The name of a private package is told to nobody but the registry that it came from: what is scoped, and came from neither
 * the registry that is asked nor the one that most names without a scope came from.
 */
export function isWithheld(
  { name, resolved = '' }: LockNode,
  routes: Routes,
  usual: string | undefined,
): boolean {
  if (!name.startsWith('@') || !URL.canParse(resolved)) return false
  const address = new URL(resolved)
  return address.origin !== usual && !routes.isExpected(name, address)
}

/** Where most names without a scope came from. */
export function findUsualOrigin({ nodes }: LockGraph): string | undefined {
  const counts = new Map<string, number>()
  for (const { name, resolved = '' } of nodes.values()) {
    if (name.startsWith('@') || !URL.canParse(resolved)) continue
    const { origin } = new URL(resolved)
    counts.set(origin, (counts.get(origin) ?? 0) + 1)
  }
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0]
}

/** What a registry knows against versions; undefined where it has no such answer. */
export async function askFlaws(
  registry: NpmRegistry,
  versions: ReadonlyMap<string, ReadonlySet<Version>>,
  onNotice?: (words: string) => void,
): Promise<ReadonlyMap<string, readonly Flaw[]> | undefined> {
  const asked = Object.fromEntries([...versions].map(([name, each]) => [name, [...each]]))
  const told = await askAdvisories(registry, asked, onNotice)
  if (typeof told !== 'object' || told === null) return undefined
  return new Map(
    Object.entries(told).flatMap(([name, entries]) =>
      Array.isArray(entries) && versions.has(name)
        ? [[name, entries.map(each => readFlaw(name, each))] as const]
        : [],
    ),
  )
}

/** What is said of an advisory is believed in the direction of caution. */
function readFlaw(name: string, entry: unknown): Flaw {
  const { id, url, title, severity, vulnerable_versions } = (
    typeof entry === 'object' && entry !== null ? entry : {}
  ) as Readonly<Record<string, unknown>>
  const address = typeof url === 'string' ? url.slice(0, 1000) : ''
  const range = typeof vulnerable_versions === 'string' ? vulnerable_versions : '*'
  return {
    id: /\/([A-Za-z]+-[\w.-]{3,99})\/?$/.exec(address)?.[1] ?? String(id).slice(0, 100),
    name,
    title: typeof title === 'string' ? title.slice(0, 300) : '',
    url: address,
    severity: severities.find(each => each === severity) ?? (severity === 'info' ? 'low' : 'high'),
    range: readVersionRange(range) === undefined ? '*' : range,
  }
}

/** Whether a flaw is in a version. */
export function isAffected({ range }: Flaw, version: Version): boolean {
  return readVersionRange(range)?.(version) ?? true
}

function listFindings(graph: LockGraph, flaws: ReadonlyMap<string, readonly Flaw[]>): readonly Finding[] {
  const [scopes, pathOf] = [scopesOf(graph), pathsOf(graph)]
  const found = new Map<string, Finding>()
  for (const node of graph.nodes.values()) {
    const version = versionOf(node)
    for (const flaw of version === undefined ? [] : (flaws.get(node.name) ?? [])) {
      if (version === undefined || !isAffected(flaw, version)) continue
      const about = `${node.name}@${version} ${flaw.id}`
      const scope = scopes.get(node.key) ?? 'required'
      const path = pathOf(node.key).map(each => `${each.name}@${each.version}`)
      const known = found.get(about)
      found.set(
        about,
        known === undefined
          ? { flaw, name: node.name, version, scope, fixed: findFixed(flaw, version), path, keys: [node.key] }
          : { ...nearer(known, scope, path), keys: [...known.keys, node.key] },
      )
    }
  }
  return [...found.values()].sort(byWeight)
}

/** Of several places the one that matters most is told. */
function nearer(known: Finding, scope: LockScope, path: readonly string[]): Finding {
  const order: readonly LockScope[] = ['required', 'optional', 'dev']
  const isMore = order.indexOf(scope) < order.indexOf(known.scope)
  return isMore || (scope === known.scope && path.length < known.path.length)
    ? { ...known, scope, path }
    : known
}

function byWeight(one: Finding, other: Finding): number {
  const weight = ({ flaw }: Finding) => severities.indexOf(flaw.severity)
  const about = ({ name, version, flaw }: Finding) => `${name}@${version} ${flaw.id}`
  return weight(other) - weight(one) || (about(one) < about(other) ? -1 : 1)
}

/** The end of the span that has the version, where the advisory names one. */
function findFixed({ range }: Flaw, version: Version): Version | undefined {
  const span = range.split('||').find(group => readVersionRange(group)?.(version))
  const end = /(?:^|\s)<\s*([^=\s]\S*)/.exec(span ?? '')?.[1]
  try {
    return end === undefined ? undefined : parseVersion(end)
  } catch {
    return undefined
  }
}

function chunk<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) =>
    list.slice(at * size, (at + 1) * size),
  )
}
