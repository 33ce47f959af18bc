// SPDX-License-Identifier: Apache-2.0
import { excerpt, problem } from './problem.ts'

/** A package name that may be read: `left-pad`, `@acme/ui`, or an old one such as `JSONStream`. */
export type PackageName = string & { readonly brand: 'PackageName' }

// What encodeURIComponent leaves alone, since a name is also a path segment, a file name and a purl.
const namePart = /^[\w.!~*'()-]+$/
const wholeName = /^(?:@[A-Za-z0-9!~*'()][\w.!~*'()-]*\/)?[A-Za-z0-9!~*'()][\w.!~*'()-]*$/
const reservedParts = new Set(['node_modules', 'favicon.ico'])

/** Turns hostile input into a name by npm's rules for reading, or throws `invalid-package-name`. */
export function parsePackageName(input: unknown): PackageName {
  const why = findNameFault(input)
  if (why !== undefined) throw problem('invalid-package-name', { name: excerpt(input), why })
  return input as PackageName
}

/** Whether input is a name that may be read. */
export function isPackageName(input: unknown): input is PackageName {
  return findNameFault(input) === undefined
}

function findNameFault(input: unknown): string | undefined {
  if (typeof input !== 'string') return 'it is not text'
  if (input === '') return 'it is empty'
  // Bounds first: everything below costs time in proportion to the length.
  if (input.length > 214) return 'it is longer than 214 characters'
  const parts = input.startsWith('@') ? input.slice(1).split('/') : [input]
  if (input.startsWith('@') && parts.length !== 2) return 'a scope needs exactly one name after one slash'
  for (const part of parts) {
    const why = findPartFault(part)
    if (why !== undefined) return why
  }
  return wholeName.test(input) ? undefined : 'it is malformed'
}

function findPartFault(part: string): string | undefined {
  if (part === '') return 'a part of it is empty'
  // `.` and `..` walk folders, `_` is the registry's own keys, `-` is an option on a command line and a route prefix.
  if (/^[._-]/.test(part)) return `it begins with ${part.charAt(0)}`
  if (!namePart.test(part)) return 'it has characters that are not URL-safe'
  // Would be written over the folder that holds all packages, or asked for by every browser.
  if (reservedParts.has(part.toLowerCase())) return `${part.toLowerCase()} is reserved`
  return undefined
}

// A package of one of these names is never loaded: `require` finds Node's own module first.
const coreModules = new Set(
  (
    'assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns ' +
    'domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring ' +
    'readline repl stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib'
  ).split(' '),
)

/** Throws `invalid-package-name` for a name that may be read but no longer be created. */
export function checkNewPackageName(name: PackageName): void {
  const why = findNewNameFault(name)
  if (why !== undefined) throw problem('invalid-package-name', { name: excerpt(name), why })
}

function findNewNameFault(name: PackageName): string | undefined {
  // Case twins would share one folder on macOS and Windows.
  if (name !== name.toLowerCase()) return 'new names are lower case'
  if (/[~'!()*]/.test(name)) return "new names have none of ~ ' ! ( ) *"
  if (coreModules.has(name)) return 'it is the name of a Node core module'
  return undefined
}

/** The scope with its `@`, or undefined for a name without one. */
export function scopeOf(name: PackageName): string | undefined {
  return name.startsWith('@') ? name.slice(0, name.indexOf('/')) : undefined
}

/** The part after the scope. */
export function basenameOf(name: PackageName): string {
  return name.startsWith('@') ? name.slice(name.indexOf('/') + 1) : name
}

/**
 * Two names with the same key look the same to a hurried reader: case, separators (`lodash-es`, `lodash.es`, `lodashes`),
 * `0`/`o`, `1`/`l`, `rn`/`m`, `vv`/`w`. The scope stays apart. `i` and `l` are kept apart: folding them would refuse honest
 * pairs such as `mail` and `mall`; likeness short of this is the look-alike screen's work.
 */
export function confusableKey(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[@._-]/g, '')
      .replaceAll('0', 'o')
      .replaceAll('1', 'l')
      // After the separators are gone, so that a separator cannot hide a pair.
      .replaceAll('rn', 'm')
      .replaceAll('vv', 'w')
  )
}

/** The one file name a version's tarball has; clients rebuild it from name and version. */
export function tarballFileName(name: PackageName, version: string): string {
  return `${basenameOf(name)}-${version}.tgz`
}

/** The package URL, as provenance subjects and advisories write it: `pkg:npm/%40acme/ui@1.0.0`. */
export function formatPurl(name: PackageName, version?: string): string {
  const path = name.split('/').map(encodePurlPart).join('/')
  return version === undefined ? `pkg:npm/${path}` : `pkg:npm/${path}@${encodePurlPart(version)}`
}

// The purl rules leave fewer characters alone than encodeURIComponent does.
function encodePurlPart(part: string): string {
  const toHex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(part).replace(/[!'()*]/g, toHex)
}
