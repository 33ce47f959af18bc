// SPDX-License-Identifier: Apache-2.0
import { type BlockMap, mapAt, readBlocks, wordAt } from './block-text.ts'
import {
  asObject,
  asText,
  type LockGraph,
  type LockNeed,
  type LockNode,
  type LockRoot,
  type NeedKind,
  type ProjectManifest,
  sourceOf,
} from './graph.ts'

/** `yarn.lock` of yarn 2 and later. Its checksums are over archives that yarn makes itself, so they say nothing about the published bytes. */
export function readBerry(text: string, manifests: readonly ProjectManifest[]): LockGraph | undefined {
  if (!/^__metadata:/m.test(text)) return undefined
  const entries = readBlocks(text)
  const keyOf = new Map(
    [...entries.keys()].flatMap(key => key.split(/,\s+/).map(part => [part, key] as const)),
  )
  const find = (name: string, range: string) =>
    keyOf.get(`${name}@${range}`) ?? keyOf.get(`${name}@npm:${range}`)
  const roots: LockRoot[] = []
  const nodes = new Map<string, LockNode>()
  for (const [key, entry] of entries) {
    if (!(entry instanceof Map)) continue
    const [, name, said] = /^(@?[^@]+)@([\s\S]+)$/.exec(wordAt(entry, 'resolution') ?? '') ?? []
    if (name === undefined || said === undefined) continue
    if (said.startsWith('workspace:'))
      roots.push(toRoot(said.slice('workspace:'.length), name, entry, manifests, find))
    else nodes.set(key, toNode(key, name, said, entry, find))
  }
  return { manager: 'berry', roots: withoutLinks(roots, nodes), nodes }
}

type Find = (name: string, range: string) => string | undefined

function toNode(key: string, name: string, said: string, entry: BlockMap, find: Find): LockNode {
  const [, version, bindings = ''] = /^npm:([^:]+)(?:::(.*))?$/.exec(said) ?? []
  const archive = new URLSearchParams(bindings).get('__archiveUrl') ?? undefined
  return {
    key,
    name,
    version: version ?? wordAt(entry, 'version') ?? '',
    source: version !== undefined ? 'registry' : said.startsWith('patch:') ? 'patch' : sourceOf(said),
    integrity: undefined,
    resolved: version === undefined ? said : archive,
    license: undefined,
    needs: [...listEdges(entry, find, name => (isOptional(entry, name) ? 'optional' : 'runtime'))],
  }
}

function isOptional(entry: BlockMap, name: string): boolean {
  return wordAt(mapAt(mapAt(entry, 'dependenciesMeta'), name), 'optional') === 'true'
}

function listEdges(entry: BlockMap, find: Find, kindOf: (name: string) => NeedKind): readonly LockNeed[] {
  return [...mapAt(entry, 'dependencies')].flatMap(([name, range]) =>
    typeof range === 'string'
      ? [{ name, range: withoutProtocol(range), kind: kindOf(name), to: find(name, range) }]
      : [],
  )
}

/** `npm:` stands before every range here; before a name it makes an alias and stays. */
function withoutProtocol(range: string): string {
  return /^npm:(?!@?[A-Za-z][^@]*@)/.test(range) ? range.slice('npm:'.length) : range
}

function toRoot(
  path: string,
  name: string,
  entry: BlockMap,
  manifests: readonly ProjectManifest[],
  find: Find,
): LockRoot {
  const folder = path === '.' ? '' : path
  const manifest = manifests.find(each => each.folder === folder)?.manifest ?? {}
  // The lock file puts what is for development among the rest.
  const [dev, optional] = [asObject(manifest['devDependencies']), asObject(manifest['optionalDependencies'])]
  const kindOf = (need: string): NeedKind => (need in dev ? 'dev' : need in optional ? 'optional' : 'runtime')
  return {
    folder,
    name: asText(manifest['name']) ?? name,
    version: asText(manifest['version']),
    needs: listEdges(entry, find, kindOf),
  }
}

/** What one workspace needs of another was not installed. */
function withoutLinks(roots: readonly LockRoot[], nodes: ReadonlyMap<string, LockNode>): readonly LockRoot[] {
  return roots.map(root => ({
    ...root,
    needs: root.needs.map(need =>
      need.to === undefined || nodes.has(need.to) ? need : { ...need, to: undefined },
    ),
  }))
}
