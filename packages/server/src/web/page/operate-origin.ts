// SPDX-License-Identifier: Apache-2.0
import { nameCursor } from '../../flow/index.ts'
import type {
  CachedPackage,
  MirrorRows,
  NameSource,
  OriginSummary,
  Upstream,
  UpstreamHealth,
} from '../../ports.ts'
import { getHolder, type PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, type Tone } from '../part/badge.ts'
import { ago, formatBytes, plural } from '../part/format.ts'
import { packagePath } from '../part/link.ts'
import { notice } from '../part/notice.ts'
import { operateHead } from './operate-tab.ts'

const cachedShown = 100
const doubtedShown = 50
const doubtsShown = 3
const longestName = 214

const states: Readonly<Record<UpstreamHealth['state'], readonly [string, Tone, string]>> = {
  unknown: ['not asked yet', 'plain', '…'],
  up: ['answers', 'good', '✓'],
  failing: ['fails', 'warn', '!'],
  open: ['left alone for a while', 'bad', '✕'],
}

/** Where names come from, how these registries do, and who watches for private names there. */
export async function originsPage(c: PageContext): Promise<Response> {
  getHolder(c, 'operator', 'responder')
  const { store, upstreams, clock } = c.env.ports
  const [summaries, hosted] = await Promise.all([store.mirrors.summarise(), store.catalog.listHosted()])
  const now = clock()
  const rows = [...upstreams.values()].map(each =>
    row(
      c,
      each,
      summaries.find(({ origin }) => origin === each.name),
      now,
    ),
  )
  const main = html`${operateHead(c, 'origins')}
<h2>Upstream registries</h2>
${
  rows.length === 0
    ? html`<p>There are none: this registry stands alone. <code>origins</code> of the configuration names some.</p>`
    : html`<p>As this process sees them.</p><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Origin</th><th scope="col">Names</th><th scope="col">State</th><th scope="col">Cached</th><th scope="col">Last use</th></tr></thead><tbody>${rows}</tbody></table></div>
<p><a href="/operate/cached">Cached packages</a></p>`
}
${doubts(await store.mirrors.listDoubted(doubtedShown))}
<h2>Hosted here</h2>
<p>${hosted.length === 0 ? 'No names yet.' : html`${hosted.map(each => html`<code>${each}</code> `)} and whatever was published here: these never come from elsewhere.`}</p>
<h2>Private names upstream</h2>
${await watch(c, now)}`
  return sheet(c, { title: 'Origins', main })
}

