// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'
import type { Waiver } from '../../catalog/index.ts'
import { decideWaiver, listWaivers, type NamedWaiver, type Verdict } from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getStaff, hasRole, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, type Tone } from '../part/badge.ts'
import { ago, day } from '../part/format.ts'
import { whyPath } from '../part/link.ts'
import { asNotice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

const shown = 200

/** Wishes that wait, waivers that count, and what became of the others. */
export async function waiversPage(c: PageContext): Promise<Response> {
  return waivers(c, checkFresh(c, getStaff(c)))
}

export async function waiversSubmit(c: PageContext): Promise<Response> {
  const visitor = checkFresh(c, getStaff(c))
  const posted = await readForm(c)
  const words = posted.text('words').slice(0, 1000)
  const verdicts: Readonly<Record<string, Verdict>> = {
    grant: { kind: 'grant', days: Number(posted.text('days')), words },
    refuse: { kind: 'refuse', words },
    end: { kind: 'end', words },
  }
  const act = posted.text('act')
  try {
    const verdict = Object.hasOwn(verdicts, act) ? verdicts[act] : undefined
    if (verdict === undefined) throw problem('invalid-body', { why: 'it says no decision' })
    await decideWaiver(c.env.ports, visitor, posted.text('id'), verdict)
  } catch (error) {
    return waivers(c, visitor, asNotice(error))
  }
  return leadTo(c, '/operate/waivers')
}

async function waivers(c: PageContext, visitor: Visitor, trouble?: Problem): Promise<Response> {
  const { ports } = c.env
  const now = ports.clock()
  const asked = await listWaivers(ports, visitor, 'asked', shown)
  const all = (await listWaivers(ports, visitor, undefined, shown)).filter(each => each.state !== 'asked')
  const mayDecide = hasRole(visitor, 'responder')
  const granted = all.filter(each => each.state === 'granted')
  const main = html`${operateHead(c, 'waivers')}
${problemNotice(trouble)}
<p>An exception from the policy for one version, with an end. Known malware has none.</p>
<h2>Asked</h2>
${asked.length === 0 ? html`<p>None waits.</p>` : asked.map(each => wish(each, now, mayDecide, each.askedBy === visitor.id))}
<h2>In force</h2>
${granted.length === 0 ? html`<p>There are none.</p>` : table(granted, now, mayDecide)}
<h2>Over</h2>
${
  all.length === granted.length
    ? html`<p>There are none.</p>`
    : table(
        all.filter(each => each.state !== 'granted'),
        now,
        false,
      )
}`
  return sheet(c, { title: 'Waivers', main, status: trouble?.status ?? 200 })
}

/** Nobody grants their own; they may take it back. */
function wish(each: NamedWaiver, now: number, mayDecide: boolean, isOwn: boolean): Markup {
  const refuse = html`<button class="plain" type="submit" name="act" value="refuse" formnovalidate>${isOwn ? 'Take back' : 'Refuse'}</button>`
  const own = html`<p class="small">You asked for it: another responder decides.</p>
<form class="form" method="post" action="/operate/waivers"><input type="hidden" name="id" value="${each.id}">${refuse}</form>`
  const form = html`<form class="form" method="post" action="/operate/waivers"><input type="hidden" name="id" value="${each.id}">
<div class="field"><label for="days-${each.id}">For how many days</label><input id="days-${each.id}" name="days" type="number" min="1" max="365" value="30" required></div>
<div class="field"><label for="words-${each.id}">Why <span class="small">(optional)</span></label><input id="words-${each.id}" name="words" maxlength="1000" autocomplete="off" aria-describedby="hint-${each.id}"><span class="hint" id="hint-${each.id}">The asker reads this.</span></div>
<button type="submit" name="act" value="grant">Grant</button> ${refuse}</form>`
  return html`<article><h3><a href="${whyPath(each.package, each.version)}">${each.package}@${each.version}</a></h3>
<p>Asked by ${each.asker} ${ago(each.askedAt, now)}: <bdi>${each.reason}</bdi></p>
<p>It lifts ${each.rules.join(', ')}${each.grounds.length === 0 ? '' : ` (${each.grounds.join(', ')})`}, and nothing that closes this version later.</p>
${mayDecide ? (isOwn ? own : form) : html`<p class="small">Responders decide.</p>`}</article>`
}

const tones: Readonly<Record<Waiver['state'], Tone>> = {
  asked: 'warn',
  granted: 'good',
  refused: 'bad',
  ended: 'plain',
}

function table(all: readonly NamedWaiver[], now: number, mayEnd: boolean): Markup {
  const end = (each: NamedWaiver) =>
    html`<td><form method="post" action="/operate/waivers"><input type="hidden" name="id" value="${each.id}"><button class="link" type="submit" name="act" value="end" aria-label="End the waiver for ${each.package}@${each.version}">End now</button></form></td>`
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Version</th><th scope="col">State</th><th scope="col">Because</th><th scope="col">Asked by</th><th scope="col">Decided by</th><th scope="col">Ends</th>${mayEnd ? html`<th scope="col"><span class="unseen">Action</span></th>` : nothing}</tr></thead>
<tbody>${all.map(
    each => html`<tr><td><a href="${whyPath(each.package, each.version)}">${each.package}@${each.version}</a></td><td>${badge(each.state, tones[each.state])}</td><td><bdi>${each.reason}</bdi></td>
<td>${each.asker}</td><td>${each.decider}</td><td class="nowrap">${each.endsAt === null ? '' : html`${day(each.endsAt)} <span class="small">${ago(each.endsAt, now)}</span>`}</td>${mayEnd ? end(each) : nothing}</tr>`,
  )}</tbody></table></div>`
}
