// SPDX-License-Identifier: Apache-2.0
import {
  asObject,
  asText,
  type LockGraph,
  type LockNode,
  type LockRoot,
  listNeeds,
  sourceOf,
} from './graph.ts'

/** `bun.lock`, the text form: JSON with commas where JSON has none. */
export function readBun(text: string): LockGraph | undefined {
  if (!/^\s*\{\s*"lockfileVersion":\s*\d/.test(text) || !/^[ \t]*"workspaces":/m.test(text)) return undefined
  const root = parseLoose(text)
  if (root === undefined) return undefined
  const packages = asObject(root['packages'])
  const nodes = new Map<string, LockNode>()
  const keys = new Set(Object.keys(packages))
  const find = (from: readonly string[], name: string) => findAbove(keys, from, name)
  for (const [key, value] of Object.entries(packages)) {
    const node = Array.isArray(value) ? toNode(key, value, find) : undefined
    if (node !== undefined) nodes.set(key, node)
  }
  return { manager: 'bun', roots: readRoots(asObject(root['workspaces']), find, nodes), nodes }
}

type Find = (from: readonly string[], name: string) => string | undefined

function toNode(key: string, value: readonly unknown[], find: Find): LockNode | undefined {
  const [, name, said] = /^(@?[^@]+)@([\s\S]+)$/.exec(String(value[0])) ?? []
  if (name === undefined || said === undefined || said.startsWith('workspace:')) return undefined
  const isPlain = /^\d/.test(said)
  const info = asObject(value.find(each => typeof each === 'object'))
  return {
    key,
    name,
    version: said,
    source: isPlain ? 'registry' : sourceOf(said),
    integrity: asText(value.slice(2).find(each => typeof each === 'string' && /^sha\d+-/.test(each))),
    resolved: isPlain ? asText(value[1]) : said,
    license: undefined,
    needs: listNeeds(info, need => find(splitKey(key), need)),
  }
}

function readRoots(
  workspaces: Readonly<Record<string, unknown>>,
  find: Find,
  nodes: ReadonlyMap<string, LockNode>,
): readonly LockRoot[] {
  return Object.entries(workspaces).map(([folder, value]) => {
    const manifest = asObject(value)
    const name = asText(manifest['name'])
    const from = folder === '' || name === undefined ? [] : [name]
    const installed = (need: string) => {
      const key = find(from, need)
      return key !== undefined && nodes.has(key) ? key : undefined
    }
    return { folder, name, version: asText(manifest['version']), needs: listNeeds(manifest, installed) }
  })
}

/** `a/@acme/b` is `@acme/b` below `a`. */
function splitKey(key: string): readonly string[] {
  return key.match(/@[^/]+\/[^/]+|[^/]+/g) ?? []
}

function findAbove(keys: ReadonlySet<string>, from: readonly string[], name: string): string | undefined {
  for (let depth = from.length; depth >= 0; depth -= 1) {
    const key = [...from.slice(0, depth), name].join('/')
    if (keys.has(key)) return key
  }
  return undefined
}

function parseLoose(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(
      JSON.parse(
        text.replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, word: string | undefined) => word ?? ''),
      ),
    )
  } catch {
    return undefined
  }
}