/** What upstreams list and is left out here: whoever asks for it hears why. */
function doubts(doubted: Awaited<ReturnType<MirrorRows['listDoubted']>>): Markup {
  if (doubted.length === 0) return nothing
  const rows = doubted.map(({ name, origin, leftOut }) => {
    const first = leftOut
      .slice(0, doubtsShown)
      .map(({ version, why }) => html`<bdi>${version}</bdi>: <bdi>${why}</bdi><br>`)
    const more = leftOut.length - first.length
    return html`<tr><td><a href="${packagePath(name)}">${name}</a></td><td>${origin}</td><td>${first}${more > 0 ? `and ${plural(more, 'version')} more` : nothing}</td></tr>`
  })
  return html`<h2>Versions that are not believed</h2>
<p>These registries list them, and what they say of them cannot be: nobody gets them here.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Package</th><th scope="col">Origin</th><th scope="col">Versions</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

function row(c: PageContext, upstream: Upstream, kept: OriginSummary | undefined, now: number): Markup {
  const { state, lastSuccessAt, lastFailureAt, why } = upstream.health()
  const patterns = c.env.ports.routes.filter(route => route.origin === upstream.name)
  const trouble =
    state === 'up' || lastFailureAt === null
      ? nothing
      : html`<br>${ago(lastFailureAt, now)}: <bdi>${why}</bdi>`
  return html`<tr><td>${upstream.name}<br><span class="small"><bdi>${upstream.url}</bdi></span></td>
<td>${patterns.map(({ pattern }) => html`<code>${pattern}</code> `)}</td>
<td>${badge(...states[state])}${lastSuccessAt === null ? nothing : html` <span class="small">answered ${ago(lastSuccessAt, now)}</span>`}${trouble}</td>
<td>${kept === undefined ? 'nothing' : html`${plural(kept.packages, 'package')}, ${plural(kept.versions, 'tarball')} of ${formatBytes(kept.sizeBytes)}`}</td>
<td class="nowrap">${kept?.lastUsedAt == null ? nothing : ago(kept.lastUsedAt, now)}</td></tr>`
}

/** Who looks for names of ours upstream, or that nobody does. */
async function watch(c: PageContext, now: number): Promise<Markup> {
  const { nameSources, config, store } = c.env.ports
  const sources = await Promise.all(
    nameSources.map(async source => sourceLine(source, await store.leases.position(nameCursor(source)))),
  )
  const asked = config.askUpstreamsAbout
  const ranAt = await store.leases.position(sources.length > 0 ? 'job-names' : 'job-ask-upstreams')
  if (sources.length === 0 && asked.length === 0)
    return notice(
      'warn',
      'Not watched',
      html`If somebody publishes one of your names upstream, nobody here notices. Name a copy of the upstream’s names, or its feed of changes, in <code>upstreamNames</code>.`,
    )
  return html`<ul>${sources}${asked.length === 0 ? nothing : html`<li>Upstreams are asked about ${asked.map(each => html`<code>${each}</code> `)}</li>`}</ul>
<p>${ranAt === 0 ? 'Nobody has looked yet.' : html`Looked ${ago(ranAt, now)}.`} What is found is a <a href="/operate/cases">case</a>.</p>`
}

function sourceLine({ label }: NameSource, position: number): Markup {
  return html`<li>Looked for in <code>${label}</code>${position === 0 ? html` ${badge('never read', 'warn', '!')}` : nothing}</li>`
}

/** What is kept of upstreams, in the order of names, as far as they begin as somebody typed. */
export async function cachedPage(c: PageContext): Promise<Response> {
  getHolder(c, 'operator', 'responder')
  const { query } = c.env.call
  const beginning = (query.get('q') ?? '').trim().slice(0, longestName)
  const after = query.get('after') ?? ''
  const { store, clock } = c.env.ports
  const [listed, count] = await Promise.all([
    store.mirrors.list(beginning, after, cachedShown),
    store.mirrors.count(beginning),
  ])
  const last = listed.at(-1)
  const now = clock()
  const main = html`${operateHead(c, 'origins')}
<h2>Cached packages</h2>
<p role="status">${plural(count, 'package')} of <a href="/operate/origins">upstream registries</a>${beginning === '' ? nothing : html`; <a href="/operate/cached">show all</a>`}.</p>
<form class="search" method="get" action="/operate/cached">
<input type="search" name="q" value="${beginning}" aria-label="Name begins with" placeholder="Name begins with" maxlength="${longestName}" autocomplete="off" autocapitalize="none" spellcheck="false">
<button type="submit">Show</button></form>
${
  listed.length === 0
    ? html`<p>There are none${after === '' ? '' : ' behind this one'}.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Package</th><th scope="col">Origin</th><th scope="col">Came in</th><th scope="col">Last use</th><th scope="col">Asked upstream</th></tr></thead><tbody>${listed.map(each => cachedRow(each, now))}</tbody></table></div>`
}
${listed.length === cachedShown && last !== undefined ? html`<p><a rel="next" href="/operate/cached?${new URLSearchParams({ q: beginning, after: last.name }).toString()}">More →</a></p>` : nothing}`
  return sheet(c, { title: 'Cached packages', main })
}

function cachedRow(each: CachedPackage, now: number): Markup {
  const { name, origin, isGone, versions, sizeBytes, usedAt, checkedAt } = each
  return html`<tr><td><a href="${packagePath(name)}">${name}</a> ${isGone ? badge('gone upstream', 'bad', '✕') : nothing}</td><td>${origin}</td>
<td class="nowrap">${versions === 0 ? 'nothing yet' : html`${plural(versions, 'version')}, ${formatBytes(sizeBytes)}`}</td><td class="nowrap">${ago(usedAt, now)}</td><td class="nowrap">${ago(checkedAt, now)}</td></tr>`
}
