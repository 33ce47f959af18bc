// SPDX-License-Identifier: Apache-2.0
/** Operators enter security reviews, and keep their findings current. */
import { type Problem, problem } from '@holdfast/core'
import { formatFindings, parseReview, type Review, reviewState } from '../../community/index.ts'
import { listReviews, setReview } from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getOperator, type PageContext } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { field } from '../part/field.ts'
import { asNotice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'
import { review, stateNotice } from './review.ts'

interface Typed {
  readonly date: string
  readonly scope: string
  readonly reviewer: string
  readonly findings: string
}

const empty: Typed = { date: '', scope: '', reviewer: '', findings: '' }

export async function operateReviewsPage(c: PageContext): Promise<Response> {
  checkFresh(c, getOperator(c))
  const id = c.env.call.query.get('id')
  if (id === null) return reviews(c, empty)
  const found = await c.env.ports.store.community.findReview(id)
  if (found === undefined) throw problem('review-not-found')
  return reviews(c, { ...found, findings: formatFindings(found.findings) }, found)
}

export async function operateReviewsSubmit(c: PageContext): Promise<Response> {
  const operator = getOperator(c)
  const { ports } = c.env
  const posted = await readForm(c)
  const typed = {
    date: posted.text('date'),
    scope: posted.text('scope'),
    reviewer: posted.text('reviewer'),
    findings: posted.text('findings'),
  }
  const id = posted.text('id')
  try {
    await setReview(ports, operator, parseReview(typed, ports.clock()), id === '' ? undefined : id)
  } catch (error) {
    const changed = id === '' ? undefined : await ports.store.community.findReview(id)
    return reviews(c, typed, changed, asNotice(error))
  }
  return leadTo(c, '/operate/reviews')
}

async function reviews(c: PageContext, typed: Typed, changed?: Review, trouble?: Problem): Promise<Response> {
  const all = await listReviews(c.env.ports)
  const main = html`${operateHead(c, 'reviews')}
${problemNotice(trouble)}
${stateNotice(reviewState(all, c.env.ports.clock()), all[0]?.date)}
<p>Everybody reads them at <a href="/security/reviews">/security/reviews</a>. You are reminded by mail 11 months after the newest.</p>
<h2>${changed === undefined ? 'Enter a review' : `Change the review of ${changed.date}`}</h2>
${form(typed, changed)}
<h2>On record</h2>
${all.length === 0 ? html`<p>There is none.</p>` : all.map(each => html`${review(each)}<p><a href="/operate/reviews?id=${each.id}" aria-label="Change the review of ${each.date}">Change</a></p>`)}`
  return sheet(c, { title: 'Reviews', main, trouble })
}

function form(typed: Typed, changed: Review | undefined): Markup {
  return html`<form class="form" method="post" action="/operate/reviews">
${changed === undefined ? nothing : html`<input type="hidden" name="id" value="${changed.id}">`}
<div class="field"><label for="date">The day it ended</label><input id="date" name="date" type="date" value="${typed.date}" required></div>
${field({ name: 'scope', label: 'What was looked at', value: typed.scope, maxLength: 500 })}
${field({ name: 'reviewer', label: 'By whom', value: typed.reviewer, maxLength: 500 })}
<div class="field"><label for="findings">Findings <span class="small">(optional)</span></label>
<textarea id="findings" name="findings" rows="6" maxlength="40000" aria-describedby="findings-hint">${typed.findings}</textarea>
<span class="hint" id="findings-hint">One a line: severity (critical, high, medium, low) | what was found | remedy | state (open, fixed, accepted).</span></div>
<button type="submit">Save</button></form>`
}
