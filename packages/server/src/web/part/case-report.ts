// SPDX-License-Identifier: Apache-2.0
import { describeSubject, type listCaseReports } from '../../flow/index.ts'
import { weightOf } from '../../incident/index.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from './badge.ts'
import { radios } from './field.ts'
import { ago } from './format.ts'

/** Reports of a case, with who says so. */
export type CaseReports = Awaited<ReturnType<typeof listCaseReports>>

/** What people reported, each with what they wrote and how much their word weighs. */
export function caseReports(reports: CaseReports, path: string, mayDecide: boolean, now: number): Markup {
  if (reports.length === 0) return nothing
  return html`<h3>Reports</h3>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">By</th><th scope="col">In their words</th><th scope="col">State</th></tr></thead>
<tbody>${reports.map(each => row(each, path, mayDecide, now))}</tbody></table></div>
<p class="small"><a href="/operate/reporters">Reporters and their record</a></p>`
}

function row(each: CaseReports[number], path: string, mayDecide: boolean, now: number): Markup {
  const { by } = each
  const who = by.login === '' ? 'a confirmed mailbox' : by.login
  const trust = by.isTrusted ? badge('trusted', 'good', '✓') : nothing
  return html`<tr><td class="nowrap">${ago(each.madeAt, now)}</td><td><bdi>${describeSubject(each)}</bdi>: ${each.kind}</td><td>${who} ${trust} <span class="small">right ${by.confirmed}, wrong ${by.dismissed}, weight ${weightOf(by).toFixed(2)}</span></td><td><bdi>${each.words}</bdi>${each.evidence === '' ? nothing : html`<br><span class="small"><bdi>${each.evidence}</bdi></span>`}</td><td>${each.state}${
    mayDecide && each.state === 'open'
      ? html`<form method="post" action="${path}"><input type="hidden" name="report" value="${each.id}"><button class="link" name="act" value="dismiss">Dismiss</button></form>`
      : nothing
  }</td></tr>`
}

/** How the open reports end with their case. */
export function outcomeField(reports: CaseReports): Markup {
  if (!reports.some(each => each.state === 'open')) return nothing
  return radios(
    'outcome',
    'Whoever reported hears that they were',
    [
      ['confirmed', 'right'],
      ['dismissed', 'wrong: what only they had closed is let go once a second person agrees'],
      ['closed', 'neither'],
    ],
    'closed',
  )
}
