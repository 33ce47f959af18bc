// SPDX-License-Identifier: Apache-2.0
/** Which functions an advisory is about: from its record, from our data, from a file of the user's own. */
import { readFileSync } from 'node:fs'
import { UsageError } from '../usage-error.ts'

/** What of a package an advisory is about. */
export interface SymbolEntry {
  /** An id of the advisory, or an alias. */
  readonly advisory: string
  readonly package: string
  /** Exported names, such as `template`, `get.hwb`, `Parser.prototype.parse`, `default` for the module itself, `/lib/utils#trim` for one of its files. */
  readonly exports: readonly string[]
  /** Places of the flaw inside the package, `file:line` or `file:line:column`. */
  readonly sinks: readonly string[]
}

/** An export as the analysis looks for it. */
export interface ExportPath {
  /** The file of the package, without extension, where it is not the main one. */
  readonly subpath: string
  readonly names: readonly string[]
}

/** Reads symbol data: JSON, or lines with tabs (advisory, package, exported names, places), as `docs/reachability.md` has it. */
export function parseSymbols(text: string): readonly SymbolEntry[] {
  if (/^\s*[[{]/.test(text)) return readObjects(parseText(text))
  return text
    .split(/\r?\n/)
    .filter(line => line.trim() !== '' && !line.startsWith('#'))
    .map(line => readLine(line.split('\t').map(column => column.trim())))
    .flatMap(entry => (entry === undefined ? [] : [entry]))
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(
      `the file of symbols is no JSON: ${(error as Error).message}`,
      'docs/reachability.md shows its form.',
    )
  }
}

function readLine(columns: readonly string[]): SymbolEntry | undefined {
  // A list of flaws by place: package, version, class, place, entry, advisory.
  if (columns.length >= 6) {
    const [name = '', , , sink = '', entry = '', ghsa = '', cve = ''] = columns
    const advisory = ghsa.startsWith('GHSA-') ? ghsa : cve
    const exports = entry === '-' || entry === '' ? [] : [entry]
    return { advisory, package: name, exports, sinks: sink === '' ? [] : [sink] }
  }
  const [advisory, name, exports = '', sinks = ''] = columns
  if (advisory === undefined || name === undefined) return undefined
  return { advisory, package: name, exports: listOf(exports), sinks: listOf(sinks) }
}

const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '' && each !== '-')

function readObjects(value: unknown): readonly SymbolEntry[] {
  const list = Array.isArray(value) ? value : [value]
  return list.flatMap((each: Partial<Record<keyof SymbolEntry, unknown>> | null) => {
    if (typeof each?.advisory !== 'string' || typeof each.package !== 'string') return []
    return [
      {
        advisory: each.advisory,
        package: each.package,
        exports: texts(each.exports),
        sinks: texts(each.sinks),
      },
    ]
  })
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : []

/** The symbols that an OSV record itself names for a package. */
export function symbolsOfRecord(record: unknown, name: string): readonly string[] {
  const affected = (record as { affected?: unknown } | undefined)?.affected
  return (Array.isArray(affected) ? affected : []).flatMap((each: unknown) => {
    const about = each as {
      package?: { name?: unknown }
      ecosystem_specific?: Specific
      database_specific?: Specific
    } | null
    if (about?.package?.name !== name) return []
    return [about.ecosystem_specific, about.database_specific].flatMap(given => namedIn(given, name))
  })
}

interface Specific {
  readonly imports?: unknown
  readonly affected_functions?: unknown
  readonly functions?: unknown
}

function namedIn(given: Specific | undefined, name: string): readonly string[] {
  if (given === undefined || given === null) return []
  const imports = Array.isArray(given.imports) ? given.imports : []
  const imported = imports.flatMap((each: { path?: unknown; symbols?: unknown } | null) => {
    const path =
      typeof each?.path === 'string' && each.path.startsWith(`${name}/`) ? each.path.slice(name.length) : ''
    return texts(each?.symbols).map(symbol => (path === '' ? symbol : `${path}#${symbol}`))
  })
  const functions = [...texts(given.affected_functions), ...texts(given.functions)]
  return [
    ...imported,
    ...functions.map(each => (each.startsWith(`${name}.`) ? each.slice(name.length + 1) : each)),
  ]
}

/** An exported name taken apart. */
export function parseExport(text: string): ExportPath {
  const [, path = '', name = ''] = /^(\/[^#]*)?#?(.*)$/.exec(text) ?? []
  const subpath = path.replace(/^\//, '').replace(/\.[cm]?[jt]s$/, '')
  const names = name.split(/[.#]/).filter(each => each !== '' && each !== 'prototype' && each !== 'new')
  return { subpath, names: names.length === 0 ? ['default'] : names }
}

const ownSymbols = ['vulnerable-symbols.tsv', 'vulnerable-sinks.tsv']

/** What we know of advisories whose record does not say. */
export function readOwnSymbols(): readonly SymbolEntry[] {
  return ownSymbols.flatMap(name =>
    parseSymbols(readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8')),
  )
}
