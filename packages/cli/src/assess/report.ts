// SPDX-License-Identifier: Apache-2.0
import manifest from '../../package.json' with { type: 'json' }
import type { Assessment, CapabilityResult } from './assessment.ts'
import { type Gap, listGaps } from './gap.ts'

export const marks: Readonly<Record<CapabilityResult['status'], string>> = {
  pass: '✓ pass',
  fail: '✗ fail',
  missing: '· missing',
  'not-applicable': '- not applicable',
}

const gapsShown = 12

/** What was assessed, and when. */
export interface Occasion {
  /** An address, or `self`. */
  readonly subject: string
  readonly at: Date
}

/** An assessment for programs, with the release that made it: what a registry keeps and shows on its page /security. */
export function formatAssessmentJson(result: Assessment, { subject, at }: Occasion): string {
  const gaps = listGaps(result).map(({ id, effect, effort }) => ({ id, effect, effort }))
  const told = { release: manifest.version, subject, at: at.toISOString(), ...result, gaps }
  return `${JSON.stringify(told, undefined, 2)}\n`
}

/** An assessment for people: a line for each capability, its evidence below, the gaps and the levels at the end. */
export function formatAssessment(result: Assessment): string {
  const { framework, capabilities, levels } = result
  const width = Math.max(...capabilities.map(({ id }) => id.length))
  const lines = capabilities.flatMap(({ id, status, evidence }) => [
    `${id.padEnd(width)}  ${marks[status]}`,
    ...evidence.map(line => `${' '.repeat(width)}  ${line}`),
  ])
  const reached = Object.entries(levels).map(([track, level]) => `${track} ${level}`)
  const passed = capabilities.filter(({ status }) => status === 'pass').length
  return [
    ...lines,
    '',
    ...gapLines(listGaps(result), width),
    `${passed} of ${capabilities.length} capabilities pass.`,
    `Levels in the Principles for Package Repository Security ${framework}: ${reached.join(', ')}.`,
    '',
  ].join('\n')
}

function gapLines(gaps: readonly Gap[], width: number): string[] {
  if (gaps.length === 0) return []
  const shown = gaps.slice(0, gapsShown)
  return [
    'To close next, by what it brings and what it costs:',
    ...shown.map(({ id, effort, effect }) => `${id.padEnd(width)}  ${effort.padEnd(5)}  ${effect}`),
    ...(gaps.length > shown.length ? [`and ${gaps.length - shown.length} more`] : []),
    '',
  ]
}
