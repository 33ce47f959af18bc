// SPDX-License-Identifier: Apache-2.0
/** Rehearsals of incidents: what was played and how fast it was contained, and how to begin the next. */
import type { Problem } from '@holdfast/core'
import {
  beginDrill,
  listDrills,
  parseDrillWish,
  readDrill,
  readLastDrill,
  stopDrill,
} from '../../flow/index.ts'
import {
  type Drill,
  type DrillPlaybook,
  type DrillState,
  drillPlaybooks,
  isOpenDrill,
} from '../../incident/index.ts'
import { leadTo } from '../answer.ts'
import { getStaff, hasRole, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, type Tone } from '../part/badge.ts'
import { field, radios } from '../part/field.ts'
import { ago, plural } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

const path = '/operate/drills'
const barWidth = 120
const states: Readonly<Record<DrillState, readonly [Tone, string]>> = {
  waiting: ['plain', '…'],
  running: ['warn', '!'],
  stopping: ['warn', '!'],
  done: ['good', '✓'],
  stopped: ['plain', '–'],
  broken: ['bad', '✕'],
}
const playbooks: Readonly<Record<DrillPlaybook, string>> = {
  worm: 'Worm: a stolen token publishes the same new install script into many packages',
  'account-takeover': 'Account takeover: somebody else publishes with a new token of an account',
  'leaked-token': 'Leaked token: a maintainer publishes a file with a token in it',
  'upstream-takedown': 'Upstream takedown: an upstream withdraws a version that came in',
}

/** All drills, the last of each playbook first, and the form for the next. */
export async function drillsPage(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  if (mayRun(reader)) checkFresh(c, reader)
  return list(c, reader)
}

/** Begins one. */
export async function drillsSubmit(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  const posted = await readForm(c)
  const wish = {
    playbook: posted.text('playbook'),
    path: posted.text('path'),
    packages: posted.text('packages'),
  }
  try {
    const { id } = await beginDrill(c.env.ports, reader, parseDrillWish(wish))
    return leadTo(c, `${path}/${id}`)
  } catch (error) {
    return list(c, reader, asNotice(error))
  }
}

/** One drill with its moments and its report. */
export async function drillPage(c: PageContext): Promise<Response> {
  return one(c, getStaff(c))
}

/** Stops it. */
export async function drillSubmit(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  await readForm(c)
  const id = c.req.param('id') ?? ''
  try {
    await stopDrill(c.env.ports, reader, id)
    return leadTo(c, `${path}/${id}`)
  } catch (error) {
    return one(c, reader, asNotice(error))
  }
}

async function list(c: PageContext, reader: Visitor, trouble?: Problem): Promise<Response> {
  const { ports } = c.env
  const drills = await listDrills(ports, reader)
  const { last, isDue } = await readLastDrill(ports)
  const open = drills.find(isOpenDrill)
  const main = html`${operateHead(c, 'drills')}
<p class="lead">An incident that was rehearsed is contained faster. A drill plays an attack on this very registry, in packages that are made for it, and measures when it is seen, told and contained.</p>
${problemNotice(trouble)}
${isDue ? notice('warn', 'A drill is due', html`<p>${last === undefined ? 'None was played to its end here.' : html`The last one ended ${ago(last.endedAt ?? 0, ports.clock())}.`} Nobody knows how fast a real incident is contained.</p>`) : nothing}
<h2 id="played">What was played</h2>
${drills.length === 0 ? html`<p>Nothing yet.</p>` : table(drills, ports.clock())}
${open === undefined ? (mayRun(reader) ? form() : nothing) : html`<p><a href="${path}/${open.id}">A drill is under way</a>: one at a time.</p>`}`
  return sheet(c, { title: 'Drills', main, trouble })
}

function mayRun(reader: Visitor): boolean {
  return hasRole(reader, 'responder') || hasRole(reader, 'operator')
}

function table(drills: readonly Drill[], now: number): Markup {
  const most = Math.max(1, ...drills.map(containedAfter))
  return html`<div class="scroll" tabindex="0" role="region" aria-labelledby="played"><table><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">State</th><th scope="col">Seen</th><th scope="col">Told</th><th scope="col">Contained</th></tr></thead>
<tbody>${drills.map(each => row(each, most, now))}</tbody></table></div>`
}

function row(each: Drill, most: number, now: number): Markup {
  const width = Math.round((containedAfter(each) / most) * barWidth)
  const how = each.path === 'people' ? 'by people' : 'by itself'
  return html`<tr><td class="nowrap"><a href="${path}/${each.id}">${ago(each.startedAt, now)}</a></td><td>${each.playbook}, ${how}</td><td>${stateBadge(each)}</td><td>${after(each, each.detectedAt)}</td><td>${after(each, each.notifiedAt)}</td><td>${after(each, each.containedAt)}${bar(width)}</td></tr>`
}

/** The number beside it, as a picture. */
function bar(width: number): Markup {
  return html`<svg class="bar-line" viewBox="0 0 ${barWidth} 10" aria-hidden="true" focusable="false"><rect width="${width}" height="10"/></svg>`
}

