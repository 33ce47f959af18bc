// SPDX-License-Identifier: Apache-2.0
import { isPackageName, type PackageName } from './package-name.ts'
import { excerpt, problem } from './problem.ts'

/** Names in one word: a whole name, `@acme/*`, `acme-*`, `@acme/ui-*`, or `*` for all. */
export type NamePattern = string & { readonly brand: 'NamePattern' }

/** Turns hostile input into a pattern, or throws `invalid-pattern`. */
export function parseNamePattern(input: unknown): NamePattern {
  const why = findPatternFault(input)
  if (why !== undefined) throw problem('invalid-pattern', { pattern: excerpt(input), why })
  return input as NamePattern
}

function findPatternFault(input: unknown): string | undefined {
  if (typeof input !== 'string') return 'it is not text'
  if (input === '*') return undefined
  const prefix = input.endsWith('*') ? input.slice(0, -1) : undefined
  // A star elsewhere (`@*/ui`, `a*b`) would claim names across scopes.
  if ((prefix ?? input).includes('*')) return 'only the last character may be a star'
  const shortestMatch = prefix === undefined ? input : `${prefix}a`
  return isPackageName(shortestMatch) ? undefined : 'no package name can match it'
}

/** Whether the pattern covers the name. Without a scope it never covers scoped names, except `*`. */
export function matchesName(pattern: NamePattern, name: PackageName): boolean {
  const text: string = name
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern
}
