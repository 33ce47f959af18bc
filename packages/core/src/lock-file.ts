// SPDX-License-Identifier: Apache-2.0
/** Which versions a lock file names, in the formats of npm, pnpm, yarn 1, yarn 2 and later, and bun. */
import { type Digest, parseIntegrity } from './digest.ts'
import { isPackageName, type PackageName } from './package-name.ts'
import { parseVersion, type Version } from './version.ts'

export interface LockedVersion {
  readonly name: PackageName
  readonly version: Version
}

/** A version as a lock file binds it. */
export interface LockEntry extends LockedVersion {
  /** The one SHA-512 that its bytes must have; undefined where the lock file has none, or more than one. */
  readonly integrity: Digest | undefined
  /** Where it was fetched from, as far as the lock file says so. */
  readonly resolved: string | undefined
}

/** What is installed from a registry by a lock file; undefined where the text is none of these formats. What comes from folders and repositories is left out. */
export function readLockFile(text: string): readonly LockEntry[] | undefined {
  const found = readers.map(read => read(text)).find(each => each !== undefined)
  if (found === undefined) return undefined
  const locked = new Map<string, LockEntry>()
  for (const entry of found) {
    const each = toLocked(entry)
    // One version with two digests is two findings, not one.
    if (each !== undefined) locked.set(`${each.name}@${each.version} ${each.integrity}`, each)
  }
  return [...locked.values()]
}

interface Entry {
  readonly name: string
  readonly version: string
  readonly integrity?: unknown
  readonly resolved?: unknown
}
type Reader = (text: string) => readonly Entry[] | undefined

const readers: readonly Reader[] = [readBun, readNpm, readPnpm, readBerry, readYarn]

function toLocked({ name, version, integrity, resolved }: Entry): LockEntry | undefined {
  if (!isPackageName(name)) return undefined
  try {
    return {
      name,
      version: parseVersion(version),
      integrity: readIntegrity(integrity),
      resolved: typeof resolved === 'string' && resolved !== '' ? resolved : undefined,
    }
  } catch {
    return undefined
  }
}

// Clients take bytes that fit any one of several, so none of several says which bytes those are.
function readIntegrity(text: unknown): Digest | undefined {
  if (typeof text !== 'string' || text.split('sha512-').length !== 2) return undefined
  return parseIntegrity(text)
}

interface NpmEntry {
  readonly name?: unknown
  readonly version?: unknown
  readonly link?: unknown
  readonly resolved?: unknown
  readonly integrity?: unknown
  readonly dependencies?: unknown
}

function readNpm(text: string): readonly Entry[] | undefined {
  const root = parseObject(text)
  if (root === undefined || !('lockfileVersion' in root)) return undefined
  if (!isObject(root['packages'])) return readTree(root['dependencies'])
  return Object.entries(root['packages']).flatMap(([path, entry]) => {
    const { name, version, link, resolved, integrity } = (isObject(entry) ? entry : {}) as NpmEntry
    const at = path.lastIndexOf('node_modules/')
    if (at < 0 || link === true || isElsewhere(resolved)) return []
    // An alias stands under its own name and says whose package it is.
    const own = typeof name === 'string' ? name : path.slice(at + 'node_modules/'.length)
    return [{ name: own, version: String(version), integrity, resolved }]
  })
}

/** npm 6 and older: what is needed stands within what needs it. */
function readTree(tree: unknown): Entry[] {
  if (!isObject(tree)) return []
  return Object.entries(tree).flatMap(([name, entry]) => {
    const { version, dependencies, integrity, resolved } = (isObject(entry) ? entry : {}) as NpmEntry
    const [, alias, aliased] = /^npm:(@?[^@]+)@(.+)$/.exec(String(version)) ?? []
    const own = { name: alias ?? name, version: aliased ?? String(version), integrity, resolved }
    return [own, ...readTree(dependencies)]
  })
}

function isElsewhere(resolved: unknown): boolean {
  return typeof resolved === 'string' && /^(git|file)[+:]/.test(resolved)
}

/** `/@acme/ui/1.0.0_peer@2`, `/@acme/ui@1.0.0(peer@2)` and `@acme/ui@1.0.0(peer@2)`, by age of the format. */
function readPnpm(text: string): readonly Entry[] | undefined {
  if (!/^lockfileVersion: /m.test(text)) return undefined
  const [, section = ''] = /^packages:\n([\s\S]*?)(?=^\S|(?![\s\S]))/m.exec(text) ?? []
  const entries = section.matchAll(
    /^ {2}(['"]?)\/?(@[^/\s]+\/[^@/\s]+|[^@/\s]+)[@/]([^\s(_'"]+)[^\n]*?\1:\s*$((?:\n {4}.*)*)/gm,
  )
  return [...entries].map(([, , name = '', version = '', body = '']) => ({
    name,
    version,
    integrity: /\bintegrity: (sha[^\s,}]+)/.exec(body)?.[1],
    resolved: /\btarball: ([^\s,}]+)/.exec(body)?.[1],
  }))
}

/** Its checksums are over archives that yarn makes itself, so they say nothing about the published bytes. */
function readBerry(text: string): readonly Entry[] | undefined {
  if (!/^__metadata:/m.test(text)) return undefined
  return [...text.matchAll(/^ {2}resolution: "(@?[^@"]+)@npm:([^":]+)"/gm)].map(
    ([, name = '', version = '']) => ({ name, version }),
  )
}

function readYarn(text: string): readonly Entry[] | undefined {
  if (!text.includes('# yarn lockfile v1')) return undefined
  const entries = text.matchAll(
    /^"?((?:@[^@/\s"]+\/)?[^@\s"]+)@([^\s",:]*:?[^\s",]*)[^\n]*:\n {2}version "([^"\n]+)"((?:\n {2}.*)*)/gm,
  )
  return [...entries].map(([, name = '', range = '', version = '', body = '']) => {
    const [, alias] = /^npm:(@?[^@]+)(?:@|$)/.exec(range) ?? []
    return {
      name: alias ?? name,
      version,
      integrity: /^ {2}integrity "?([^"\n]+)/m.exec(body)?.[1],
      resolved: /^ {2}resolved "([^"\n]+)"/m.exec(body)?.[1],
    }
  })
}

function readBun(text: string): readonly Entry[] | undefined {
  if (!/^\s*\{\s*"lockfileVersion":\s*\d/.test(text) || !/^\s*"workspaces":/m.test(text)) return undefined
  return [...text.matchAll(/^\s+"[^"\n]+":\s*\["(@?[^@"\n]+)@([^"\n]+)",\s*"([^"\n]*)"([^\n]*)/gm)].map(
    ([, name = '', version = '', resolved, body = '']) => ({
      name,
      version,
      resolved,
      integrity: /"(sha\d+-[^"\n]+)"\],?\s*$/.exec(body)?.[1],
    }),
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
