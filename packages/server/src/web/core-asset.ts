// SPDX-License-Identifier: Apache-2.0
/** The modules of core for a browser: the sources this process runs, their types stripped, so nothing is bundled or built. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'

/** Modules of core under an address that holds the hash of all of them. */
export interface CoreModules {
  /** The address of a module by its place in core: `tlog/merkle.ts`. */
  path(place: string): string
  /** The source behind an address, or undefined where there is none. */
  find(path: string): string | undefined
}

/** Reads these modules of core, and all that they import. */
export function loadCoreModules(entries: readonly string[]): CoreModules {
  const root = new URL('./', import.meta.resolve('@holdfast/core'))
  const sources = new Map<string, string>()
  for (const entry of entries) collect(new URL(entry, root), root, sources)
  const prefix = `/assets/core.${hashOf(sources)}/`
  const byPath = new Map([...sources].map(([place, source]) => [prefix + place, source]))
  return { path: place => prefix + place, find: path => byPath.get(path) }
}

function collect(file: URL, root: URL, sources: Map<string, string>): void {
  const place = file.href.slice(root.href.length)
  if (sources.has(place)) return
  const source = stripTypeScriptTypes(readFileSync(file, 'utf8'))
  sources.set(place, source)
  for (const [, target = ''] of source.matchAll(/\bfrom\s*'(\.[^']+)'/g))
    collect(new URL(target, file), root, sources)
}

function hashOf(sources: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const [place, source] of [...sources].sort()) hash.update(`${place}\n${source}\n`)
  return hash.digest('hex').slice(0, 16)
}
