// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util'
import { assess } from '../assess/assessment.ts'
import { probes } from '../assess/probe-list.ts'
import { formatAssessment, formatAssessmentJson } from '../assess/report.ts'
import { startThrowAwayInstance } from '../assess/throw-away-instance.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast assess self [--json]

Starts a throw-away instance of this version, runs every probe against it, and prints how each capability of the
Principles for Package Repository Security stands. What --json prints, stored as assessment.json in the data folder of a
registry, is shown on its page /security. Exit code 1 when a probe fails; a capability without a probe is
"missing" and counts as not reached.
`

/** Runs `holdfast assess …`: 0 when no probe failed, 1 when one did. */
export async function runAssess(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) return print(usage, 0)
  if (positionals.length !== 1 || positionals[0] !== 'self') {
    throw new UsageError(
      'holdfast assess needs to know what to assess',
      'Write holdfast assess self [--json].',
    )
  }
  const instance = await startThrowAwayInstance()
  try {
    const result = await assess(instance, probes)
    const hasFailed = result.capabilities.some(({ status }) => status === 'fail')
    const text = values.json ? formatAssessmentJson(result, new Date()) : formatAssessment(result)
    return print(text, hasFailed ? 1 : 0)
  } finally {
    await instance.stop()
  }
}

function print(text: string, exitCode: number): number {
  process.stdout.write(text)
  return exitCode
}
