// SPDX-License-Identifier: Apache-2.0
/** What is known to be weak or bad: the newest advisories, those of a package, and one of them with where it came from. */
import { isPackageName, problem } from '@holdfast/core'
import type { Advisory } from '../../catalog/index.ts'
import {
  type FeedState,
  findAdvisory,
  listFeedStates,
  listPackageAdvisories,
  listShownAdvisories,
  type ShownAdvisory,
} from '../../flow/index.ts'
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { ago, day } from '../part/format.ts'
import { awayLink, packagePath, webAddress } from '../part/link.ts'
import { notice } from '../part/notice.ts'
import { feedBadge, severityBadge } from '../part/severity.ts'
import { watchButton } from './watch.ts'

const shown = 50
const longestQuery = 214

/** The newest, or those of the package or id that somebody asks for. */
export async function advisoriesPage(c: PageContext): Promise<Response> {
  const { ports, call } = c.env
  const asked = (call.query.get('q') ?? '').trim().slice(0, longestQuery)
  if (asked !== '' && !isPackageName(asked) && (await findAdvisory(ports, call.actor, asked)) !== undefined)
    return c.redirect(`/advisories/${encodeURIComponent(asked)}`, 303)
  const found =
    asked === ''
      ? await listShownAdvisories(ports, call.actor, shown)
      : isPackageName(asked)
        ? await listPackageAdvisories(ports, call.actor, asked)
        : []
  const main = html`<h1>Advisories</h1>
<p class="lead">Known flaws and malware, as this registry’s rules and <code>npm audit</code> see them.</p>
<form class="search" method="get" action="/advisories">
<input type="search" name="q" value="${asked}" aria-label="Package or advisory" placeholder="Package or advisory, such as GHSA-…" maxlength="${longestQuery}" autocomplete="off" autocapitalize="none" spellcheck="false">
<button type="submit">Search</button></form>
<h2>${asked === '' ? 'Newest' : html`About <bdi>${asked}</bdi>`}</h2>
${found.length === 0 ? none(asked) : table(found)}`
  const facts = html`${feeds(await listFeedStates(ports), ports.clock())}<section><h2>Watch</h2>${await watchButton(c, 'advisories', '')}</section>`
  return sheet(c, { title: 'Advisories', main, facts })
}

function none(asked: string): Markup {
  return html`<p role="status">${asked === '' ? 'None has come in yet.' : 'None is known here. That is not proof that there are none.'}</p>${asked === '' ? nothing : html`<p><a href="/advisories">Show the newest</a></p>`}`
}

function table(all: readonly Advisory[]): Markup {
  const rows = all.map(
    each => html`<tr><td class="nowrap"><a href="/advisories/${encodeURIComponent(each.id)}">${each.id}</a></td>
<td>${severityBadge(each)}${each.withdrawnAt === null ? nothing : html` ${badge('withdrawn')}`}</td>
<td><a href="${packagePath(each.package)}">${each.package}</a></td><td><bdi>${each.title}</bdi></td><td class="nowrap">${day(each.modifiedAt)}</td></tr>`,
  )
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Advisory</th><th scope="col">Severity</th><th scope="col">Package</th><th scope="col">What</th><th scope="col">Changed</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

/** Where all of this comes from, and how old it is: what was not heard is not known. */
function feeds(states: readonly FeedState[], now: number): Markup {
  const lines = states.map(state => html`<li>${feedLine(state, now)}</li>`)
  return html`<section><h2>Where they come from</h2>
${lines.length === 0 ? html`<p>No feed is read here by the clock: what the operator loads is known.</p>` : html`<ul class="bare">${lines}</ul>`}
</section>
<section><h2>For programs</h2><ul class="bare">
<li><a href="/feed/advisories.atom">Feed (Atom)</a></li>
<li><a href="/osv/npm/all.zip">All of them (OSV, zip)</a></li>
<li><code>POST /osv/v1/query</code></li></ul></section>`
}

function feedLine({ source, feed, isSilent }: FeedState, now: number): Markup {
  const when =
    feed === undefined || feed.takenAt === 0
      ? nothing
      : html` <span class="small">${ago(feed.takenAt, now)}</span>`
  return html`${source.name} ${feedBadge(feed, isSilent)}${when}`
}

/** One advisory: whom it is about, what mends it, and the record as it came. */
export async function advisoryPage(c: PageContext): Promise<Response> {
  const { ports, call } = c.env
  const found = await findAdvisory(ports, call.actor, c.req.param('id') ?? '')
  if (found === undefined) throw problem('not-found')
  const [first] = found.about
  const main = html`<h1>${found.id}</h1>
<p class="lead"><bdi>${first?.title ?? ''}</bdi></p>
${found.withdrawnAt === null ? nothing : notice('plain', 'Withdrawn', html`Whoever published it took it back on ${day(found.withdrawnAt)}: it counts no longer.`)}
<h2>Whom it is about</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Package</th><th scope="col">Severity</th><th scope="col">Versions</th><th scope="col">Mended in</th></tr></thead><tbody>${found.about.map(subject)}</tbody></table></div>
${found.details === '' ? nothing : html`<h2>In its words</h2><div class="scroll" tabindex="0"><pre class="words">${found.details}</pre></div>`}
${references(found)}`
  return sheet(c, { title: found.id, main, facts: facts(found) })
}

function subject(each: Advisory): Markup {
  return html`<tr><td><a href="${packagePath(each.package, { show: 'security' })}">${each.package}</a></td><td>${severityBadge(each)}</td><td><code>${each.range === '*' ? 'all' : each.range}</code></td><td>${each.fixed.length === 0 ? 'nothing yet' : each.fixed.join(', ')}</td></tr>`
}

function references({ references }: ShownAdvisory): Markup {
  const links = references.flatMap(each => webAddress(each) ?? [])
  if (links.length === 0) return nothing
  return html`<h2>More about it</h2><ul>${links.map(each => html`<li>${awayLink(each)}</li>`)}</ul>`
}

function facts({ id, aliases, feed, publishedAt, modifiedAt, about }: ShownAdvisory): Markup {
  const cvss = about[0]?.cvss ?? null
  return html`<section><h2>Facts</h2><ul class="bare">
<li>Published ${day(publishedAt)}</li><li>Changed ${day(modifiedAt)}</li>
${cvss === null ? nothing : html`<li>CVSS ${cvss.score} <span class="small"><code>${cvss.vector}</code></span></li>`}
${aliases.length === 0 ? nothing : html`<li>Also known as ${aliases.join(', ')}</li>`}
<li>Came with ${feed}</li>
<li><a href="/osv/v1/vulns/${encodeURIComponent(id)}">The record (OSV, JSON)</a></li></ul></section>`
}
