// SPDX-License-Identifier: Apache-2.0
/** The files that are analysed, each read and parsed once; what cannot be parsed keeps the specifiers that its text names. */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { ParseSource, Syntax } from './syntax-node.ts'
import { isSyntax } from './syntax-node.ts'

/** A file as the analysis sees it. */
export type Source =
  | {
      readonly kind: 'program'
      readonly program: Syntax
      readonly isModule: boolean
      readonly lineStarts: readonly number[]
    }
  | { readonly kind: 'data' }
  | { readonly kind: 'opaque'; readonly why: string; readonly specifiers: readonly string[] }

const maxFileBytes = 6 * 1024 * 1024

/** Reads and parses files, the same bytes only once. */
export function createSources(parseSource: ParseSource): { read(file: string): Source } {
  const byDigest = new Map<string, Source>()
  return {
    read(file) {
      if (/\.(json|node|wasm|css)$/.test(file)) return { kind: 'data' }
      const text = readText(file)
      if (/\.html?$/.test(file) && (typeof text !== 'string' || text.trim() === '')) return { kind: 'data' }
      if (typeof text !== 'string') return { kind: 'opaque', why: text.why, specifiers: text.specifiers }
      const digest = createHash('sha256')
        .update(file.slice(file.lastIndexOf('.')))
        .update(text)
        .digest('base64')
      const known = byDigest.get(digest) ?? parse(parseSource, text, file)
      byDigest.set(digest, known)
      return known
    },
  }
}

function readText(file: string): string | { readonly why: string; readonly specifiers: readonly string[] } {
  try {
    const { size } = statSync(file)
    const text = readFileSync(file, 'utf8')
    if (size <= maxFileBytes) return inScripts(file, text)
    return { why: `${size} bytes are too many to analyse`, specifiers: specifiersIn(text) }
  } catch {
    return { why: 'it cannot be read', specifiers: [] }
  }
}

// Of components in one file only the scripts count; lines stay where they are.
function inScripts(file: string, text: string): string {
  if (!/\.(vue|svelte|html?)$/.test(file)) return text
  const outside = text.split(/(<script[^>]*>[\s\S]*?<\/script>)/)
  return outside
    .map(each => {
      const script = /^<script([^>]*)>([\s\S]*)<\/script>$/.exec(each)
      // Data for scripts stands in scripts of other types.
      const isData = /\btype\s*=\s*["']?(?!module\b|(?:text|application)\/(?:java|ecma)script\b)\w/i.test(
        script?.[1] ?? '',
      )
      return script === null || isData ? each.replace(/[^\n]/g, '') : script[2]
    })
    .join('')
}

function parse(parseSource: ParseSource, text: string, file: string): Source {
  const parsed = parseSource(text, file.replace(/\.(vue|svelte|html?)$/, '.ts'))
  if (parsed.kind === 'program' && isSyntax(parsed.program)) {
    const isModule = parsed.isModule && isModuleSyntax(parsed.program)
    return { kind: 'program', program: parsed.program, isModule, lineStarts: lineStartsOf(text) }
  }
  const why =
    parsed.kind === 'faulty'
      ? `it cannot be parsed (line ${parsed.line}: ${parsed.why})`
      : 'it has no program'
  return { kind: 'opaque', why, specifiers: specifiersIn(text) }
}

function isModuleSyntax(program: Syntax): boolean {
  const body = Array.isArray(program['body']) ? program['body'].filter(isSyntax) : []
  return body.some(each => /^(Import|Export)/.test(each.type) && each.type !== 'ImportExpression')
}

function lineStartsOf(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** The line, from 1, of an offset. */
export function lineAt(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle
  }
  return low + 1
}

/** The specifiers that a text seems to name; more than it really loads, never fewer of those written out. */
export function specifiersIn(text: string): readonly string[] {
  const pattern = /(?:\bfrom|\bimport|\brequire(?:\.resolve)?)\s*\(?\s*(['"`])([^'"`\n]{1,300})\1/g
  return [...new Set([...text.matchAll(pattern)].flatMap(([, , name]) => (name === undefined ? [] : [name])))]
}
