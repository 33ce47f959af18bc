// SPDX-License-Identifier: Apache-2.0
import {
  type PackageName,
  type Problem,
  parsePackageName,
  parseVersion,
  problem,
  type Version,
} from '@holdfast/core'
import type { RuleHit } from '../../catalog/index.ts'
import { askWaiver, type Explanation, explainVersion } from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { findVisitor, getVisitor, type PageContext } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, statusBadge } from '../part/badge.ts'
import { field } from '../part/field.ts'
import { ago, day } from '../part/format.ts'
import { happenings } from '../part/happening.ts'
import { packagePath, whyPath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { provenanceWords } from '../part/provenance.ts'

/** Why a version can be installed or cannot: where every refusal leads. */
export async function whyPage(c: PageContext): Promise<Response> {
  const words = c.req.param('name') ?? ''
  const subject = findSubject(words)
  // The refusal of a whole document names no version.
  if (subject === undefined) return leadTo(c, packagePath(parsePackageName(words), { show: 'versions' }))
  return show(c, subject)
}

/** The wish for a waiver. */
export async function whySubmit(c: PageContext): Promise<Response> {
  const subject = findSubject(c.req.param('name') ?? '')
  if (subject === undefined) throw problem('not-found')
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  try {
    await askWaiver(c.env.ports, visitor, subject, posted.text('reason'))
  } catch (error) {
    return show(c, subject, asNotice(error), posted.text('reason'))
  }
  return leadTo(c, whyPath(subject.name, subject.version))
}

interface Subject {
  readonly name: PackageName
  readonly version: Version
}

/** `<name>/<version>`; undefined where there is a name alone. */
function findSubject(words: string): Subject | undefined {
  const slash = words.lastIndexOf('/')
  if (slash < 0 || (words.startsWith('@') && words.indexOf('/') === slash)) return undefined
  return { name: parsePackageName(words.slice(0, slash)), version: parseVersion(words.slice(slash + 1)) }
}

async function show(c: PageContext, subject: Subject, trouble?: Problem, typed = ''): Promise<Response> {
  const { ports, call } = c.env
  const told = await explainVersion(ports, call.actor, subject.name, subject.version)
  const main = html`<h1>Why ${told.name}@${told.version} ${told.isServed ? 'can be installed' : 'cannot be installed'}</h1>
<p class="badges">${statusBadge(told.status)} <span class="small">from ${told.origin === 'hosted' ? 'this registry' : told.origin}, published ${ago(told.publishedAt, ports.clock())}</span></p>
${verdict(told, ports.clock())}
${rules(told, ports.clock())}
${told.provenance === undefined ? nothing : html`<h2>Where it was built</h2><p>${provenanceWords(told.provenance)}</p>`}
${waivers(told, ports.clock())}
${waiverForm(c, told, trouble, typed)}
${history(told, ports.clock())}
<p><a href="${packagePath(told.name, { v: told.version })}">The page of this version</a></p>`
  return sheet(c, { title: `Why ${told.name}@${told.version}`, main, status: trouble?.status ?? 200 })
}

function verdict(told: Explanation, now: number): Markup {
  if (told.isServed) {
    const isTold = told.hits.length > 0
    return notice(
      'good',
      isTold ? 'It can be installed, though rules have something to say' : 'Nothing stands against it',
    )
  }
  const until =
    told.until === null ? nothing : html`<p>This may change by itself ${ago(told.until, now)}.</p>`
  const instead =
    told.next === undefined
      ? html`<p>There is no other version to use.</p>`
      : html`<p>Use <a href="${whyPath(told.name, told.next)}">${told.next}</a> instead: <code>npm install ${told.name}@${told.next}</code></p>`
  const title = told.rule === '' ? 'It is not given out' : `The rule ${told.rule} closes it`
  return notice(
    told.status === 'cooling' ? 'warn' : 'bad',
    title,
    html`<p>Reason: <bdi>${told.reason === '' ? 'none was told' : told.reason}</bdi></p>${until}${instead}`,
  )
}

function rules({ hits }: Explanation, now: number): Markup {
  if (hits.length === 0) return nothing
  return html`<h2>What the rules say</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Rule</th><th scope="col">Effect</th><th scope="col">Why</th><th scope="col">Until</th></tr></thead>
<tbody>${hits.map(hit => html`<tr><td>${hit.rule}</td><td>${effect(hit)}</td><td><bdi>${hit.why}</bdi></td><td class="nowrap">${hit.until === null ? '' : ago(hit.until, now)}</td></tr>`)}</tbody></table></div>`
}

const sparedBecause: Readonly<Record<NonNullable<RuleHit['spared']>, string>> = {
  established: 'only told: it was young no more',
  monitor: 'only watched',
  grandfathered: 'used here before',
  waived: 'waived',
  fix: 'a fix passes',
  siblings: 'released with a fix',
}

function effect({ spared, action }: RuleHit): Markup {
  if (spared !== undefined) return badge(sparedBecause[spared], 'plain', '○')
  return action === 'warn' ? badge('warns', 'warn', '!') : badge(`${action}s`, 'bad', '✕')
}

function waivers({ waivers: all }: Explanation, now: number): Markup {
  if (all.length === 0) return nothing
  return html`<h2>Waivers</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">State</th><th scope="col">Asked</th><th scope="col">Because</th><th scope="col">Ends</th></tr></thead>
<tbody>${all.map(each => html`<tr><td>${badge(each.state, each.state === 'granted' ? 'good' : 'plain')}</td><td class="nowrap">${ago(each.askedAt, now)}</td><td><bdi>${each.reason}</bdi></td><td class="nowrap">${each.endsAt === null ? '' : day(each.endsAt)}</td></tr>`)}</tbody></table></div>`
}

function history({ history: all }: Explanation, now: number): Markup {
  return all.length === 0
    ? nothing
    : html`<h2>What happened to it</h2>
${happenings(all, now)}`
}

function waiverForm(c: PageContext, told: Explanation, trouble: Problem | undefined, typed: string): Markup {
  if (!told.isWaivable) return nothing
  const path = whyPath(told.name, told.version)
  const visitor = findVisitor(c.env.call.actor)
  if (visitor === undefined)
    return html`<h2>Ask for a waiver</h2><p><a href="/sign-in?next=${encodeURIComponent(path)}">Sign in</a> to ask for one, or run <code>npx holdfast waiver ask ${told.name}@${told.version} --reason "…"</code>.</p>`
  return html`<h2>Ask for a waiver</h2>
<p>A responder decides for this version alone, with an end. Your reason is shown on this page.</p>
${problemNotice(trouble)}
<form class="form" method="post" action="${path}">
${field({ name: 'reason', label: 'Why you need it', hint: 'What breaks without it, and what you looked at.', value: typed, maxLength: 1000 })}
<button type="submit">Ask</button></form>`
}
