// SPDX-License-Identifier: Apache-2.0
/** Which packages the files of an application can load at all: by the names in their texts, without going through what they do. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { entriesOf } from './folder.ts'
import type { PackageGraph } from './package-graph.ts'
import type { Resolver } from './resolve.ts'
import { specifiersIn } from './source.ts'

interface Ground {
  readonly resolver: Resolver
  readonly graph: PackageGraph
  /** The packages whose files are looked at. */
  readonly leading: ReadonlySet<string>
}

const maxTextBytes = 16 * 1024 * 1024
/** A call that loads something whose name is not written out. */
const isUnnamed = /\b(?:require(?:\.resolve)?|import)\s*\(\s*(?!(['"`])[^'"`$\n]*\1\s*[,)]|\))/
const mayMakeRequire = /\bcreateRequire\b|\bmodule\.require\b|\beval\s*\(|\bnew Function\b/

/** The folders of packages that are loaded from these files on, or may be: more than really are, never fewer. */
export function listImported(
  entries: readonly string[],
  { resolver, graph, leading }: Ground,
): ReadonlySet<string> {
  const seen = new Set(entries)
  const loaded = new Set<string>()
  const widened = new Set<string>()
  const add = (specifier: string, from: string): void => {
    const found = resolver.resolve(specifier, from)
    for (const file of found.kind === 'file' ? found.files : []) {
      const home = resolver.packageOf(file).folder
      loaded.add(home)
      if (leading.has(home)) seen.add(file)
    }
  }
  for (const file of seen) {
    const text = readText(file)
    for (const specifier of specifiersIn(text ?? '')) add(specifier, file)
    if (text !== undefined && !isUnnamed.test(text) && !mayMakeRequire.test(text)) continue
    const home = resolver.packageOf(file).folder
    if (widened.has(home)) continue
    // Whatever the package may load it loads: its own files, and all that it depends on.
    widened.add(home)
    for (const own of listOwnFiles(home)) seen.add(own)
    for (const { name } of graph.dependenciesOf(home)) add(name, file)
  }
  return loaded
}

function readText(file: string): string | undefined {
  try {
    return statSync(file).size > maxTextBytes ? undefined : readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function listOwnFiles(folder: string): readonly string[] {
  const found: string[] = []
  const walk = (at: string, depth: number): void => {
    for (const entry of entriesOf(at)) {
      const path = join(at, entry.name)
      if (entry.isDirectory() && entry.name !== 'node_modules' && depth < 24) walk(path, depth + 1)
      else if (entry.isFile() && /\.(?:[cm]?[jt]sx?|vue|svelte)$/.test(entry.name)) found.push(path)
    }
  }
  walk(folder, 0)
  return found
}
