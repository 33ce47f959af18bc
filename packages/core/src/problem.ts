// SPDX-License-Identifier: Apache-2.0
import { type ProblemCode, type ProblemRow, problemTable } from './problem-table.ts'

/** Facts that fill the `{name}` places of a problem's texts. */
export type ProblemData = Readonly<Record<string, string | number>>

/** Something that can be expected to go wrong: thrown inside, rendered at the edge. Anything else thrown is a bug. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  /** What to do next, in one sentence. */
  readonly hint: string
  readonly data: ProblemData

  constructor(code: ProblemCode, data: ProblemData) {
    const row: ProblemRow = problemTable[code]
    super(fillTemplate(row.say, data))
    this.name = 'Problem'
    this.code = code
    this.status = row.status
    this.hint = fillTemplate(row.hint, data)
    this.data = data
  }
}

/** Makes the problem of the table's row `code`, its texts filled from `data`. */
export function problem(code: ProblemCode, data: ProblemData = {}): Problem {
  return new Problem(code, data)
}

/** Whether something caught is an expected problem and not a bug. */
export function isProblem(caught: unknown): caught is Problem {
  return caught instanceof Problem
}

/** The first 80 characters of hostile input, in a form that is safe to print in a message. */
export function excerpt(input: unknown): string {
  const text = typeof input === 'string' ? input : `(${typeOf(input)})`
  return toPrintable(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

function typeOf(input: unknown): string {
  if (input === null) return 'null'
  return Array.isArray(input) ? 'array' : typeof input
}

function fillTemplate(template: string, data: ProblemData): string {
  return template.replace(/\{(\w+)\}/g, (place, key: string) =>
    Object.hasOwn(data, key) ? toPrintable(String(data[key])) : place,
  )
}

// Texts end in terminals and log lines: no escape sequences, line breaks, bidirectional overrides or broken surrogates.
function toPrintable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?')
}
