// SPDX-License-Identifier: Apache-2.0
import {
  type CaseClock,
  type IncidentRecord,
  type Indicator,
  incidentRoles,
  indicatorKinds,
  type Playbook,
} from '../../incident/index.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from './badge.ts'
import { choose, field } from './field.ts'
import { ago, relative } from './format.ts'

/** When a case is to be taken on or over, and whether that is late; in words first. */
export function clockBadge(clock: CaseClock | undefined, now: number): Markup {
  if (clock === undefined) return nothing
  const step = clock.step === 'take' ? 'take on' : 'close'
  return clock.isLate
    ? badge(`${step}: late, due ${relative(clock.dueAt, now)}`, 'bad', '✕')
    : badge(`${step} ${relative(clock.dueAt, now)}`, 'plain', '◷')
}

/** Who leads, who has which part, what is to be done, and what the attacker is known by. */
export function incidentRoom(
  record: IncidentRecord,
  playbooks: readonly Playbook[],
  viewer: string,
  mayWork: boolean,
  now: number,
): Markup {
  const path = `/operate/cases/${record.id}`
  return html`<h3>Who does what</h3>
${who(record, path, viewer, mayWork)}
<h3>Tasks</h3>
${record.tasks.length === 0 ? html`<p>There are none yet.</p>` : html`<ul class="bare tasks">${record.tasks.map(each => task(each, path, mayWork, now))}</ul>`}
${mayWork ? taskForms(record, path, playbooks) : nothing}
<h3>Indicators</h3>
${record.indicators.length === 0 ? html`<p>None are noted.</p>` : html`<ul>${record.indicators.map(each => html`<li>${each.kind}: <code><bdi>${each.value}</bdi></code> <span class="small">${each.by}, ${ago(each.at, now)}</span>${mayWork ? blockForm(record.id, each) : nothing}</li>`)}</ul>`}
${mayWork ? indicatorForm(path) : nothing}`
}

function who(record: IncidentRecord, path: string, viewer: string, mayWork: boolean): Markup {
  return html`<p>${record.lead === '' ? 'Nobody leads it yet.' : html`Led by <strong>${record.lead}</strong>.`} ${record.roles.map(each => html`${each.person}: ${each.role}. `)}</p>
${
  mayWork
    ? html`${record.lead === viewer ? nothing : html`<form method="post" action="${path}"><button name="act" value="take">Take it on</button></form>`}
<details><summary>Change lead, severity or parts</summary>
<form class="form" method="post" action="${path}"><input type="hidden" name="revision" value="${record.revision}">
${choose('severity', 'Severity', [...severities], record.severity)}
${field({ name: 'lead', label: 'Lead', value: record.lead, isOptional: true, hint: 'User name of somebody with a role here.' })}
<button name="act" value="change">Change</button></form>
<form class="form" method="post" action="${path}">
${choose(
  'role',
  'Part',
  incidentRoles.map(each => [each, each] as const),
  incidentRoles[0],
)}
${field({ name: 'login', label: 'User name' })}
<button name="act" value="role">Give it</button></form></details>`
    : nothing
}`
}

const severities = [
  ['critical', 'critical'],
  ['high', 'high'],
  ['moderate', 'moderate'],
  ['low', 'low'],
] as const

function task(each: IncidentRecord['tasks'][number], path: string, mayWork: boolean, now: number): Markup {
  const isDone = each.doneAt !== null
  const state = isDone ? badge('done', 'good', '✓') : badge('open', 'plain', '…')
  const button = mayWork
    ? html`<form method="post" action="${path}"><input type="hidden" name="task" value="${each.ordinal}"><button class="link" name="act" value="${isDone ? 'undone' : 'done'}">${isDone ? 'Again' : 'Done'}</button></form>`
    : nothing
  return html`<li>${state} <bdi>${each.words}</bdi>${each.doneAt === null ? nothing : html` <span class="small">${each.doneBy}, ${ago(each.doneAt, now)}</span>`} ${button}</li>`
}

function taskForms(record: IncidentRecord, path: string, playbooks: readonly Playbook[]): Markup {
  const used = new Set(record.tasks.map(each => each.playbook))
  const left = playbooks.filter(each => !used.has(each.name))
  return html`<details><summary>Add tasks</summary>
<form class="form" method="post" action="${path}">${choose(
    'playbook',
    'Playbook',
    left.map(each => [each.name, `${each.title} (${each.tasks.length} tasks)`] as const),
    left[0]?.name ?? '',
  )}<button name="act" value="playbook">Add its tasks</button></form>
<form class="form" method="post" action="${path}">${field({ name: 'new-task', label: 'A task of its own', maxLength: 300 })}<button name="act" value="task">Add</button></form></details>`
}

/** To the page of measures, which shows first what it closes. */
function blockForm(incident: string, { kind, value }: Indicator): Markup {
  const isTarball = kind === 'hash' && !/^[0-9a-f]{64}$/i.test(value)
  return html` <form class="inline" method="post" action="/operate/measures"><input type="hidden" name="kind" value="block"><input type="hidden" name="reason" value="malware"><input type="hidden" name="incident" value="${incident}"><input type="hidden" name="${isTarball ? 'hash' : 'indicator'}" value="${value}"><button class="link" name="act" value="preview">Block it</button></form>`
}

function indicatorForm(path: string): Markup {
  return html`<details><summary>Note an indicator</summary><form class="form" method="post" action="${path}">
${choose(
  'of',
  'Kind',
  indicatorKinds.map(each => [each, each] as const),
  indicatorKinds[0],
)}
${field({ name: 'value', label: 'Value', maxLength: 500 })}
<button name="act" value="indicator">Note it</button></form></details>`
}

/** A line for the timeline, and the record to take away. */
export function noteForm(path: string): Markup {
  return html`<form class="form" method="post" action="${path}">${field({ name: 'note', label: 'Add a note', maxLength: 2000 })}<button name="act" value="note">Note it</button></form>`
}
