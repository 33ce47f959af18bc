// SPDX-License-Identifier: Apache-2.0
import {
  asObject,
  asText,
  type LockGraph,
  type LockNode,
  type LockRoot,
  listNeeds,
  type ProjectManifest,
  sourceOf,
  withGuessedRoot,
} from './graph.ts'

type Json = Readonly<Record<string, unknown>>
const maxDepth = 200
const maxPathLength = 1024

/** `package-lock.json` and `npm-shrinkwrap.json` of every generation. */
export function readNpm(text: string, manifests: readonly ProjectManifest[]): LockGraph | undefined {
  const root = parseObject(text)
  if (root === undefined || !('lockfileVersion' in root)) return undefined
  const packages = isObject(root['packages'])
    ? new Map(Object.entries(root['packages']))
    : fromTree(root, manifests)
  const find = (from: string, name: string) => findAbove(packages, from, name)
  const roots: LockRoot[] = []
  const nodes = new Map<string, LockNode>()
  for (const [path, value] of packages) {
    const entry = asObject(value)
    if (entry['link'] === true || path.length > maxPathLength) continue
    const needs = listNeeds(entry, name => find(path, name))
    if (path.includes('node_modules/')) nodes.set(path, toNode(path, entry, needs))
    else roots.push({ folder: path, name: asText(entry['name']), version: asText(entry['version']), needs })
  }
  return withGuessedRoot({ manager: 'npm', roots, nodes })
}

function toNode(path: string, entry: Json, needs: LockNode['needs']): LockNode {
  const folder = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const resolved = asText(entry['resolved'])
  const source = resolved === undefined ? 'registry' : sourceOf(resolved)
  return {
    key: path,
    // An alias stands under its own name and says whose package it is.
    name: asText(entry['name']) ?? folder,
    version: String(entry['version']),
    source: source === 'address' ? 'registry' : source,
    integrity: asText(entry['integrity']),
    resolved,
    license: asText(entry['license']),
    needs,
  }
}

/** As Node finds it: in the folder of who needs it, then in each folder above. */
function findAbove(packages: ReadonlyMap<string, unknown>, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/'), 0))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (packages.has(path)) return asObject(packages.get(path))['link'] === true ? undefined : path
    if (folder === '') return undefined
  }
}

/** npm 6 and older: what is needed stands within what needs it. */
function fromTree(root: Json, manifests: readonly ProjectManifest[]): ReadonlyMap<string, unknown> {
  const packages = new Map<string, unknown>()
  const walk = (tree: unknown, at: string, depth: number): void => {
    if (depth > maxDepth) return
    for (const [name, value] of Object.entries(asObject(tree))) {
      const entry = asObject(value)
      const path = `${at}node_modules/${name}`
      packages.set(path, fromOld(entry))
      walk(entry['dependencies'], `${path}/`, depth + 1)
    }
  }
  const own = manifests.find(({ folder }) => folder === '')?.manifest
  if (own !== undefined) packages.set('', own)
  walk(root['dependencies'], '', 0)
  return packages
}

function fromOld({ version, requires, resolved, ...rest }: Json): Json {
  const [, name, aliased] = /^npm:(@?[^@]+)@(.+)$/.exec(String(version)) ?? []
  const isElsewhere = typeof version === 'string' && /^(git|file|https?|github)[+:]/.test(version)
  return {
    name,
    version: aliased ?? version,
    resolved: isElsewhere ? version : resolved,
    integrity: rest['integrity'],
    dependencies: asObject(requires),
  }
}

function parseObject(text: string): Json | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
