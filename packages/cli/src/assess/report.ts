// SPDX-License-Identifier: Apache-2.0
import type { Assessment, CapabilityResult } from './assessment.ts'

const marks: Readonly<Record<CapabilityResult['status'], string>> = {
  pass: '✓ pass',
  fail: '✗ fail',
  missing: '· missing',
  'not-applicable': '- not applicable',
}

/** An assessment as a table for people: a line for each capability, its evidence below, the levels at the end. */
export function formatAssessment({ framework, capabilities, levels }: Assessment): string {
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
    `${passed} of ${capabilities.length} capabilities pass.`,
    `Levels in the Principles for Package Repository Security ${framework}: ${reached.join(', ')}.`,
    '',
  ].join('\n')
}
