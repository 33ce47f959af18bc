// SPDX-License-Identifier: Apache-2.0
/** How this registry is, and what goes on: open to everybody. */
import type { Problem } from '@holdfast/core'
import type { Announcement } from '../../community/index.ts'
import { announce, announceMore, listAnnouncements, readSwitches } from '../../flow/index.ts'
import type { TakenMeasure } from '../../incident/index.ts'
import type { UpstreamHealth } from '../../ports.ts'
import { leadTo } from '../answer.ts'
import { findVisitor, getVisitor, hasRole, type PageContext } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, type Tone } from '../part/badge.ts'
import { field } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'

export function statusPage(c: PageContext): Promise<Response> {
  return status(c)
}

/** Responders and operators tell everybody. */
export async function statusSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const { ports } = c.env
  const posted = await readForm(c)
  const [id, words] = [posted.text('id'), posted.text('words')]
  try {
    if (id === '') await announce(ports, visitor, posted.text('title'), words)
    else await announceMore(ports, visitor, id, words, posted.text('act') === 'end')
  } catch (error) {
    return status(c, asNotice(error))
  }
  return leadTo(c, '/status')
}

async function status(c: PageContext, trouble?: Problem): Promise<Response> {
  const { ports } = c.env
  const now = ports.clock()
  const all = await listAnnouncements(ports)
  const switches = await readSwitches(ports)
  const visitor = findVisitor(c.env.call.actor)
  const mayTell = hasRole(visitor, 'responder') || hasRole(visitor, 'operator')
  const open = all.filter(each => !each.isOver)
  const over = all.filter(each => each.isOver)
  const main = html`<h1>Status</h1>
${problemNotice(trouble)}
${open.length === 0 ? notice('good', 'No incident is going on') : open.map(each => article(each, now, mayTell))}
<h2>Parts</h2>
${switchedOff(switches, now)}
<dl class="facts">${await parts(c, switches)}</dl>
${mayTell ? form() : nothing}
${over.length === 0 ? nothing : html`<h2>Before</h2>${over.map(each => article(each, now, false))}`}
<p class="small">Who is told what, and when: <a href="/policy/incidents">incident communication</a>.</p>`
  return sheet(c, { title: 'Status', main, trouble })
}

const switchWords: Readonly<Record<string, string>> = {
  registry: 'Nothing can be changed: the registry is read-only',
  publishing: 'Nothing can be published',
  'sign-up': 'Nobody can make an account',
  proxying: 'Nothing new comes in from upstreams',
}

/** What responders closed of the whole registry; of which account or package anybody is, is nobody else's business. */
function switchedOff(switches: readonly TakenMeasure[], now: number): Markup {
  return html`${switches.map(({ subject, madeAt, lapsesAt }) => {
    const ends = lapsesAt === null ? nothing : html`, until ${ago(lapsesAt, now)} unless it is confirmed`
    return notice(
      'warn',
      switchWords[subject] ?? wordsOf(subject),
      html`<p>Since ${ago(madeAt, now)}${ends}.</p>`,
    )
  })}`
}

function wordsOf(subject: string): string {
  const [kind, ...name] = subject.split(':')
  return kind === 'origin'
    ? `Nothing new comes in from ${name.join(':')}`
    : `Jobs of ${name.join(':')} cannot publish`
}

/** How a part is, in words and by its colour. */
type Standing = readonly [words: string, tone: Tone]

async function parts(c: PageContext, switches: readonly TakenMeasure[]): Promise<readonly Markup[]> {
  const isOff = (name: string) => switches.some(({ subject }) => subject === 'registry' || subject === name)
  const { config, log, upstreams, clock } = c.env.ports
  const state = await log.state()
  const late = state.oldestAt !== null && clock() - state.oldestAt > 60_000
  const off: Standing = ['switched off', 'warn']
  const signUp: Standing = [config.signUp === 'open' ? 'open' : 'by invitation', 'plain']
  const publishing: Standing =
    state.halted !== ''
      ? ['waits for the log, which is halted', 'bad']
      : late
        ? ['slow: the log is behind', 'warn']
        : ['open', 'good']
  return [
    part('Sign-up', ...(isOff('sign-up') ? off : signUp)),
    part('Publishing', ...(isOff('publishing') ? off : publishing)),
    ...[...upstreams].map(([name, upstream]) => upstreamPart(name, upstream.health().state)),
  ]
}

function upstreamPart(name: string, state: UpstreamHealth['state']): Markup {
  const isWell = state === 'up' || state === 'unknown'
  return part(
    `Packages from ${name}`,
    isWell ? 'open' : 'from the cache: it does not answer',
    isWell ? 'good' : 'warn',
  )
}

function part(name: string, words: string, tone: Tone): Markup {
  return html`<dt>${name}</dt><dd>${badge(words, tone)}</dd>`
}

function article({ id, title, lines, isOver }: Announcement, now: number, mayTell: boolean): Markup {
  const told = lines.toReversed()
  const more = html`<form class="form" method="post" action="/status"><input type="hidden" name="id" value="${id}">
<div class="field"><label for="words-${id}">What is new</label><textarea id="words-${id}" name="words" rows="3" maxlength="4000" required></textarea></div>
<button type="submit" name="act" value="more">Tell everybody</button> <button type="submit" name="act" value="end">It is over</button></form>`
  return html`<article id="${id}"><h2><bdi>${title}</bdi> ${isOver ? badge('over', 'good', '✓') : badge('going on', 'bad', '!')}</h2>
<ol class="bare">${told.map(({ at, words }) => html`<li><span class="small">${ago(at, now)}</span><pre class="words">${words}</pre></li>`)}</ol>
${mayTell ? more : nothing}</article>`
}

function form(): Markup {
  return html`<h2>Tell of an incident</h2><form class="form" method="post" action="/status">
${field({ name: 'title', label: 'Title', maxLength: 200 })}
<div class="field"><label for="words">What is known, and when more follows</label><textarea id="words" name="words" rows="4" maxlength="4000" required></textarea></div>
<button type="submit">Tell everybody</button></form>`
}