function stateBadge({ state, containedAt }: Drill): Markup {
  const isOpen = state === 'done' && containedAt === null
  const [tone, sign] = isOpen ? (['bad', '✕'] as const) : states[state]
  return badge(isOpen ? 'not contained' : state, tone, sign)
}

function containedAfter({ attackAt, containedAt }: Drill): number {
  return attackAt === null || containedAt === null ? 0 : containedAt - attackAt
}

function after({ attackAt }: Drill, at: number | null): string {
  if (attackAt === null || at === null) return 'never'
  return `${(Math.max(0, at - attackAt) / 1000).toFixed(1)} s`
}

function form(): Markup {
  return html`<h2>Begin a drill</h2>
<p>It makes two accounts and up to 200 packages in <code>@holdfast-drill</code>, attacks them through this registry's own door, and removes them. Nobody else's packages, tokens or letters are touched; those who respond get letters that begin with <q>DRILL:</q>. The log keeps about four entries a package. At most two minutes, fifteen for a takedown, an hour where it waits for people.</p>
<form class="form" method="post" action="${path}">
${radios(
  'playbook',
  'What is played',
  drillPlaybooks.map(each => [each, playbooks[each]] as const),
)}
${radios('path', 'Who contains it', [
  ['automatic', 'The registry by itself'],
  ['people', 'Those who respond: it waits for them (worm and account takeover)'],
])}
${field({ name: 'packages', label: 'Packages of the worm', value: '100', hint: '1 to 200', maxLength: 3, isOptional: true })}
<button type="submit">Begin it now</button></form>`
}

async function one(c: PageContext, reader: Visitor, trouble?: Problem): Promise<Response> {
  const drill = await readDrill(c.env.ports, reader, c.req.param('id') ?? '')
  const { report } = drill
  const main = html`${operateHead(c, 'drills')}
<h2>${drill.playbook} ${stateBadge(drill)}</h2>
${problemNotice(trouble)}
<p>Begun ${ago(drill.startedAt, c.env.ports.clock())} by <bdi>${drill.startedBy}</bdi>; ${drill.path === 'people' ? 'people contain it' : 'the registry contains it by itself'}.</p>
${report.fault === '' ? nothing : notice('bad', 'Not as it should be', html`<p><bdi>${report.fault}</bdi>.</p>`)}
${moments(drill)}
${isOpenDrill(drill) ? underWay(drill, mayRun(reader)) : ended(drill)}`
  return sheet(c, { title: `Drill: ${drill.playbook}`, main, trouble })
}

/** The moments on a line, and the same as a table. */
function moments(drill: Drill): Markup {
  const marks = [
    ['Seen', drill.detectedAt],
    ['Told', drill.notifiedAt],
    ['Contained', drill.containedAt],
  ] as const
  const most = Math.max(1, ...marks.map(([, at]) => (at ?? 0) - (drill.attackAt ?? 0)))
  const width = (at: number | null) =>
    at === null || drill.attackAt === null
      ? 0
      : Math.max(1, Math.round(((at - drill.attackAt) / most) * barWidth))
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Moment</th><th scope="col">After the first act</th></tr></thead><tbody>${marks.map(
    ([label, at]) =>
      html`<tr><th scope="row">${label}</th><td>${after(drill, at)}${bar(width(at))}</td></tr>`,
  )}</tbody></table></div>`
}

function underWay(drill: Drill, isMine: boolean): Markup {
  const act = html`<form method="post" action="${path}/${drill.id}"><button>Stop it and clean up</button></form>`
  return html`<p>It is under way; load the page again to see how far it is.</p>
${drill.path === 'people' ? html`<p>Act as you would: <a href="/operate/cases">its case</a> is open, and <a href="/operate/measures">measures</a> close what its account published. Freeze nothing that others need.</p>` : nothing}
${isMine ? act : nothing}`
}

function ended(drill: Drill): Markup {
  const { report } = drill
  return html`<p>The attack went for ${plural(drill.packages, 'package')}, got ${plural(report.infected, 'version')} in and was refused ${plural(report.refused, 'time')}. People acted ${plural(report.actions.length, 'time')}.</p>
${report.actions.length === 0 ? nothing : html`<ul>${report.actions.map(({ at, by, what }) => html`<li>${after(drill, at)}: <bdi>${by}</bdi>, <bdi class="break">${what}</bdi></li>`)}</ul>`}
<h3>What happened</h3>
<ol>${report.lines.map(({ at, words }) => html`<li><bdi class="break">${words}</bdi> <span class="small">${offset(drill, at)}</span></li>`)}</ol>
${report.stays === '' ? nothing : html`<p class="small">What stays: ${report.stays}.</p>`}`
}

function offset({ attackAt }: Drill, at: number): string {
  if (attackAt === null || at < attackAt) return 'before the attack'
  return `after ${((at - attackAt) / 1000).toFixed(1)} s`
}
