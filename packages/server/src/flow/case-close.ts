// SPDX-License-Identifier: Apache-2.0
/** How a case ends: with words, with an answer to everybody who reported, and without measures that nothing speaks for. */
import { type PackageName, problem, type Version } from '@holdfast/core'
import { type Actor, actorId, authorize } from '../identity/index.ts'
import type { Report, ReportOutcome } from '../incident/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { letGoProven, listClosedSubjects } from './let-go.ts'
import { addLetters, hostOf } from './letter.ts'
import { provePresence } from './presence.ts'
import { describeSubject } from './report.ts'

const wordsLength = 2000

/**
 * A person has seen to it, and says how it ended; whoever reported hears it. That reports were wrong opens what they alone had
 * closed, so two people say it: the first one asks, and the case stays open. Throws `not-found`, `measure-needs-second`; closing
 * twice changes nothing.
 */
export async function closeCase(
  ports: Ports,
  actor: Actor,
  id: string,
  words: string,
  outcome: ReportOutcome = 'closed',
): Promise<'asked' | 'closed'> {
  const grant = await authorize(ports, actor, 'incident:close', '')
  await provePresence(ports, grant)
  const said = words.replaceAll('\0', '').toWellFormed().trim().slice(0, wordsLength) || outcome
  if (outcome === 'dismissed' && (await letReportedGo(ports, actor, id, said)) === 'asked') return 'asked'
  const reports = await ports.store.reports.ofCase(id)
  await ports.store.commit(grant, [], async tx => {
    await tx.incident.holdCases()
    const known = await tx.incident.findCase(id)
    if (known === undefined) throw problem('not-found')
    if (known.state === 'closed') return
    const { kind, severity, title } = known
    await tx.incident.setCaseState(id, 'closed')
    await tx.incident.addCaseNote(id, { at: ports.clock(), by: actorId(actor), words: said })
    tx.record({ type: 'case', detail: { op: 'close', case: id, kind, severity, title, why: said, outcome } })
    for (const each of reports) await settle(tx, ports, each, outcome)
  })
  return 'closed'
}

/** One report is wrong, whatever the others of its case are. Throws `not-found`. */
export async function dismissReport(ports: Ports, actor: Actor, id: string): Promise<void> {
  const grant = await authorize(ports, actor, 'incident:close', '')
  await provePresence(ports, grant)
  const found = await ports.store.reports.find(id)
  if (found === undefined) throw problem('not-found')
  await ports.store.commit(grant, [], tx => settle(tx, ports, found, 'dismissed'))
}

async function settle(tx: Tx, ports: Ports, report: Report, outcome: ReportOutcome): Promise<void> {
  if (!(await tx.reports.settle(report.id, outcome))) return
  tx.record({ type: 'report', detail: { op: outcome, report: report.id, case: report.incident } })
  const { publicUrl } = ports.config
  const what = describeSubject(report)
  const lines = [
    `You reported ${what} on ${publicUrl}.`,
    '',
    told[outcome],
    '',
    ...(report.package === '' ? [] : [`${publicUrl}/package/npm/${report.package}`]),
  ]
  const to = await mailboxOf(tx, report)
  await addLetters(tx, [to], `How your report of ${what} ended – ${hostOf(publicUrl)}`, lines)
}

const told: Readonly<Record<ReportOutcome, string>> = {
  confirmed: 'A responder looked at it, and you were right. Thank you: your next report weighs more.',
  dismissed: 'A responder looked at it and found nothing wrong.',
  closed: 'A responder looked at it, and the case is closed.',
}

async function mailboxOf(tx: Tx, { reporter, mailbox }: Report): Promise<string> {
  const [kind, id = ''] = reporter.split(' ')
  if (kind !== 'account') return mailbox
  const account = await tx.identity.findAccount(id)
  return account?.disabledAt === null ? account.email : ''
}

/** Asks that what nobody but reports had closed be let go; what others asked for already opens. */
async function letReportedGo(
  ports: Ports,
  actor: Actor,
  id: string,
  words: string,
): Promise<'asked' | 'released'> {
  const found = await ports.store.incident.findCase(id)
  if (found === undefined) throw problem('not-found')
  if (found.state === 'closed') return 'released'
  let outcome: 'asked' | 'released' = 'released'
  for (const { package: name, version, isOfMeasure } of await listClosedSubjects(ports, found))
    if (!isOfMeasure && (await isByReports(ports, name, version)))
      if ((await letGoProven(ports, actor, id, { name, version }, words)) === 'asked') outcome = 'asked'
  return outcome
}

async function isByReports({ store }: Ports, name: PackageName, version: Version): Promise<boolean> {
  const events = await store.events.ofPackage(name)
  const last = events.findLast(
    each => each.ver === version && (each.type === 'quarantine' || each.type === 'release'),
  )
  return last?.type === 'quarantine' && last.actorId === 'reports'
}
