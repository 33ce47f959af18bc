// SPDX-License-Identifier: Apache-2.0
import manifest from '../../package.json' with { type: 'json' }
import type { Assessment, CapabilityResult } from './assessment.ts'

const marks: Readonly<Record<CapabilityResult['status'], string>> = {
  pass: '✓ pass',
  fail: '✗ fail',
  missing: '· missing',
  'not-applicable': '- not applicable',
}

/** An assessment for programs, with the release it is of: what a registry's page /security reads. */
export function formatAssessmentJson(result: Assessment, at: Date): string {
  const told = { release: manifest.version, at: at.toISOString(), ...result }
  return `${JSON.stringify(told, undefined, 2)}\n`
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
