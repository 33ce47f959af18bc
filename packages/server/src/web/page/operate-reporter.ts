// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import { listReporters, markReporter, type NamedReporter } from '../../flow/index.ts'
import { weightOf } from '../../incident/index.ts'
import { leadTo } from '../answer.ts'
import { getStaff, hasRole, type PageContext } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { field } from '../part/field.ts'
import { asNotice, problemNotice } from '../part/notice.ts'
import { operateHead } from './operate-tab.ts'

/** Who reported, and what became of it: trust is earned, given, and lost. */
export async function reportersPage(c: PageContext): Promise<Response> {
  return show(c)
}

export async function reportersSubmit(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  const posted = await readForm(c)
  try {
    await markReporter(c.env.ports, reader, posted.text('who'), posted.text('act') === 'trust')
  } catch (error) {
    return show(c, asNotice(error))
  }
  return leadTo(c, '/operate/reporters')
}

async function show(c: PageContext, trouble?: Problem): Promise<Response> {
  const reader = getStaff(c)
  const reporters = await listReporters(c.env.ports, reader)
  const mayMark = hasRole(reader, 'responder')
  const main = html`${operateHead(c, 'cases')}
<h2>Reporters</h2>
<p>A trusted reporter’s word on malware closes a package younger than a day, and with a second reporter any version that is neither long out nor much used. Whoever was right in three cases and never wrong is trusted; so is whom a responder marks, until most of what they say is wrong.</p>
${problemNotice(trouble)}
${
  reporters.length === 0
    ? html`<p>Nobody’s reports have ended yet.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Reporter</th><th scope="col">Right</th><th scope="col">Wrong</th><th scope="col">Weight</th><th scope="col">Trust</th><th scope="col"></th></tr></thead><tbody>${reporters.map(each => row(each, mayMark))}</tbody></table></div>`
}
${mayMark ? markForm() : nothing}`
  return sheet(c, { title: 'Reporters', main, trouble })
}

function row(each: NamedReporter, mayMark: boolean): Markup {
  const trust = each.isTrusted ? badge('trusted', 'good', '✓') : each.isMarked ? 'lost' : ''
  const act = each.isMarked ? 'untrust' : 'trust'
  return html`<tr><td>${each.login === '' ? `a mailbox (${each.reporter.slice(-64, -56)}…)` : each.login}</td><td>${each.confirmed}</td><td>${each.dismissed}</td><td>${weightOf(each).toFixed(2)}</td><td>${trust}</td><td>${
    mayMark
      ? html`<form method="post" action="/operate/reporters"><input type="hidden" name="who" value="${each.reporter}"><button class="link" name="act" value="${act}">${act === 'trust' ? 'Trust' : 'Trust no longer'}</button></form>`
      : nothing
  }</td></tr>`
}

function markForm(): Markup {
  return html`<h3>Trust somebody</h3>
<form class="form" method="post" action="/operate/reporters">
<input type="hidden" name="act" value="trust">
${field({ name: 'who', label: 'User name or e-mail address', maxLength: 254 })}
<button type="submit">Trust</button></form>`
}
