// SPDX-License-Identifier: Apache-2.0
/** Paths inside a tarball: which are refused, and which two are one file on somebody's disk. */
import { excerpt } from '@holdfast/core'
import { refuseTarball } from './tar-fault.ts'

const maxPathBytes = 1024
const maxDepth = 64
// 100,000 paths of 1,024 bytes with all their folders would be gigabytes.
const maxTotalLength = 32 * 1024 * 1024

/** Splits a path into its segments, or throws `bad-tarball` for every form that leaves the package's folder somewhere. */
export function parseTarPath(path: string): readonly string[] {
  if (path === '') throw refuseTarball('bad-path', 'an entry has an empty path')
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw refuseTarball('bad-path', `a path is longer than ${maxPathBytes} bytes (${excerpt(path)})`)
  }
  const segments = withoutDots(path.split('/'))
  const fault = findDotFault(path, segments) ?? findPathFault(segments.join('/'))
  if (fault !== undefined) throw refuseTarball('bad-path', `the path '${excerpt(path)}' ${fault}`)
  if (segments.length > maxDepth) throw refuseTarball('bad-path', `a path is deeper than ${maxDepth} folders`)
  return segments
}

/**
 * `package/./dist/index.js` is how packages with `"files": ["./dist"]` are packed by some: every client writes the same
 * file, cutting the top folder before or after it normalises. A dot that is first or last stays, and is refused.
 */
function withoutDots(segments: readonly string[]): readonly string[] {
  return segments.filter((segment, at) => segment !== '.' || at === 0 || at === segments.length - 1)
}

/** Some clients look for the manifest by its plain path and would not find it, or find another. */
function findDotFault(path: string, segments: readonly string[]): string | undefined {
  const isHidden =
    segments.length === 2 && segments[1] === 'package.json' && !path.endsWith(segments.join('/'))
  return isHidden ? "has a '.' segment before package.json" : undefined
}

function findPathFault(path: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL ends a path in C, a line break ends a pax record in node-tar.
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'has a control character'
  // A separator on Windows, part of a name elsewhere.
  if (path.includes('\\')) return 'has a backslash'
  if (path.startsWith('/')) return 'is absolute'
  // `C:x` is relative to a drive, also behind the top folder, which clients cut off. `x::$DATA` is `x` itself.
  if (/^(?:[^/]*\/)?[A-Za-z]:/.test(path) || /:.*\$DATA/i.test(path)) return 'names a Windows drive or stream'
  const segments = path.split('/')
  if (segments.includes('..')) return "has a '..' segment"
  // Clients that cut the first segment before they normalise disagree with those that cut it after.
  if (segments.includes('.') || segments.includes('')) return "has an empty segment, or '.' at an end"
  return undefined
}

/** The same text for two paths that name one file where case, Unicode form, invisible signs or trailing dots do not count. */
export function foldPath(path: string): string {
  const trimmed = path.replace(/[. ]+(?=\/|$)/g, '')
  if (/^[ -~]*$/.test(trimmed)) return trimmed.toLowerCase()
  return trimmed
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .normalize('NFD')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFD')
}

/** All paths of one archive; refuses the second of any two that meet on disk. */
export class PathSet {
  readonly #kinds = new Map<string, { readonly path: string; readonly kind: 'file' | 'folder' }>()
  readonly #fallbacks = new Set<string>()
  #totalLength = 0

  /** Takes a file, or refuses it as twin or a folder's name. False when the very path was there already. */
  addFile(path: string): boolean {
    const key = foldPath(path)
    const before = this.#kinds.get(key)
    if (before?.path === path && before.kind === 'file') return false
    if (before !== undefined) throw refuseTwin(before.path, path)
    this.#add(key, path, 'file')
    this.#addParents(path)
    return true
  }

  /** Takes a folder with its parents; a folder may come again. */
  addFolder(path: string): void {
    const key = foldPath(path)
    const before = this.#kinds.get(key)
    if (before?.kind === 'file') throw refuseTwin(before.path, path)
    if (before !== undefined) return
    this.#add(key, path, 'folder')
    this.#addParents(path)
  }

  /** Remembers the short path of an entry that has a long one: a parser that loses the long one would write there. */
  addFallback(path: string): void {
    const key = foldPath(path)
    if (this.#fallbacks.has(key)) return
    this.#fallbacks.add(key)
    this.#count(key)
  }

  /** Refuses an archive in which such a short path is also the path of a file. */
  checkFallbacks(): void {
    for (const key of this.#fallbacks) {
      const meant = this.#kinds.get(key)
      if (meant?.kind === 'file') {
        throw refuseTarball('bad-pax', `the header of another entry claims the path '${excerpt(meant.path)}'`)
      }
    }
  }

  #addParents(path: string): void {
    const slash = path.lastIndexOf('/')
    if (slash > 0) this.addFolder(path.slice(0, slash))
  }

  #add(key: string, path: string, kind: 'file' | 'folder'): void {
    this.#kinds.set(key, { path, kind })
    this.#count(key)
  }

  #count(key: string): void {
    this.#totalLength += key.length
    if (this.#totalLength > maxTotalLength)
      throw refuseTarball('too-many-entries', 'its paths take too much room')
  }
}

function refuseTwin(one: string, other: string) {
  return refuseTarball(
    'twin-path',
    `'${excerpt(one)}' and '${excerpt(other)}' are one file on some computers`,
  )
}
