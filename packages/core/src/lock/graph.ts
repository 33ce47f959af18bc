// SPDX-License-Identifier: Apache-2.0
/** What a lock file says of a project: its own packages, what was installed for them, and who needs what. */

/** Who wrote the lock file; `berry` is yarn 2 and later. */
export type LockManager = 'npm' | 'pnpm' | 'yarn' | 'berry' | 'bun'

/** Why something is needed. */
export type NeedKind = 'runtime' | 'dev' | 'optional' | 'peer'

/** Where something comes from: a registry, a repository, a named address, a folder or file of the project, or a change that yarn makes to another entry. */
export type LockSource = 'registry' | 'git' | 'address' | 'folder' | 'patch'

/** One dependency of a package. */
export interface LockNeed {
  /** As it is asked for; an alias where the node has another name. */
  readonly name: string
  /** What is allowed; undefined where the lock file does not keep it. */
  readonly range: string | undefined
  readonly kind: NeedKind
  /** The key of the node that was chosen; undefined where nothing was installed. */
  readonly to: string | undefined
  /** Chosen was a folder of the project, which is not installed. */
  readonly isLinked?: true
}

/** Something installed. */
export interface LockNode {
  /** Its place in the lock file. */
  readonly key: string
  readonly name: string
  readonly version: string
  readonly source: LockSource
  /** Subresource integrity, as it stands there. */
  readonly integrity: string | undefined
  readonly resolved: string | undefined
  readonly license: string | undefined
  readonly needs: readonly LockNeed[]
}

/** A package of the project itself: the one in its folder, and those of its workspaces. */
export interface LockRoot {
  /** Empty for the project's folder. */
  readonly folder: string
  readonly name: string | undefined
  readonly version: string | undefined
  readonly needs: readonly LockNeed[]
}

export interface LockGraph {
  readonly manager: LockManager
  readonly roots: readonly LockRoot[]
  readonly nodes: ReadonlyMap<string, LockNode>
}

/** A `package.json` of the project, for what lock files do not repeat. */
export interface ProjectManifest {
  readonly folder: string
  readonly manifest: Readonly<Record<string, unknown>>
}

const kindOfField = [
  ['dependencies', 'runtime'],
  ['devDependencies', 'dev'],
  ['optionalDependencies', 'optional'],
  ['peerDependencies', 'peer'],
] as const

/** What a manifest needs, each name once: npm repeats optional dependencies among the others. */
export function listNeeds(
  manifest: Readonly<Record<string, unknown>>,
  find: (name: string, range: string) => string | undefined,
): readonly LockNeed[] {
  const needs = new Map<string, LockNeed>()
  for (const [field, kind] of kindOfField)
    for (const [name, range] of Object.entries(asObject(manifest[field])))
      if (typeof range === 'string' && (kind !== 'peer' || !needs.has(name)))
        needs.set(name, { name, range, kind, to: find(name, range) })
  return [...needs.values()]
}

/** What no package of the project is known to need, for lock files that come without a manifest. */
export function withGuessedRoot(graph: LockGraph): LockGraph {
  if (graph.roots.length > 0) return graph
  const needed = new Set([...graph.nodes.values()].flatMap(({ needs }) => needs.map(({ to }) => to)))
  const needs = [...graph.nodes.values()]
    .filter(({ key }) => !needed.has(key))
    .map(({ key, name }) => ({ name, range: undefined, kind: 'runtime' as const, to: key }))
  return { ...graph, roots: [{ folder: '', name: undefined, version: undefined, needs }] }
}

/** Where an address leads: a repository, a folder, or something fetched. */
export function sourceOf(address: string): LockSource {
  if (
    /^(git[+:@]|github:|gitlab:|bitbucket:|gist:|ssh:)|\.git(#|$)|^https?:\/\/codeload\.github\.com\//.test(
      address,
    )
  )
    return 'git'
  if (/^(file|link|portal|workspace):/.test(address)) return 'folder'
  return 'address'
}

/** A value of hostile JSON as an object; an empty one where it is none. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}

/** A value of hostile JSON as text. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
