// SPDX-License-Identifier: Apache-2.0
import { type MailSink, openMailSink } from '../mail-sink.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import { describeReply, openProbeClient } from '../probe-client.ts'
import { openPerson, type ProbePerson } from '../probe-person.ts'
import {
  confirmByLetter,
  listCasePaths,
  type ReportSubject,
  reportByApi,
  reportByCommand,
  reportByPage,
} from '../probe-report.ts'

/** Three people report one package by page, command line and API: one case, and each hears how it ended. */
export const reports: Probe = { capability: 'general-2-report', run }

const byPage = 'page@outside.example'
const byCommand = 'command@outside.example'

async function run(instance: ProbeInstance): Promise<Evidence> {
  const sink = await openMailSink()
  try {
    const other = await instance.startOther({ HOLDFAST_MFA: 'optional', HOLDFAST_SMTP: sink.url })
    return await tryReports(other, sink)
  } finally {
    sink.close()
  }
}

async function tryReports(instance: ProbeInstance, sink: MailSink): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const about = { package: client.nameOf('reported'), version: '1.0.0' }
  const published = await client.publish({ name: about.package, version: about.version })
  demand(published.status === 201, `a package must be published: ${describeReply(published)}`)
  const responder = await openPerson(instance, ['responder'])
  const reporter = await openPerson(instance)
  await demandUnconfirmed(instance, responder, about)
  for (const email of [byPage, byCommand]) await confirmByLetter(instance, sink, email)
  await reportByApi(instance, reporter, about)
  await demandOneCase(responder, about)
  await demandTold(responder, sink, [byPage, byCommand, reporter.email])
  return [
    'reports without an account, by the form and by `holdfast report`, count for nothing before the link of a letter is opened and answered',
    'three reports, by page, command line and API, are one case with a clock in the responders’ inbox',
    'when the case was closed as right each of the three got a letter that says so',
  ]
}

async function demandUnconfirmed(
  instance: ProbeInstance,
  responder: ProbePerson,
  about: ReportSubject,
): Promise<void> {
  await reportByPage(instance, about, byPage)
  await reportByCommand(instance, about, byCommand)
  const early = await listCasePaths(responder)
  demand(early.length === 0, `what nobody confirmed must count for nothing, and makes ${early.length} cases`)
}

async function demandOneCase(responder: ProbePerson, about: ReportSubject): Promise<void> {
  const paths = await listCasePaths(responder)
  demand(paths.length === 1, `three reports must be one case, and are ${paths.length}`)
  const { text } = await responder.browser.get(paths[0] ?? '')
  const shown = text.split(`<bdi>${about.package}@${about.version}</bdi>: malware`).length - 1
  demand(shown === 3, `the case must show each of three reports, and shows ${shown}`)
}

/** Chooses on the page what the reporters hear, as a responder does. */
async function demandTold(
  responder: ProbePerson,
  sink: MailSink,
  mailboxes: readonly string[],
): Promise<void> {
  const [path = ''] = await listCasePaths(responder)
  const { text } = await responder.browser.get(path)
  const [, outcome = ''] = /name="outcome" value="(\w+)"/.exec(text) ?? []
  const closed = await responder.browser.post(path, { words: 'the probe looked', outcome })
  demand(closed.status === 303, `a responder must be able to close the case: ${closed.status}`)
  for (const email of mailboxes) {
    const letter = await sink.find(email, /^How your report/, /you were right/)
    demand(letter !== undefined, `${email} must hear how the report ended, that it was right`)
  }
}
