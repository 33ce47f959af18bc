// SPDX-License-Identifier: Apache-2.0
import { type Problem, parsePackageName, parseVersion, problem } from '@holdfast/core'
import type { Screening } from '../../catalog/index.ts'
import {
  decideHold,
  type HoldView,
  holdTargetMs,
  latenessOf,
  listHolds,
  type RescanProgress,
  readHold,
  readRescan,
} from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getStaff, hasRole, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { fileDiffs, findingItems } from '../part/diff.ts'
import { area } from '../part/field.ts'
import { ago, plural } from '../part/format.ts'
import { packagePath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { screeningFindings } from '../part/screening.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

/** What waits for a person's look, the longest first. */
export async function holdsPage(c: PageContext): Promise<Response> {
  const holds = await listHolds(c.env.ports, getStaff(c))
  const progress = await readRescan(c.env.ports).catch(() => undefined)
  const now = c.env.ports.clock()
  const done = c.env.call.query.get('done')
  const main = html`${operateHead(c, 'holds')}
${done === 'release' ? notice('good', 'Released: everybody gets it now') : nothing}
${done === 'confirm' ? notice('good', 'Confirmed: it is quarantined, and has a case') : nothing}
<p>Versions that nobody gets before somebody has looked. What nobody decides about stays closed: silence is no yes. Those who respond are reminded after 4 hours; after a day there is a case, and the owners are told.</p>
${
  holds.length === 0
    ? html`<p>None waits.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Version</th><th scope="col">Look by</th><th scope="col">What speaks against it</th><th scope="col">Score</th><th scope="col">Held</th></tr></thead><tbody>${holds.map(each => holdRow(each, now))}</tbody></table></div>`
}
<h2>Screening</h2>
${rescan(progress)}`
  return sheet(c, { title: 'Holds', main })
}

/** How far everything is looked at by the rules in force. */
function rescan(progress: RescanProgress | undefined): Markup {
  if (progress === undefined)
    return notice('bad', 'Screening does not answer', html`What comes in meanwhile waits.`)
  const { left, due, rules } = progress
  return html`<p>${due === 0 ? nothing : html`${plural(due, 'version')} ${due === 1 ? 'waits' : 'wait'} to be screened at all. `}${
    left === 0
      ? `Everything ${due === 0 ? '' : 'else '}was screened by the rules in force.`
      : html`${plural(left, 'version')} of older rules ${left === 1 ? 'is' : 'are'} screened again, 200 a minute.`
  }</p>
<p class="small">Rules <code>${rules.slice(0, 12)}</code></p>`
}

function holdRow(each: Screening, now: number): Markup {
  const why = each.fault || each.findings[0]?.why || 'nothing was found'
  return html`<tr><td><a href="${holdPath(each)}">${each.package}@${each.version}</a></td><td>${clock(each, now)}</td><td><bdi>${why}</bdi></td><td>${each.score}</td><td class="nowrap">${ago(each.heldAt ?? now, now)}</td></tr>`
}

function clock(each: Screening, now: number): Markup {
  const due = (each.heldAt ?? now) + holdTargetMs
  switch (latenessOf(each, now)) {
    case 'in-time':
      return html`${ago(due, now)}`
    case 'late':
      return html`${badge('late', 'warn', '!')} ${ago(due, now)}`
    case 'escalated':
      return html`${badge('late, a case', 'bad', '!')} ${ago(due, now)}`
  }
}

function holdPath(each: Pick<Screening, 'package' | 'version'>): string {
  return `/operate/holds/${each.package}/${each.version}`
}

/** One version with everything that it takes to decide. */
export async function holdPage(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  if (hasRole(reader, 'responder')) checkFresh(c, reader)
  return show(c, reader)
}

/** A responder's answer. */
export async function holdSubmit(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  const posted = await readForm(c)
  const answer = posted.text('answer')
  try {
    if (answer !== 'release' && answer !== 'confirm')
      throw problem('invalid-body', { why: 'it says no decision' })
    const words = posted.text('words').slice(0, 1000)
    await decideHold(c.env.ports, reader, answer, subjectOf(c), words)
  } catch (error) {
    return show(c, reader, asNotice(error))
  }
  return leadTo(c, `/operate/holds?done=${answer}`)
}

function subjectOf(c: PageContext) {
  const words = c.req.param('subject') ?? ''
  const slash = words.lastIndexOf('/')
  return { name: parsePackageName(words.slice(0, slash)), version: parseVersion(words.slice(slash + 1)) }
}

async function show(c: PageContext, reader: Visitor, trouble?: Problem): Promise<Response> {
  const { name, version } = subjectOf(c)
  const view = await readHold(c.env.ports, reader, name, version)
  const { screening, diff } = view
  const now = c.env.ports.clock()
  const main = html`${operateHead(c, 'holds')}
<h2 class="screened"><a href="${packagePath(name)}">${name}</a>@${version}</h2>
<p>${state(screening)} score ${screening.score}, ${screening.origin === 'hosted' ? 'published here' : `from ${screening.origin}`}${screening.heldAt === null ? nothing : html`, held ${ago(screening.heldAt, now)}`}</p>
${problemNotice(trouble)}
${screening.hold === 'open' && hasRole(reader, 'responder') ? answers(screening) : nothing}
<h3>What speaks against it</h3>
${screening.fault === '' ? nothing : notice('warn', screening.fault)}
${screeningFindings(screening.findings)}
${who(view, now)}
<h3>Against the version before</h3>
${diff === undefined ? html`<p>There is no comparison.</p>` : html`<ul class="bare findings">${findingItems(diff)}</ul>${fileDiffs(diff)}`}`
  return sheet(c, { title: `${name}@${version}, held`, main, status: trouble?.status ?? 200 })
}

function state({ hold, words }: Screening): Markup {
  switch (hold) {
    case 'open':
      return badge('held', 'warn', '!')
    case 'released':
      return html`${badge('released', 'good', '✓')} <bdi>${words}</bdi>,`
    case 'confirmed':
      return html`${badge('confirmed', 'bad', '✕')} <bdi>${words}</bdi>,`
    case 'none':
      return badge('not held', 'plain')
  }
}

function who({ kept, fetches }: HoldView, now: number): Markup {
  const by = kept?.publisherLogin || kept?.publisherId || 'its upstream'
  return html`<h3>Who</h3><dl class="facts long"><dt>Published by</dt><dd>${by}${kept === undefined ? nothing : html`, ${ago(kept.publishedAt, now)}`}</dd>
${kept?.tokenId ? html`<dt>With the token</dt><dd><code>${kept.tokenId}</code></dd>` : nothing}
<dt>Fetched</dt><dd>${fetches === 0 ? 'by nobody here' : plural(fetches, 'time')}</dd></dl>`
}

function answers(screening: Screening): Markup {
  return html`<form class="form" method="post" action="${holdPath(screening)}">
${area('words', 'Why', 'The publisher and the record read this.', '', 2)}
<button type="submit" name="answer" value="release">Release: it is harmless</button> <button type="submit" name="answer" value="confirm">Confirm: quarantine it, open a case</button></form>`
}
