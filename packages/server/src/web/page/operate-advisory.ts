// SPDX-License-Identifier: Apache-2.0
/** Feeds of advisories as those see them who run this instance, and entries that wait for a person. */
import { type Problem, problem } from '@holdfast/core'
import type { WaitingRecord } from '../../catalog/index.ts'
import {
  acceptWaiting,
  type FeedState,
  listFeedStates,
  listOwnAdvisories,
  listWaiting,
  refuseWaiting,
} from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getStaff, hasRole, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { ago, plural } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { feedBadge } from '../part/severity.ts'
import { checkFresh } from './confirm.ts'
import { ownAdvisories } from './operate-advisory-write.ts'
import { operateHead } from './operate-tab.ts'

export async function operateAdvisoriesPage(c: PageContext): Promise<Response> {
  return page(c, checkFresh(c, getStaff(c)))
}

export async function operateAdvisoriesSubmit(c: PageContext): Promise<Response> {
  const visitor = checkFresh(c, getStaff(c))
  const posted = await readForm(c)
  const acts = { accept: acceptWaiting, refuse: refuseWaiting } as const
  const act = posted.text('act')
  try {
    if (act !== 'accept' && act !== 'refuse') throw problem('invalid-body', { why: 'it says no decision' })
    await acts[act](c.env.ports, visitor, posted.text('id'))
  } catch (error) {
    return page(c, visitor, asNotice(error))
  }
  return leadTo(c, '/operate/advisories')
}

async function page(c: PageContext, visitor: Visitor, trouble?: Problem): Promise<Response> {
  const { ports } = c.env
  const [states, waiting, own] = await Promise.all([
    listFeedStates(ports),
    listWaiting(ports, visitor),
    listOwnAdvisories(ports, visitor),
  ])
  const now = ports.clock()
  const main = html`${operateHead(c, 'advisories')}
${problemNotice(trouble)}
<p>What is known to be bad comes from here. <a href="/advisories">All advisories</a></p>
<h2>Feeds</h2>
${states.some(each => each.isSilent) ? notice('bad', 'A feed is silent', html`It has not been read for more than a day. Versions that still wait for their age go on waiting until it speaks again, two weeks longer at most.`) : nothing}
${states.length === 0 ? notice('warn', 'No feed', html`Nothing is read by the clock. <code>advisoryFeeds</code> of the configuration names feeds; <code>osv</code> is the public one.`) : feeds(states, now)}
<h2>Entries that wait for a person</h2>
<p>A feed that suddenly calls malware what has long been used here may be right, wrong or stolen.</p>
${waiting.length === 0 ? html`<p>None waits.</p>` : waiting.map(each => entry(each, now, hasRole(visitor, 'responder')))}
${ownAdvisories(own, now, hasRole(visitor, 'responder'))}`
  return sheet(c, { title: 'Advisories', main, status: trouble?.status ?? 200 })
}

function feeds(states: readonly FeedState[], now: number): Markup {
  const rows = states.map(
    ({
      source,
      feed,
      isSilent,
    }) => html`<tr><td>${source.name}<br><span class="small"><bdi>${source.label}</bdi></span></td>
<td>${feedBadge(feed, isSilent)}</td>
<td class="nowrap">${feed === undefined || feed.takenAt === 0 ? 'never' : ago(feed.takenAt, now)}</td>
<td class="nowrap">${feed === undefined || feed.takenAt === 0 ? nothing : ago(feed.changedAt, now)}</td>
<td>${feed === undefined || feed.faults === 0 ? nothing : html`${plural(feed.faults, 'entry', 'entries')} left out<br>`}<bdi class="small">${feed?.fault ?? ''}</bdi></td></tr>`,
  )
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Feed</th><th scope="col">State</th><th scope="col">Last read</th><th scope="col">Last change</th><th scope="col">Trouble</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

function entry({ id, feed, why, at }: WaitingRecord, now: number, mayDecide: boolean): Markup {
  return html`<section class="card"><h3>${id}</h3><p>What it would do: <bdi>${why}</bdi>.</p><p class="small">From ${feed}, ${ago(at, now)}</p>
${
  mayDecide
    ? html`<form method="post" action="/operate/advisories"><input type="hidden" name="id" value="${id}">
<button type="submit" name="act" value="accept">Accept: close these versions</button> <button type="submit" class="plain" name="act" value="refuse">Refuse</button></form>`
    : nothing
}</section>`
}
