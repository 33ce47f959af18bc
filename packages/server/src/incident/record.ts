// SPDX-License-Identifier: Apache-2.0
/** All of an incident in one document, for those who were not there. */
import type { IncidentCase } from './case.ts'
import type { ReportKind, ReportState } from './report.ts'
import type { IncidentRoom } from './room.ts'

/** One moment of an incident: what somebody noted, or an event of a package that it is about. */
export interface TimelineEntry {
  readonly at: number
  readonly by: string
  readonly kind: 'note' | 'event' | 'report'
  readonly words: string
}

/** The record of an incident; names of people in place of their ids. */
export interface IncidentRecord {
  readonly format: 'holdfast-incident/1'
  readonly id: string
  readonly title: string
  readonly kind: string
  readonly state: string
  readonly severity: string
  readonly openedAt: number
  readonly openedBy: string
  readonly lead: string
  readonly takenAt: number | null
  readonly revision: number
  readonly subjects: IncidentCase['subjects']
  readonly roles: IncidentRoom['roles']
  readonly tasks: IncidentRoom['tasks']
  readonly indicators: IncidentRoom['indicators']
  /** Without those who made them. */
  readonly reports: readonly {
    readonly id: string
    readonly kind: ReportKind
    readonly state: ReportState
    readonly madeAt: number
  }[]
  readonly timeline: readonly TimelineEntry[]
}

/** The record as Markdown; what people wrote cannot become markup of it. */
export function formatRecord(record: IncidentRecord): string {
  const time = (at: number) => new Date(at).toISOString()
  const lines = [
    `# ${plain(record.title)}`,
    '',
    `${record.id}, ${record.kind}, severity ${record.severity}, ${record.state}. Opened ${time(record.openedAt)} by ${plain(record.openedBy)}.`,
    record.takenAt === null
      ? 'Nobody has taken it on.'
      : `Taken on ${time(record.takenAt)}, led by ${plain(record.lead)}.`,
    ...section(
      'About',
      record.subjects,
      each => `${each.package}${each.version === '' ? '' : `@${each.version}`}`,
    ),
    ...section('Roles', record.roles, each => `${each.role}: ${each.person}`),
    ...section('Indicators', record.indicators, each => `${each.kind}: ${each.value}`),
    ...section('Reports', record.reports, each => `${time(each.madeAt)} ${each.kind}: ${each.state}`),
    ...section('Tasks', record.tasks, each =>
      each.doneAt === null
        ? `open: ${each.words}`
        : `done ${time(each.doneAt)} by ${each.doneBy}: ${each.words}`,
    ),
    ...section('What happened', record.timeline, each => `${time(each.at)} ${each.by}: ${each.words}`),
  ]
  return `${lines.join('\n')}\n`
}

function section<T>(title: string, all: readonly T[], line: (each: T) => string): string[] {
  return all.length === 0 ? [] : ['', `## ${title}`, '', ...all.map(each => `- ${plain(line(each))}`)]
}

function plain(words: string): string {
  return words.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>#|!]/g, '\\$&')
}
