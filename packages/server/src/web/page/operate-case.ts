// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'
import {
  actOnIncident,
  adviseFromCase,
  closeCase,
  dismissReport,
  type IncidentAct,
  type ListedIncident,
  listCaseReports,
  listIncidents,
  listPlaybooks,
  openByHand,
  parseSubject,
  readCase,
  readIncident,
  readSubmission,
  withdrawFromCase,
} from '../../flow/index.ts'
import {
  type CaseKind,
  type CaseState,
  type CaseSummary,
  clockOf,
  formatRecord,
  type IncidentCase,
  incidentRoles,
  indicatorKinds,
  type ReportOutcome,
} from '../../incident/index.ts'
import { leadTo } from '../answer.ts'
import { getStaff, hasRole, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, type Tone } from '../part/badge.ts'
import { actOnMeasure, caseMeasures, listOfCase } from '../part/case-measure.ts'
import { type CaseReports, caseReports, outcomeField } from '../part/case-report.ts'
import { area, choose, field } from '../part/field.ts'
import { ago, plural } from '../part/format.ts'
import { holderTable } from '../part/holder.ts'
import { clockBadge, incidentRoom, noteForm } from '../part/incident-room.ts'
import { packagePath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { timeline } from '../part/timeline.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

const casesShown = 500
const subjectsShown = 100
const grades = ['critical', 'high', 'moderate', 'low'] as const

const kinds: Readonly<Record<CaseKind, string>> = {
  takedown: 'withdrawn upstream',
  'upstream-fault': 'upstream at fault',
  'private-name': 'private name upstream',
  malware: 'malware',
  'feed-silent': 'feed of advisories is silent',
  'feed-entry': 'entry of a feed waits',
  report: 'reported by people',
  'by-hand': 'opened by a responder',
  'hold-undecided': 'Nobody decided',
}
const states: Readonly<Record<CaseState, readonly [Tone, string]>> = {
  draft: ['warn', '!'],
  open: ['warn', '…'],
  closed: ['plain', '✓'],
}
const severities: Readonly<Record<CaseSummary['severity'], readonly [Tone, string]>> = {
  low: ['plain', ''],
  moderate: ['plain', ''],
  high: ['warn', '!'],
  critical: ['bad', '✕'],
}

/** The inbox of those who respond: what is due next comes first. */
export async function casesPage(c: PageContext): Promise<Response> {
  return showCases(c)
}

/** A responder opens a case by hand. */
export async function casesSubmit(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  const posted = await readForm(c)
  try {
    const severity = pick(grades, posted.text('severity'))
    const subject = parseSubject(posted.text('subject'))
    const id = await openByHand(c.env.ports, reader, { title: posted.text('title'), severity, subject })
    return leadTo(c, `/operate/cases/${id}`)
  } catch (error) {
    return showCases(c, asNotice(error))
  }
}

async function showCases(c: PageContext, trouble?: Problem): Promise<Response> {
  const reader = getStaff(c)
  const cases = await listIncidents(c.env.ports, reader, casesShown)
  const now = c.env.ports.clock()
  const late = cases.filter(each => each.clock?.isLate === true).length
  const main = html`${operateHead(c, 'cases')}
<p>What went wrong and what was done; what is due soonest stands first. A draft was opened by this registry itself, or by people’s reports, and waits for somebody to take it on. <a href="/operate/reporters">Reporters</a></p>
${problemNotice(trouble)}
${late === 0 ? nothing : notice('bad', `${plural(late, 'case')} ${late === 1 ? 'is' : 'are'} late`)}
${
  cases.length === 0
    ? html`<p>There are none.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Case</th><th scope="col">What</th><th scope="col">How bad</th><th scope="col">State</th><th scope="col">Due</th><th scope="col">Lead</th><th scope="col">Reports</th><th scope="col">Versions</th><th scope="col">Opened</th></tr></thead><tbody>${cases.map(each => caseRow(each, now))}</tbody></table></div>`
}
${hasRole(reader, 'responder') ? openForm() : nothing}`
  return sheet(c, { title: 'Cases', main, trouble })
}

function openForm(): Markup {
  return html`<details><summary>Open a case</summary><form class="form" method="post" action="/operate/cases">
${field({ name: 'title', label: 'What happened', maxLength: 300 })}
${choose(
  'severity',
  'How bad',
  grades.map(each => [each, each] as const),
  'high',
)}
${field({ name: 'subject', label: 'About', isOptional: true, maxLength: 400, hint: 'A package, or one version of it: name@1.2.3. Where it has an open case, that one is added to.' })}
<button type="submit">Open it and lead it</button></form></details>`
}

function caseRow(each: ListedIncident, now: number): Markup {
  return html`<tr><td><a href="/operate/cases/${each.id}"><bdi>${each.title}</bdi></a></td><td>${kinds[each.kind]}</td><td>${badge(each.severity, ...severities[each.severity])}</td><td>${badge(each.state, ...states[each.state])}</td><td>${clockBadge(each.clock, now)}</td><td>${each.lead}</td><td>${each.openReports}</td><td>${each.subjectCount}</td><td class="nowrap">${ago(each.openedAt, now)}</td></tr>`
}

/** One case: what it is about, what happened in order, and who fetched the bytes. */
export async function casePage(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  // Whoever may close it is asked for a fresh proof before they write, not after.
  if (hasRole(reader, 'responder')) checkFresh(c, reader)
  return show(c, reader)
}

/** A responder says how it ended. */
export async function caseSubmit(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  const posted = await readForm(c)
  const id = c.req.param('id') ?? ''
  try {
    await act(c, reader, id, posted)
  } catch (error) {
    return show(c, reader, asNotice(error))
  }
  return leadTo(c, `/operate/cases/${id}`)
}

async function act(c: PageContext, reader: Visitor, id: string, posted: Form): Promise<void> {
  const { ports } = c.env
  const done = posted.text('act')
  if (done === 'dismiss') return dismissReport(ports, reader, posted.text('report'))
  if (await actOnMeasure(ports, reader, id, posted)) return
  if (done === 'advise') return adviseFromCase(ports, reader, id, posted.text('advice'))
  if (done === 'withdraw') return withdrawFromCase(ports, reader, id, posted.text('advice'))
  const work = workOf(done, posted)
  if (work !== undefined) return actOnIncident(ports, reader, id, work)
  await closeCase(ports, reader, id, posted.text('words'), outcomeOf(posted.text('outcome')))
}

function workOf(done: string, posted: Form): IncidentAct | undefined {
  switch (done) {
    case 'take':
      return { kind: 'take' }
    case 'note':
      return { kind: 'note', words: posted.text('note') }
    case 'task':
      return { kind: 'task', words: posted.text('new-task') }
    case 'change': {
      const severity = pick(grades, posted.text('severity'))
      return {
        kind: 'change',
        revision: Number(posted.text('revision')),
        severity,
        lead: posted.text('lead'),
      }
    }
    case 'role': {
      const role = pick(incidentRoles, posted.text('role'))
      return { kind: 'role', role, login: posted.text('login'), isGiven: true }
    }
    case 'playbook':
      return { kind: 'playbook', name: posted.text('playbook') }
    case 'subject': {
      const subject = parseSubject(posted.text('subject'))
      if (subject === undefined) throw problem('invalid-body', { why: 'it names no package' })
      return { kind: 'subject', subject }
    }
    case 'done':
    case 'undone':
      return { kind: 'done', ordinal: Number(posted.text('task')), isDone: done === 'done' }
    case 'indicator':
      return {
        kind: 'indicator',
        of: pick(indicatorKinds, posted.text('of')),
        value: posted.text('value'),
      }
    default:
      return undefined
  }
}

function pick<T extends string>(all: readonly T[], said: string): T {
  const found = all.find(each => each === said)
  if (found === undefined) throw problem('invalid-body', { why: 'the choice is none of those there are' })
  return found
}

function outcomeOf(said: string): ReportOutcome {
  return said === 'confirmed' || said === 'dismissed' ? said : 'closed'
}

async function show(c: PageContext, reader: Visitor, trouble?: Problem): Promise<Response> {
  const { found, fetches, holders, isCut, quarantined } = await readCase(
    c.env.ports,
    reader,
    c.req.param('id') ?? '',
  )
  const reports = await listCaseReports(c.env.ports, reader, found.id)
  const record = await readIncident(c.env.ports, reader, found.id)
  const measures = await listOfCase(c.env.ports, reader, found.id)
  const path = `/operate/cases/${found.id}`
  const mayDecide = hasRole(reader, 'responder') && found.state !== 'closed'
  const now = c.env.ports.clock()
  const main = html`${operateHead(c, 'cases')}
<h2><bdi>${found.title}</bdi></h2>
<p>${badge(found.severity, ...severities[found.severity])} ${badge(found.state, ...states[found.state])} ${kinds[found.kind]}, opened ${ago(found.openedAt, now)} by ${record.openedBy} ${clockBadge(clockOf(found, now), now)}</p>
${problemNotice(trouble)}
${incidentRoom(record, await listPlaybooks(), reader.login, mayDecide, now)}
<h3>About</h3>
${subjectList(found, mayDecide)}
${caseMeasures(record, measures, quarantined, reader.login, hasRole(reader, 'responder'), now)}
<h3>What happened</h3>
${timeline(record.timeline, now)}
${mayDecide ? noteForm(path) : nothing}
<p class="small"><a href="${path}/record.json">Record as JSON</a>, <a href="${path}/record.md">as Markdown</a></p>
${caseReports(reports, path, mayDecide, now)}
<h3>Who fetched it</h3>
${hasRole(reader, 'responder') ? html`<p><a href="${path}/blast">Blast radius: who has it, what contains it, and telling them</a></p>` : nothing}
${fetches === 0 ? html`<p>Nobody fetched it here, as far as the records go.</p>` : html`<p>Fetched ${plural(fetches, 'time')}.${hasRole(reader, 'responder') ? '' : ' Who did is for those who respond.'}</p>`}
${holders.length === 0 ? nothing : html`${holderTable(holders, now)}${isCut ? html`<p>There are more.</p>` : nothing}`}
${hasRole(reader, 'responder') ? adviceForm(found.id) : nothing}
${mayDecide ? closeForm(found.id, reports) : nothing}`
  return sheet(c, { title: found.title, main, status: trouble?.status ?? 200 })
}

function adviceForm(id: string): Markup {
  return html`<h3>Tell everybody</h3>
<form class="form" method="post" action="/operate/cases/${id}">
${area('advice', 'What it does, or why it is taken back', 'Everybody reads it: in the advisory, the log, letters to those who watch the package. Only quarantined versions are named.')}
<button name="act" value="advise">Publish as malware</button> <button class="plain" name="act" value="withdraw">Withdraw the advisory</button></form>
<p class="small"><a href="/operate/cases/${id}/submission.zip">Files for the public collection of malicious packages, and for a CVE</a>, once it is published</p>`
}

function closeForm(id: string, reports: CaseReports): Markup {
  return html`<h3>Close</h3>
<form class="form" method="post" action="/operate/cases/${id}">
${area('words', 'How it ended', html`What was found and done. Versions stay as they are until somebody lets them go.`, '', 3)}
${outcomeField(reports)}
<button type="submit">Close the case</button></form>`
}

function subjectList({ id, subjects }: IncidentCase, mayAdd: boolean): Markup {
  const more = subjects.length - subjectsShown
  return html`<ul>${subjects.slice(0, subjectsShown).map(subject)}</ul>
${more > 0 ? html`<p>And ${more} more, which the record lists.</p>` : nothing}
${
  mayAdd
    ? html`<details><summary>Add what it is also about</summary><form class="form" method="post" action="/operate/cases/${id}">${field({ name: 'subject', label: 'Package, or one version of it', maxLength: 400, hint: 'name or name@1.2.3' })}<button name="act" value="subject">Add it</button></form></details>`
    : nothing
}`
}

function subject({ package: name, version }: IncidentCase['subjects'][number]): Markup {
  return html`<li><a href="${packagePath(name)}">${name}</a>${version === '' ? '' : `@${version}`}</li>`
}

/** The record of an incident as a file, for who was not there. */
export async function caseRecord(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  const record = await readIncident(c.env.ports, reader, c.req.param('id') ?? '')
  const isJson = c.req.path.endsWith('.json')
  const type = isJson ? 'application/json' : 'text/markdown'
  const headers = {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
    'content-disposition': `attachment; filename="${record.id}.${isJson ? 'json' : 'md'}"`,
    'x-content-type-options': 'nosniff',
  }
  return new Response(isJson ? `${JSON.stringify(record, undefined, 2)}\n` : formatRecord(record), {
    headers,
  })
}

/** The files for the public collection of malicious packages and for a CVE, as a zip. */
export async function caseSubmission(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  const id = c.req.param('id') ?? ''
  const files = await readSubmission(c.env.ports, reader, id)
  const { strToU8, zipSync } = await import('fflate')
  const packed = zipSync(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [path, strToU8(text)])),
  )
  const headers = {
    'content-type': 'application/zip',
    'cache-control': 'no-store',
    'content-disposition': `attachment; filename="${/^[\w-]{1,40}$/.exec(id)?.[0] ?? 'case'}-submission.zip"`,
    'x-content-type-options': 'nosniff',
  }
  return new Response(new Uint8Array(packed), { headers })
}
