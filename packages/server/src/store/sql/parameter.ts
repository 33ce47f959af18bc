// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'

/**
 * Refuses every parameter that the two engines would not store and return alike. That is a bug of ours, but for NUL in
 * text: strangers send it, and it is their fault wherever it comes from.
 */
export function checkParameters(parameters: readonly unknown[]): void {
  for (const [index, value] of parameters.entries()) {
    // PostgreSQL text cannot hold NUL; SQLite would, and its functions then see half of the text.
    if (typeof value === 'string' && value.includes('\0')) throw problem('invalid-text')
    const fault = faultOf(value)
    if (fault !== undefined) throw new TypeError(`SQL parameter ${index + 1} is ${fault}`)
  }
}

function faultOf(value: unknown): string | undefined {
  if (value === null || value instanceof Uint8Array) return undefined
  switch (typeof value) {
    case 'string':
      return undefined
    case 'number':
      return faultOfNumber(value)
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? undefined : 'a whole number beyond 2^53'
    default:
      return value instanceof Date ? 'a Date (store milliseconds)' : `of type ${typeof value}`
  }
}

function faultOfNumber(value: number): string | undefined {
  // SQLite would bind NaN as NULL.
  if (!Number.isFinite(value)) return 'not a finite number'
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return 'a whole number beyond 2^53'
  return undefined
}

const QUOTED_OR_PLACE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g

/** How many `?` places a statement has, outside of text, names and comments. */
export function countPlaces(sql: string): number {
  return sql.match(QUOTED_OR_PLACE)?.filter(found => found === '?').length ?? 0
}
