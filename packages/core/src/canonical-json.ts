// SPDX-License-Identifier: Apache-2.0
import { problem } from './problem.ts'

// Deeper JSON is an attack on the stack; real manifests stay below 20.
const maxDepth = 200

type EncodeScalar = (value: string | number) => string

/** One text for one JSON value, by RFC 8785: keys sorted by UTF-16 unit, numbers as ECMAScript prints them. */
export function encodeCanonical(value: unknown): string {
  return encodeValue(value, encodeWideScalar, 0)
}

/**
 * One text for one log leaf: RFC 8785 narrowed to printable ASCII and safe integers, an object at the top,
 * so that every JSON library of every language makes the same bytes.
 */
export function encodeLeaf(value: unknown): string {
  if (!isPlainObject(value)) throw refuse('a leaf is an object')
  return encodeValue(value, encodeNarrowScalar, 0)
}

/** Reads a leaf; refuses text that differs from the re-encoding of what it says (white space, order, duplicate keys, 1.0). */
export function decodeLeaf(text: string): Record<string, unknown> {
  const value = parseJson(text)
  if (!isPlainObject(value)) throw refuse('a leaf is an object')
  if (encodeLeaf(value) !== text) throw refuse('the leaf is not in canonical form')
  return value
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw refuse('it is not JSON')
  }
}

function encodeValue(value: unknown, encodeScalar: EncodeScalar, depth: number): string {
  if (depth > maxDepth) throw refuse(`it is nested deeper than ${maxDepth}`)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string' || typeof value === 'number') return encodeScalar(value)
  if (Array.isArray(value)) {
    return `[${Array.from(value, item => encodeValue(item, encodeScalar, depth + 1)).join(',')}]`
  }
  if (isPlainObject(value)) return encodeObject(value, encodeScalar, depth)
  throw refuse(`it has a value JSON does not know (${typeof value})`)
}

function encodeObject(value: Record<string, unknown>, encodeScalar: EncodeScalar, depth: number): string {
  const members = Object.keys(value)
    .sort()
    .map(key => `${encodeScalar(key)}:${encodeValue(value[key], encodeScalar, depth + 1)}`)
  return `{${members.join(',')}}`
}

function encodeWideScalar(value: string | number): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw refuse('it has a number that is not finite')
  // RFC 8785, 3.2.2.2: half a surrogate pair has no UTF-8.
  if (typeof value === 'string' && !value.isWellFormed()) throw refuse('it has half a surrogate pair')
  return JSON.stringify(value)
}

function encodeNarrowScalar(value: string | number): string {
  if (
    typeof value === 'number' ? !Number.isSafeInteger(value) || Object.is(value, -0) : !/^[ -~]*$/.test(value)
  ) {
    throw refuse(typeof value === 'number' ? 'numbers are safe integers' : 'text is printable ASCII')
  }
  return JSON.stringify(value)
}

// Dates, maps and class instances would be written as something else than they are.
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function refuse(why: string) {
  return problem('invalid-json', { why })
}
