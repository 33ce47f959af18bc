// SPDX-License-Identifier: Apache-2.0
import {
  type DistTag,
  newestVersion,
  type PackageName,
  parseVersion,
  problem,
  statusTable,
  type Version,
} from '@holdfast/core'
import {
  type Decision,
  decide,
  nextAllowed,
  type Package,
  type PackagePerson,
  type PackageVersion,
  type VersionFacts,
} from '../../catalog/index.ts'
import { viewPackage } from '../../flow/index.ts'
import type { Ports } from '../../ports.ts'

/** One line of a package.json's dependencies. */
export interface Dependency {
  readonly name: string
  readonly range: string
}

export interface Dependencies {
  readonly runtime: readonly Dependency[]
  readonly optional: readonly Dependency[]
  readonly peer: readonly Dependency[]
  readonly development: readonly Dependency[]
}

/** A package as its page shows it, the gate asked. */
export interface ShownPackage {
  readonly known: Package
  /** Versions that may be mentioned, newest first: what is pending or staged does not exist yet. */
  readonly facts: readonly VersionFacts[]
  readonly tags: ReadonlyMap<DistTag, Version>
  readonly people: readonly PackagePerson[]
  /** The version the address asked for, as it asked; empty for the default one. */
  readonly asked: string
  /** The version shown; undefined when there is none to show. */
  readonly selected: PackageVersion | undefined
  readonly decision: Decision | undefined
  readonly manifest: Readonly<Record<string, unknown>>
  readonly dependencies: Dependencies
  /** What to use instead of a version that cannot be used. */
  readonly next: Version | undefined
  readonly isUnpublished: boolean
  tagsOf(version: Version): readonly DistTag[]
}

/** Reads what the page needs; `asked` is a version, a tag, or empty. Throws `package-not-found`, `version-not-found`. */
export async function readShownPackage(
  ports: Ports,
  name: PackageName,
  asked: string,
): Promise<ShownPackage> {
  const { catalog } = ports.store
  const known = await catalog.findPackage(name)
  const view = await viewPackage(ports, name)
  if (known === undefined || view === undefined) throw problem('package-not-found', { name })
  const { tags, versions: all } = view
  const facts = all.filter(isMentioned).toReversed()
  // Nothing of it may be mentioned yet: to outsiders the package does not exist.
  if (facts.length === 0 && known.removedAt === null) throw problem('package-not-found', { name })
  const version = choose(name, asked, tags, facts)
  const selected = version === undefined ? undefined : await catalog.findVersion(name, version)
  const judged = all.find(each => each.version === version)
  const manifest = selected === undefined ? {} : (JSON.parse(selected.manifest) as Record<string, unknown>)
  return {
    known,
    facts,
    tags,
    people: await catalog.listPeople(name),
    asked,
    selected,
    decision: selected && judged && decide(judged),
    manifest,
    dependencies: dependenciesOf(manifest),
    next: version && nextAllowed(all, version),
    isUnpublished: known.removedAt !== null && facts.every(each => each.status === 'removed'),
    tagsOf: version => [...tags].filter(([, target]) => target === version).map(([tag]) => tag),
  }
}

function isMentioned(facts: VersionFacts): boolean {
  return statusTable[decide(facts).status].httpStatus !== 404
}

function choose(
  name: PackageName,
  asked: string,
  tags: ReadonlyMap<DistTag, Version>,
  facts: readonly VersionFacts[],
): Version | undefined {
  if (asked === '') return tags.get('latest' as DistTag) ?? newestVersion(facts.map(each => each.version))
  const version = tags.get(asked as DistTag) ?? parseVersion(asked)
  if (!facts.some(each => each.version === version)) throw problem('version-not-found', { name, version })
  return version
}

function dependenciesOf(manifest: Readonly<Record<string, unknown>>): Dependencies {
  const optional = listOf(manifest['optionalDependencies'])
  // npm repeats optional dependencies among the others.
  const isOptional = new Set(optional.map(each => each.name))
  return {
    runtime: listOf(manifest['dependencies']).filter(each => !isOptional.has(each.name)),
    optional,
    peer: listOf(manifest['peerDependencies']),
    development: listOf(manifest['devDependencies']),
  }
}

function listOf(value: unknown): Dependency[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).map(([name, range]) => ({ name, range: String(range) }))
}
