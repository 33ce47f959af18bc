// SPDX-License-Identifier: Apache-2.0
import { type Block, type BlockMap, mapAt, readBlocks, wordAt } from './block-text.ts'
import {
  type LockGraph,
  type LockNeed,
  type LockNode,
  type LockRoot,
  type NeedKind,
  type ProjectManifest,
  sourceOf,
} from './graph.ts'

/** `pnpm-lock.yaml` of every generation that is still met. */
export function readPnpm(text: string, manifests: readonly ProjectManifest[]): LockGraph | undefined {
  if (!/^lockfileVersion: /m.test(text)) return undefined
  const root = readBlocks(text)
  if (![...parts].every(part => isBlock(root.get(part)))) return undefined
  const packages = mapAt(root, 'packages')
  const snapshots = root.has('snapshots') ? mapAt(root, 'snapshots') : packages
  const find = (name: string, said: string) =>
    [`${name}@${said}`, said, `/${name}@${said}`, `/${name}/${said}`].find(key => snapshots.has(key))
  const nodes = new Map<string, LockNode>()
  for (const key of listKeys(packages, snapshots)) {
    const node = toNode(key, infoOf(packages, key), listEdges(mapAt(snapshots, key), find))
    if (node !== undefined) nodes.set(key, node)
  }
  return { manager: 'pnpm', roots: listRoots(root, manifests, find), nodes }
}

/** Without these nothing is known of a project, so none of them may be written in a way that is not read. */
const parts = [
  'importers',
  'packages',
  'snapshots',
  'dependencies',
  'devDependencies',
  'optionalDependencies',
]

/** What pnpm writes: nothing, or a block whose own entries are blocks or words; none of YAML's shorter ways. */
function isBlock(part: Block | undefined): boolean {
  if (part === undefined || part === '') return true
  return (
    part instanceof Map &&
    [...part].every(
      ([key, value]) => key !== '<<' && !(typeof value === 'string' && /^[{[&*!|>]/.test(value)),
    )
  )
}

/** What the newest format has twice, with and without its peers, is one entry. */
function listKeys(packages: BlockMap, snapshots: BlockMap): readonly string[] {
  const chosen = [...snapshots.keys()].filter(key => packages.has(key) || packages.has(withoutPeers(key)))
  const known = new Set(chosen.map(withoutPeers))
  return [...chosen, ...[...packages.keys()].filter(key => !known.has(withoutPeers(key)))]
}

function infoOf(packages: BlockMap, key: string): BlockMap {
  return mapAt(packages, packages.has(key) ? key : withoutPeers(key))
}

/** `/@acme/ui/1.0.0_peer@2`, `/@acme/ui@1.0.0(peer@2)` and `@acme/ui@1.0.0(peer@2)`, by age of the format. */
function toNode(key: string, entry: BlockMap, needs: readonly LockNeed[]): LockNode | undefined {
  const [, name, said] = /^\/?(@[^/\s]+\/[^@/\s]+|[^@/\s]+)[@/]([\s\S]+)$/.exec(withoutPeers(key)) ?? []
  if (name === undefined || said === undefined) return undefined
  const resolution = mapAt(entry, 'resolution')
  const tarball = wordAt(resolution, 'tarball')
  const isPlain = /^\d/.test(said)
  const isGit =
    resolution.has('repo') || resolution.has('commit') || wordAt(resolution, 'gitHosted') === 'true'
  return {
    key,
    name: wordAt(entry, 'name') ?? name,
    version: isPlain ? (said.split('_')[0] ?? said) : (wordAt(entry, 'version') ?? said),
    source: isGit ? 'git' : isPlain ? 'registry' : sourceOf(said),
    integrity: wordAt(resolution, 'integrity'),
    resolved: tarball ?? (isPlain ? undefined : said),
    license: undefined,
    needs,
  }
}

function withoutPeers(key: string): string {
  const at = key.indexOf('(')
  return at < 0 ? key : key.slice(0, at)
}

type Find = (name: string, said: string) => string | undefined
const fields = [
  ['dependencies', 'runtime'],
  ['devDependencies', 'dev'],
  ['optionalDependencies', 'optional'],
] as const

/** The lock file keeps what was chosen, not what was allowed. */
function listEdges(entry: BlockMap, find: Find): readonly LockNeed[] {
  return fields.flatMap(([field, kind]) =>
    [...mapAt(entry, field)].flatMap(([name, said]) =>
      typeof said === 'string' ? [toNeed(name, undefined, kind, said, find)] : [],
    ),
  )
}

function listRoots(root: BlockMap, manifests: readonly ProjectManifest[], find: Find): readonly LockRoot[] {
  const importers: BlockMap = root.has('importers') ? mapAt(root, 'importers') : new Map([['.', root]])
  return [...importers.keys()].map(path => {
    const folder = path === '.' ? '' : path
    const manifest = manifests.find(each => each.folder === folder)?.manifest ?? {}
    return {
      folder,
      name: typeof manifest['name'] === 'string' ? manifest['name'] : undefined,
      version: typeof manifest['version'] === 'string' ? manifest['version'] : undefined,
      needs: fields.flatMap(([field, kind]) => listImports(mapAt(importers, path), field, kind, find)),
    }
  })
}

function listImports(importer: BlockMap, field: string, kind: NeedKind, find: Find): readonly LockNeed[] {
  const specifiers = mapAt(importer, 'specifiers')
  return [...mapAt(importer, field)].map(([name, value]) => {
    const said =
      typeof value === 'string' ? value : value instanceof Map ? (wordAt(value, 'version') ?? '') : ''
    const range = value instanceof Map ? wordAt(value, 'specifier') : wordAt(specifiers, name)
    return toNeed(name, range, kind, said, find)
  })
}

function toNeed(name: string, range: string | undefined, kind: NeedKind, said: string, find: Find): LockNeed {
  const to = find(name, said)
  return { name, range, kind, to, ...(/^(?:link|workspace):/.test(said) ? { isLinked: true } : {}) }
}
