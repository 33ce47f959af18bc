// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'
import {
  closeCase,
  dismissReport,
  type Exposure,
  listCaseReports,
  listCases,
  readCase,
} from '../../flow/index.ts'
import type { CaseKind, CaseState, CaseSummary, IncidentCase, ReportOutcome } from '../../incident/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, hasRole, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, type Tone } from '../part/badge.ts'
import { type CaseReports, caseReports, outcomeField } from '../part/case-report.ts'
import { area } from '../part/field.ts'
import { ago, plural } from '../part/format.ts'
import { packagePath } from '../part/link.ts'
import { asNotice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

const casesShown = 50

const kinds: Readonly<Record<CaseKind, string>> = {
  takedown: 'withdrawn upstream',
  'upstream-fault': 'upstream at fault',
  'private-name': 'private name upstream',
  malware: 'malware',
  'feed-silent': 'feed of advisories is silent',
  'feed-entry': 'entry of a feed waits',
  report: 'reported by people',
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

/** What went wrong, newest first. */
export async function casesPage(c: PageContext): Promise<Response> {
  const reader = getCaseReader(c)
  const before = Number(
    /^\d{1,15}$/.exec(c.env.call.query.get('before') ?? '')?.[0] ?? Number.MAX_SAFE_INTEGER,
  )
  const cases = await listCases(c.env.ports, reader, before, casesShown)
  const last = cases.at(-1)
  const now = c.env.ports.clock()
  const main = html`${operateHead(c, 'cases')}
<p>What went wrong and what was done. A draft was opened by this registry itself: it has contained what it names, and waits for somebody to look.</p>
${
  cases.length === 0
    ? html`<p>There are none.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Case</th><th scope="col">What</th><th scope="col">How bad</th><th scope="col">State</th><th scope="col">Versions</th><th scope="col">Opened</th></tr></thead><tbody>${cases.map(each => caseRow(each, now))}</tbody></table></div>`
}
${cases.length === casesShown && last !== undefined ? html`<p><a rel="next" href="/operate/cases?before=${last.openedAt}">Older →</a></p>` : nothing}`
  return sheet(c, { title: 'Cases', main })
}

function caseRow(each: CaseSummary, now: number): Markup {
  return html`<tr><td><a href="/operate/cases/${each.id}"><bdi>${each.title}</bdi></a></td><td>${kinds[each.kind]}</td><td>${badge(each.severity, ...severities[each.severity])}</td><td>${badge(each.state, ...states[each.state])}</td><td>${each.subjectCount}</td><td class="nowrap">${ago(each.openedAt, now)}</td></tr>`
}

/** One case: what it is about, what happened in order, and who fetched the bytes. */
export async function casePage(c: PageContext): Promise<Response> {
  const reader = getCaseReader(c)
  // Whoever may close it is asked for a fresh proof before they write, not after.
  if (hasRole(reader, 'responder')) checkFresh(c, reader)
  return show(c, reader)
}

/** A responder says how it ended. */
export async function caseSubmit(c: PageContext): Promise<Response> {
  const reader = getCaseReader(c)
  const posted = await readForm(c)
  const id = c.req.param('id') ?? ''
  try {
    if (posted.text('act') === 'dismiss') await dismissReport(c.env.ports, reader, posted.text('report'))
    else await closeCase(c.env.ports, reader, id, posted.text('words'), outcomeOf(posted.text('outcome')))
  } catch (error) {
    return show(c, reader, asNotice(error))
  }
  return leadTo(c, `/operate/cases/${id}`)
}

function outcomeOf(said: string): ReportOutcome {
  return said === 'confirmed' || said === 'dismissed' ? said : 'closed'
}

async function show(c: PageContext, reader: Visitor, trouble?: Problem): Promise<Response> {
  const { found, exposed, isCut } = await readCase(c.env.ports, reader, c.req.param('id') ?? '')
  const reports = await listCaseReports(c.env.ports, reader, found.id)
  const mayDecide = hasRole(reader, 'responder') && found.state !== 'closed'
  const now = c.env.ports.clock()
  const main = html`${operateHead(c, 'cases')}
<h2><bdi>${found.title}</bdi></h2>
<p>${badge(found.severity, ...severities[found.severity])} ${badge(found.state, ...states[found.state])} ${kinds[found.kind]}, opened ${ago(found.openedAt, now)} by ${found.openedBy}</p>
<h3>About</h3>
<ul>${found.subjects.map(subject)}</ul>
<h3>What happened</h3>
<ol>${found.timeline.map(({ at, by, words }) => html`<li>${ago(at, now)}, ${by}: <bdi>${words}</bdi></li>`)}</ol>
${caseReports(reports, `/operate/cases/${found.id}`, mayDecide, now)}
<h3>Who fetched it</h3>
${exposed.length === 0 ? html`<p>Nobody fetched it here, as far as the records of 90 days go.</p>` : exposure(exposed, isCut, now)}
${problemNotice(trouble)}
${mayDecide ? closeForm(found.id, reports) : nothing}`
  return sheet(c, { title: found.title, main, status: trouble?.status ?? 200 })
}

function closeForm(id: string, reports: CaseReports): Markup {
  return html`<h3>Close</h3>
<form class="form" method="post" action="/operate/cases/${id}">
${area('words', 'How it ended', html`What was found and done. Versions stay as they are; <code>holdfast operator release</code> lets one go.`, '', 3)}
${outcomeField(reports)}
<button type="submit">Close the case</button></form>`
}

function subject({ package: name, version }: IncidentCase['subjects'][number]): Markup {
  return html`<li><a href="${packagePath(name)}">${name}</a>${version === '' ? '' : `@${version}`}</li>`
}

function exposure(exposed: readonly Exposure[], isCut: boolean, now: number): Markup {
  const addresses = new Set(exposed.map(each => each.address)).size
  return html`<p>${plural(addresses, 'address', 'addresses')}${isCut ? html`, and more: the newest ${exposed.length} records are shown` : nothing}.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Version</th><th scope="col">Who</th><th scope="col">Address</th><th scope="col">Client</th><th scope="col">Times</th><th scope="col">Last</th></tr></thead>
<tbody>${exposed.map(each => exposureRow(each, now))}</tbody></table></div>`
}

function exposureRow(each: Exposure, now: number): Markup {
  const who = each.login === '' ? each.accountId || 'nobody signed in' : each.login
  return html`<tr><td>${each.package}@${each.version}</td><td>${who}</td><td class="nowrap">${each.address}</td><td><bdi>${each.client.slice(0, 80)}</bdi></td><td>${each.count}</td><td class="nowrap">${ago(each.lastAt, now)}</td></tr>`
}

/** To everybody else the page does not exist. */
export function getCaseReader(c: PageContext): Visitor {
  const visitor = getVisitor(c)
  if (!(['operator', 'responder', 'auditor'] as const).some(role => hasRole(visitor, role)))
    throw problem('not-found')
  return visitor
}
