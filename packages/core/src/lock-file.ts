// SPDX-License-Identifier: Apache-2.0
/** Which versions a lock file names, in the formats of npm, pnpm, yarn 1, yarn 2 and later, and bun. */
import { isPackageName, type PackageName } from './package-name.ts'
import { parseVersion, type Version } from './version.ts'

export interface LockedVersion {
  readonly name: PackageName
  readonly version: Version
}

/** What is installed from a registry by a lock file; undefined where the text is none of these formats. What comes from folders and repositories is left out. */
export function readLockFile(text: string): readonly LockedVersion[] | undefined {
  const found = readers.map(read => read(text)).find(each => each !== undefined)
  if (found === undefined) return undefined
  const locked = new Map<string, LockedVersion>()
  for (const [name, version] of found) {
    const each = toLocked(name, version)
    if (each !== undefined) locked.set(`${each.name}@${each.version}`, each)
  }
  return [...locked.values()]
}

type Pair = readonly [name: string, version: string]
type Reader = (text: string) => readonly Pair[] | undefined

const readers: readonly Reader[] = [readBun, readNpm, readPnpm, readBerry, readYarn]

function toLocked(name: string, version: string): LockedVersion | undefined {
  if (!isPackageName(name)) return undefined
  try {
    return { name, version: parseVersion(version) }
  } catch {
    return undefined
  }
}

interface NpmEntry {
  readonly name?: unknown
  readonly version?: unknown
  readonly link?: unknown
  readonly resolved?: unknown
  readonly dependencies?: unknown
}

function readNpm(text: string): readonly Pair[] | undefined {
  const root = parseObject(text)
  if (root === undefined || !('lockfileVersion' in root)) return undefined
  if (!isObject(root['packages'])) return readTree(root['dependencies'])
  return Object.entries(root['packages']).flatMap(([path, entry]) => {
    const { name, version, link, resolved } = (isObject(entry) ? entry : {}) as NpmEntry
    const at = path.lastIndexOf('node_modules/')
    if (at < 0 || link === true || isElsewhere(resolved)) return []
    // An alias stands under its own name and says whose package it is.
    return [[typeof name === 'string' ? name : path.slice(at + 'node_modules/'.length), String(version)]]
  })
}

/** npm 6 and older: what is needed stands within what needs it. */
function readTree(tree: unknown): Pair[] {
  if (!isObject(tree)) return []
  return Object.entries(tree).flatMap(([name, entry]) => {
    const { version, dependencies } = (isObject(entry) ? entry : {}) as NpmEntry
    const [, alias, aliased] = /^npm:(@?[^@]+)@(.+)$/.exec(String(version)) ?? []
    return [[alias ?? name, aliased ?? String(version)] as const, ...readTree(dependencies)]
  })
}

function isElsewhere(resolved: unknown): boolean {
  return typeof resolved === 'string' && /^(git|file)[+:]/.test(resolved)
}

/** `/@acme/ui/1.0.0_peer@2`, `/@acme/ui@1.0.0(peer@2)` and `@acme/ui@1.0.0(peer@2)`, by age of the format. */
function readPnpm(text: string): readonly Pair[] | undefined {
  if (!/^lockfileVersion: /m.test(text)) return undefined
  const [, section = ''] = /^packages:\n([\s\S]*?)(?=^\S|(?![\s\S]))/m.exec(text) ?? []
  return [
    ...section.matchAll(/^ {2}(['"]?)\/?(@[^/\s]+\/[^@/\s]+|[^@/\s]+)[@/]([^\s(_'"]+)[^\n]*?\1:\s*$/gm),
  ].map(([, , name = '', version = '']) => [name, version])
}

function readBerry(text: string): readonly Pair[] | undefined {
  if (!/^__metadata:/m.test(text)) return undefined
  return [...text.matchAll(/^ {2}resolution: "(@?[^@"]+)@npm:([^":]+)"/gm)].map(
    ([, name = '', version = '']) => [name, version],
  )
}

function readYarn(text: string): readonly Pair[] | undefined {
  if (!text.includes('# yarn lockfile v1')) return undefined
  const entries = text.matchAll(
    /^"?((?:@[^@/\s"]+\/)?[^@\s"]+)@([^\s",:]*:?[^\s",]*)[^\n]*:\n {2}version "([^"\n]+)"/gm,
  )
  return [...entries].map(([, name = '', range = '', version = '']) => {
    const [, alias] = /^npm:(@?[^@]+)(?:@|$)/.exec(range) ?? []
    return [alias ?? name, version]
  })
}

function readBun(text: string): readonly Pair[] | undefined {
  if (!/^\s*\{\s*"lockfileVersion":\s*\d/.test(text) || !/^\s*"workspaces":/m.test(text)) return undefined
  return [...text.matchAll(/^\s+"[^"\n]+":\s*\["(@?[^@"\n]+)@([^"\n]+)",\s*"/gm)].map(
    ([, name = '', version = '']) => [name, version],
  )
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
