// SPDX-License-Identifier: Apache-2.0
/** Security reviews of this registry: when, of what, what was found, and what became of it. */
import { problem } from '@holdfast/core'

/** What became of something that a review found. */
export type ReviewFindingState = (typeof findingStates)[number]
const findingStates = ['open', 'fixed', 'accepted'] as const
const severities = ['critical', 'high', 'medium', 'low'] as const

/** One thing that a review found. */
export interface ReviewFinding {
  readonly severity: (typeof severities)[number]
  readonly title: string
  /** What was or will be done about it. */
  readonly remedy: string
  readonly state: ReviewFindingState
}

/** A review as somebody enters it. */
export interface ReviewDraft {
  /** The day on which it ended, `YYYY-MM-DD`. */
  readonly date: string
  readonly scope: string
  readonly reviewer: string
  readonly findings: readonly ReviewFinding[]
}

/** A review in the register. */
export interface Review extends ReviewDraft {
  /** `rv_` and random letters. */
  readonly id: string
  readonly changedAt: number
}

const dayMs = 24 * 3600_000
/** A review that is older says nothing of what runs now. */
export const reviewLifeMs = 365 * dayMs
/** From then on operators are reminded. */
export const reviewReminderMs = 335 * dayMs
const maxFindings = 100
const maxLine = 500

/** How old the newest review is. */
export type ReviewState = 'none' | 'current' | 'due' | 'overdue'

/** What the register says now; one that was never filled counts as the instance is old. */
export function reviewState(reviews: readonly Review[], now: number): ReviewState {
  const newest = reviews.map(each => Date.parse(each.date)).reduce((one, two) => Math.max(one, two), 0)
  if (newest === 0) return 'none'
  if (now - newest > reviewLifeMs) return 'overdue'
  return now - newest > reviewReminderMs ? 'due' : 'current'
}

/** A review out of a form or a file; findings one a line, `severity | what was found | remedy | state`. Throws `invalid-body`. */
export function parseReview(
  told: {
    readonly date: string
    readonly scope: string
    readonly reviewer: string
    readonly findings: string
  },
  now: number,
): ReviewDraft {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(told.date) ? Date.parse(told.date) : Number.NaN
  if (Number.isNaN(at)) throw refuse('its date is no day such as 2026-01-31')
  if (at > now) throw refuse('its date lies in the future')
  const lines = told.findings.split(/\r?\n/).filter(line => line.trim() !== '')
  if (lines.length > maxFindings) throw refuse(`it has more than ${maxFindings} findings`)
  return {
    date: told.date,
    scope: parseLine('its scope', told.scope),
    reviewer: parseLine('who reviewed', told.reviewer),
    findings: lines.map(parseFinding),
  }
}

/** The findings as they are typed. */
export function formatFindings(findings: readonly ReviewFinding[]): string {
  return findings
    .map(({ severity, title, remedy, state }) => `${severity} | ${title} | ${remedy} | ${state}`)
    .join('\n')
}

function parseFinding(line: string): ReviewFinding {
  const [severity, title = '', remedy = '', state, ...rest] = line.split('|').map(each => each.trim())
  const known = severities.find(each => each === severity)
  const became = findingStates.find(each => each === state)
  if (known === undefined || became === undefined || rest.length > 0)
    throw refuse(
      `the finding “${line.slice(0, 80)}” is not severity (${severities.join(', ')}) | what | remedy | state (${findingStates.join(', ')})`,
    )
  return {
    severity: known,
    title: parseLine('a finding', title),
    remedy: remedy.slice(0, maxLine),
    state: became,
  }
}

function parseLine(what: string, input: string): string {
  const text = input
    .replace(/\p{Cc}+/gu, ' ')
    .toWellFormed()
    .trim()
    .slice(0, maxLine)
  if (text === '') throw refuse(`it does not say ${what}`)
  return text
}

function refuse(why: string) {
  return problem('invalid-body', { why })
}
