// SPDX-License-Identifier: Apache-2.0
import { excerpt, problem } from './problem.ts'

/** A movable name for a version: `latest`, `next`. */
export type DistTag = string & { readonly brand: 'DistTag' }

const part = '(?:[0-9]+|[xX*])'
const prerelease = '(?:-[0-9A-Za-z.-]+)?'
const comparator = new RegExp(`^(?:[<>]=?|~>?|\\^)?[v=]*${part}(?:\\.${part}(?:\\.${part}${prerelease})?)?$`)
const prototypeKeys = new Set(['__proto__', 'constructor', 'prototype'])

/** Turns hostile input into a tag, or throws `invalid-dist-tag`. */
export function parseDistTag(input: unknown): DistTag {
  const why = findTagFault(input)
  if (why !== undefined) throw problem('invalid-dist-tag', { tag: excerpt(input), why })
  return input as DistTag
}

function findTagFault(input: unknown): string | undefined {
  if (typeof input !== 'string') return 'it is not text'
  if (input === '') return 'it is empty'
  if (input.length > 214) return 'it is longer than 214 characters'
  // Tags stand in log leaves, which hold printable ASCII only.
  if (!/^[!-~]+$/.test(input)) return 'it has spaces, control characters or letters beyond ASCII'
  // Tags are keys of a JSON object that clients build by assignment.
  if (prototypeKeys.has(input)) return 'it is reserved'
  // `install name@1` must mean the range, whoever owns the package.
  if (isRange(input)) return 'it reads as a version or a range'
  return undefined
}

function isRange(text: string): boolean {
  // Clients drop build metadata before they look, so `1+a` and even `+a` are ranges.
  const bare = text.replace(/\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*/g, '')
  return bare.split('||').every(alternative => alternative === '' || comparator.test(alternative))
}
