// SPDX-License-Identifier: Apache-2.0
import { type BlockMap, mapAt, readBlocks, type SplitLine, unquote, wordAt } from './block-text.ts'
import {
  asText,
  type LockGraph,
  type LockNeed,
  type LockNode,
  type LockRoot,
  listNeeds,
  type ProjectManifest,
  sourceOf,
  withGuessedRoot,
} from './graph.ts'

/** `yarn.lock` of yarn 1, which says nothing of the project itself. */
export function readYarn(text: string, manifests: readonly ProjectManifest[]): LockGraph | undefined {
  if (!text.includes('# yarn lockfile v1')) return undefined
  const entries = readBlocks(text, splitLine)
  const keyOf = new Map(
    [...entries.keys()].flatMap(key => splitPatterns(key).map(pattern => [pattern, key] as const)),
  )
  const find = (name: string, range: string) => keyOf.get(`${name}@${range}`)
  const nodes = new Map<string, LockNode>()
  for (const [key, entry] of entries) {
    const node = entry instanceof Map ? toNode(key, entry, find) : undefined
    if (node !== undefined) nodes.set(key, node)
  }
  return withGuessedRoot({ manager: 'yarn', roots: readRoots(manifests, find), nodes })
}

const splitLine: SplitLine = line => {
  if (line.endsWith(':')) return { key: line.slice(0, -1), value: undefined }
  const [, key = '', value] = /^("(?:[^"\\]|\\.)*"|\S+)\s+(.+)$/.exec(line) ?? []
  return value === undefined ? undefined : { key: unquote(key), value }
}

function splitPatterns(key: string): readonly string[] {
  return key.split(/,\s*/).map(unquote)
}

type Find = (name: string, range: string) => string | undefined

function toNode(key: string, entry: BlockMap, find: Find): LockNode | undefined {
  const [, name, range] = /^(@?[^@]+)@(.*)$/.exec(splitPatterns(key)[0] ?? '') ?? []
  const version = wordAt(entry, 'version')
  if (name === undefined || range === undefined || version === undefined) return undefined
  const [, alias] = /^npm:(@?[^@]+)(?:@|$)/.exec(range) ?? []
  const resolved = wordAt(entry, 'resolved')
  const source = sourceOf(resolved ?? range)
  return {
    key,
    name: alias ?? name,
    version,
    source: source === 'address' ? 'registry' : source,
    integrity: wordAt(entry, 'integrity'),
    resolved,
    license: undefined,
    needs: [
      ...listEdges(entry, 'dependencies', 'runtime', find),
      ...listEdges(entry, 'optionalDependencies', 'optional', find),
    ],
  }
}

function listEdges(
  entry: BlockMap,
  field: string,
  kind: 'runtime' | 'optional',
  find: Find,
): readonly LockNeed[] {
  return [...mapAt(entry, field)].flatMap(([name, range]) =>
    typeof range === 'string' ? [{ name, range, kind, to: find(name, range) }] : [],
  )
}

/** The project's own packages by their manifests. */
function readRoots(manifests: readonly ProjectManifest[], find: Find): readonly LockRoot[] {
  return manifests.map(({ folder, manifest }) => ({
    folder,
    name: asText(manifest['name']),
    version: asText(manifest['version']),
    needs: listNeeds(manifest, find),
  }))
}
