// SPDX-License-Identifier: Apache-2.0
/** Reports that weigh enough close what they are about, without a person; a breaker keeps them off what many rely on. */
import { isProblem, type PackageName, type Version } from '@holdfast/core'
import { authorize } from '../identity/index.ts'
import { isTrusted, judgeReports, type Report } from '../incident/index.ts'
import type { Ports } from '../ports.ts'
import { whyEstablished } from './advisory-breaker.ts'
import { openCase } from './case.ts'
import { takeMeasure } from './respond.ts'
import { findKept } from './view.ts'

const reports = { kind: 'system', id: 'reports' } as const
const dayMs = 24 * 3600_000
/** Stolen accounts of trusted reporters close no more than this in a day. */
const packagesADay = 10

/** Weighs the open reports that are about the same as this one, and quarantines where the rule says so; the case tells which it was. */
export async function weighReports(ports: Ports, report: Report): Promise<void> {
  if (report.package === '' || report.kind !== 'malware') return
  const found = await findKept(ports, report.package).catch(refusal => {
    if (!isProblem(refusal)) throw refusal
    return undefined
  })
  if (found === undefined) return
  const isYoung = found.createdAt > ports.clock() - dayMs
  const named = found.kept.filter(each => each.version === report.version)
  const asked = report.version === '' && isYoung ? found.kept : named
  const open = asked.filter(each => ['pending', 'live', 'yanked', 'held'].includes(each.status))
  const reporters = await listReporters(ports, report)
  for (const each of open) {
    const breaker = (await whyEstablished(ports, report.package, each)) || (await whySpent(ports))
    const verdict = judgeReports({ kind: 'malware', reporters, isYoung, breaker })
    if (verdict.closes) await close(ports, report, each.version, verdict.why)
    else await note(ports, report, each.version, `${each.version} stays as it is: ${verdict.why}`)
  }
}

/** Each once, of those who say that this very version is malware. */
async function listReporters(ports: Ports, { incident, version }: Report) {
  const all = await ports.store.reports.ofCase(incident)
  const same = all.filter(
    each =>
      each.state === 'open' && each.kind === 'malware' && (each.version === version || each.version === ''),
  )
  const names = [...new Set(same.map(each => each.reporter))]
  return Promise.all(
    names.map(async each => ({ isTrusted: isTrusted(await ports.store.reports.record(each)) })),
  )
}

/** Why nothing more is closed by reports today; empty while it may be. */
async function whySpent({ store, clock }: Ports): Promise<string> {
  const query = { type: 'quarantine', actorId: reports.id, since: clock() - dayMs } as const
  const events = await store.events.search(query, Number.MAX_SAFE_INTEGER, 5000)
  const closed = new Set(events.map(event => event.pkg)).size
  return closed >= packagesADay ? `reports closed ${closed} packages in a day` : ''
}

async function close(ports: Ports, report: Report, version: Version, why: string): Promise<void> {
  const name = report.package as PackageName
  const words = 'people report that it is malware; a responder looks at it'
  await takeMeasure(ports, reports, 'quarantine', { name, version }, { code: 'malware', words }).catch(
    // Somebody else closed it a moment ago.
    refusal => {
      if (!isProblem(refusal) || refusal.code !== 'wrong-status') throw refusal
    },
  )
  // A crash here leaves it closed, with its event, and the case without this line.
  await note(ports, report, version, `${version} was quarantined by itself: ${why}`)
}

async function note(ports: Ports, report: Report, version: Version, words: string): Promise<void> {
  const grant = await authorize(ports, reports, 'version:contain', '')
  const found = await ports.store.incident.findCase(report.incident)
  if (found === undefined || found.state === 'closed') return
  const { kind, title, severity } = found
  const subjects = [{ package: report.package as PackageName, version }]
  await ports.store.commit(grant, [], async tx => {
    await openCase(tx, reports.id, ports.clock(), { kind, title, severity, subjects, words })
  })
}
