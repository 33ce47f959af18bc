// SPDX-License-Identifier: Apache-2.0
import { type Problem, parsePackageName } from '@holdfast/core'
import { listOwnersAtRisk, markCritical, type OwnersAtRisk, unmarkCritical } from '../../flow/index.ts'
import type { CriticalPackage } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getHolder, getOperator, type PageContext } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { field } from '../part/field.ts'
import { day } from '../part/format.ts'
import { packagePath } from '../part/link.ts'
import { asNotice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

/** Packages whose owners are alone, without a second factor, or gone quiet. */
export async function riskPage(c: PageContext): Promise<Response> {
  const operator = getOperator(c)
  const { risks, next } = await listOwnersAtRisk(c.env.ports, operator, c.env.call.query.get('after') ?? '')
  const main = html`${operateHead(c, 'risk')}
<p>Packages that one person could lose, or a thief take: a single owner, an owner without a second factor, an owner who was not seen for half a year.</p>
${risks.length === 0 ? html`<p>None ${next === undefined ? '' : 'on this page'}.</p>` : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Package</th><th scope="col">Why</th></tr></thead><tbody>${risks.map(riskRow)}</tbody></table></div>`}
${next === undefined ? nothing : html`<p><a rel="next" href="/operate/risk?after=${encodeURIComponent(next)}">More →</a></p>`}`
  return sheet(c, { title: 'Owners at risk', main })
}

function riskRow(each: OwnersAtRisk): Markup {
  return html`<tr><td><a href="${packagePath(each.package)}">${each.package}</a></td><td><ul class="bare">${each.reasons.map(reason => html`<li>${reason}</li>`)}</ul></td></tr>`
}

/** Critical packages, for operators and responders. */
export async function criticalPage(c: PageContext): Promise<Response> {
  checkFresh(c, getHolder(c, 'operator', 'responder'))
  return critical(c)
}

export async function criticalSubmit(c: PageContext): Promise<Response> {
  checkFresh(c, getHolder(c, 'operator', 'responder'))
  const { ports, call } = c.env
  const posted = await readForm(c)
  try {
    const name = parsePackageName(posted.text('name'))
    if (posted.text('act') === 'remove') await unmarkCritical(ports, call.actor, name)
    else await markCritical(ports, call.actor, name, posted.text('why'))
  } catch (error) {
    return critical(c, asNotice(error))
  }
  return leadTo(c, '/operate/critical')
}

async function critical(c: PageContext, trouble?: Problem): Promise<Response> {
  const listed = await c.env.ports.store.identity.listCritical()
  const main = html`${operateHead(c, 'critical')}
<p>Only accounts with a passkey change these. The top 1 % by downloads of 90 days or by dependents join by themselves, with seven days’ notice; what you mark joins at once.</p>
${
  listed.length === 0
    ? html`<p>There are none yet.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Package</th><th scope="col">Why</th><th scope="col">From</th><th scope="col"><span class="unseen">Action</span></th></tr></thead><tbody>${listed.map(criticalRow)}</tbody></table></div>`
}
<h2>Mark</h2>
${problemNotice(trouble)}
<form class="form" method="post" action="/operate/critical">
${field({ name: 'name', label: 'Package', maxLength: 214 })}
${field({ name: 'why', label: 'Why', maxLength: 200, hint: 'Its maintainers read this.' })}
<button type="submit" name="act" value="add">Mark as critical</button></form>`
  return sheet(c, { title: 'Critical packages', main, status: trouble?.status ?? 200 })
}

function criticalRow(each: CriticalPackage): Markup {
  const remove = html`<form method="post" action="/operate/critical"><input type="hidden" name="name" value="${each.package}"><button class="link" type="submit" name="act" value="remove" aria-label="Remove the mark of ${each.package}">Remove</button></form>`
  return html`<tr><td><a href="${packagePath(each.package)}">${each.package}</a></td><td><bdi>${each.why}</bdi></td><td class="nowrap">${day(each.bindsAt)}</td><td>${each.source === 'marked' ? remove : 'computed'}</td></tr>`
}
