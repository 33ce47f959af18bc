// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises'
import { capabilities } from '@holdfast/core'
import { type Assessment, assess, weigh, withLive } from '../assess/assessment.ts'
import { formatAssessmentHtml } from '../assess/html.ts'
import { keepAssessment } from '../assess/keep.ts'
import { lookFromOutside } from '../assess/outside.ts'
import { outsideProbes } from '../assess/outside-list.ts'
import { probes } from '../assess/probe-list.ts'
import { formatQuestionnaire, parseQuestionnaire, unanswered } from '../assess/questionnaire.ts'
import { formatAssessment, formatAssessmentJson, type Occasion } from '../assess/report.ts'
import { openTarget } from '../assess/target.ts'
import { startThrowAwayInstance } from '../assess/throw-away-instance.ts'
import { startProgress } from '../log/progress.ts'
import { parseArgs } from '../parse-args.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast assess self [--config FILE] [--live URL] [--data DIR] [--json] [--html FILE]
holdfast assess URL [--answers FILE] [--package NAME]... [--json] [--html FILE]
holdfast assess --questionnaire

How a registry stands in each capability of the Principles for Package Repository Security: a level for each track, what
shows it, and what to close next.

  self             does everything for real on a throw-away instance of this version
  --config FILE    with what this configuration says of accounts, recovery, unpublishing and policy
  --live URL       and looks from outside at the instance there, without harm: what fails there fails
  --data DIR       keeps the result, signed, in the registry of that folder: its page /security shows it
  URL              looks at any registry that npm can talk to, from outside, without an account and without harm
  --answers FILE   what cannot be seen from outside, as somebody who knows answers it, with links to what shows it
  --package NAME   a package there to look at; else the search is asked for some
  --questionnaire  prints the file for --answers to fill in
  --html FILE      writes a page that stands alone

Exit code 1 when a capability fails. What was neither seen nor answered is "missing" and counts as not reached.

Example: holdfast assess self --html assessment.html
`

const options = {
  config: { type: 'string' },
  live: { type: 'string' },
  data: { type: 'string' },
  answers: { type: 'string' },
  package: { type: 'string', multiple: true },
  questionnaire: { type: 'boolean' },
  html: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** What a configuration file says that an assessment takes over, as an environment says it. */
export type ReadSettings = (file: string) => Promise<Readonly<Record<string, string>>>

/** Runs `holdfast assess …`: 0 when nothing failed, 1 when something did. */
export async function runAssess(args: string[], readSettings: ReadSettings): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage, 0)
  if (values.questionnaire) return print(formatQuestionnaire(), 0)
  const [subject, ...more] = positionals
  if (subject === undefined || more.length > 0)
    throw new UsageError(
      'holdfast assess needs to know what to assess',
      'Write holdfast assess self, or holdfast assess https://registry.example.',
    )
  const result =
    subject === 'self'
      ? await assessSelf(values.config === undefined ? {} : await readSettings(values.config), values.live)
      : await assessOther(subject, values.answers, values.package ?? [])
  const occasion = { subject, at: new Date() }
  if (values.html !== undefined) await writeFile(values.html, formatAssessmentHtml(result, occasion))
  if (values.data !== undefined)
    await keepAssessment(values.data, values.config, formatAssessmentJson(result, occasion))
  return tell(result, occasion, values.json === true)
}

async function assessSelf(
  settings: Readonly<Record<string, string>>,
  live: string | undefined,
): Promise<Assessment> {
  const seen =
    live === undefined ? new Map() : await lookFromOutside(await openTarget(live, []), outsideProbes)
  const instance = await startThrowAwayInstance(settings)
  const progress = startProgress('capabilities', capabilities.length)
  try {
    return withLive(await assess(instance, probes, progress.show), seen)
  } finally {
    progress.end()
    await instance.stop()
  }
}

async function assessOther(
  address: string,
  answers: string | undefined,
  packages: readonly string[],
): Promise<Assessment> {
  const answered = answers === undefined ? unanswered : parseQuestionnaire(await readText(answers))
  return weigh(await lookFromOutside(await openTarget(address, packages), outsideProbes), answered)
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(
      `${file} cannot be read: ${error.message}`,
      'holdfast assess --questionnaire prints the file to fill in.',
    )
  })
}

function tell(result: Assessment, occasion: Occasion, isJson: boolean): number {
  const hasFailed = result.capabilities.some(({ status }) => status === 'fail')
  return print(isJson ? formatAssessmentJson(result, occasion) : formatAssessment(result), hasFailed ? 1 : 0)
}

function print(text: string, exitCode: number): number {
  process.stdout.write(text)
  return exitCode
}
