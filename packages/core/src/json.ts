// SPDX-License-Identifier: Apache-2.0
import { excerpt, problem } from './problem.ts'

// Real documents stay below 20; what reads them afterwards may recurse.
const maxDepth = 64
// `[[],[],…` is ten times larger in memory than as text.
const maxContainers = 1_000_000

/** Says whether the key that ends this path may appear twice in its object. */
export type MayRepeat = (path: readonly string[]) => boolean

/**
 * Reads JSON that a stranger wrote: bounded depth, no key twice (parsers disagree on which one counts) unless
 * `mayRepeat` says so, and no key that changes what an object is (`__proto__`, `constructor.prototype`).
 */
export function parseJson(text: string, mayRepeat: MayRepeat = () => false): unknown {
  const hasUnsafeKey = scanJson(text, mayRepeat)
  const value = parseText(text)
  return hasUnsafeKey ? withoutUnsafeKeys(value) : value
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw refuse('it is not JSON')
  }
}

/** One open object or array; `keys` is undefined for an array. */
interface Container {
  readonly keys: Set<string> | undefined
  key: string
}

// Before JSON.parse, so that depth and count cost nothing; right for every text that JSON.parse then accepts.
function scanJson(text: string, mayRepeat: MayRepeat): boolean {
  const open: Container[] = []
  let containers = 0
  let expectsKey = false
  let hasUnsafeKey = false
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22) {
      const end = endOfString(text, at)
      if (expectsKey)
        hasUnsafeKey = addKey(open, decodeKey(text.slice(at + 1, end)), mayRepeat) || hasUnsafeKey
      expectsKey = false
      at = end
    } else if (unit === 0x7b || unit === 0x5b) {
      expectsKey = unit === 0x7b
      open.push({ keys: expectsKey ? new Set() : undefined, key: '' })
      if (open.length > maxDepth) throw refuse(`it is nested deeper than ${maxDepth}`)
      if (++containers > maxContainers) throw refuse(`it has more than ${maxContainers} objects and lists`)
    } else if (unit === 0x7d || unit === 0x5d) {
      expectsKey = false
      open.pop()
    } else if (unit === 0x2c) {
      expectsKey = open.at(-1)?.keys !== undefined
    }
  }
  return hasUnsafeKey
}

function addKey(open: Container[], key: string, mayRepeat: MayRepeat): boolean {
  const container = open.at(-1)
  if (container?.keys === undefined) return false
  container.key = key
  if (container.keys.has(key) && !mayRepeat(open.map(one => one.key))) {
    throw refuse(`the key '${excerpt(key)}' appears twice in one object`)
  }
  container.keys.add(key)
  return key === '__proto__' || key === 'constructor'
}

/** Index of the quote that ends the string begun at `start`; the end of the text when there is none. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === 0x5c) before--
    if ((end - before) % 2 === 1) return end
  }
  return text.length
}

// `\u005f_proto__` is the same key as `__proto__`.
function decodeKey(raw: string): string {
  return raw.includes('\\') ? String(parseText(`"${raw}"`)) : raw
}

function withoutUnsafeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUnsafeKeys)
  if (typeof value !== 'object' || value === null) return value
  const safe = Object.entries(value).filter(([key, member]) => !isUnsafe(key, member))
  return Object.fromEntries(safe.map(([key, member]) => [key, withoutUnsafeKeys(member)]))
}

// A package may be called `constructor`; only a way to the prototype is an attack.
function isUnsafe(key: string, member: unknown): boolean {
  if (key === '__proto__') return true
  return (
    key === 'constructor' &&
    typeof member === 'object' &&
    member !== null &&
    Object.hasOwn(member, 'prototype')
  )
}

function refuse(why: string) {
  return problem('invalid-json', { why })
}
