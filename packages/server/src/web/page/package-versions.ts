// SPDX-License-Identifier: Apache-2.0
import { statusTable } from '@holdfast/core'
import { decide, type VersionFacts } from '../../catalog/index.ts'
import type { PageContext } from '../context.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, statusBadge } from '../part/badge.ts'
import { ago, plural } from '../part/format.ts'
import { packagePath, whyPath } from '../part/link.ts'
import { pageNumber, pager } from '../part/list.ts'
import { notice } from '../part/notice.ts'
import type { ShownPackage } from './package-read.ts'

const size = 100

/** Tags, and every version that may be mentioned, newest first, each with its status in words. */
export function versionsTab(c: PageContext, shown: ShownPackage): Markup {
  const { name, facts, tags } = shown
  const now = c.env.ports.clock()
  const page = pageNumber(c.env.call.query.get('page') ?? undefined, Math.ceil(facts.length / size))
  const rows = facts.slice((page - 1) * size, page * size)
  return html`${closedNotice(facts)}
<h2>Tags</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Tag</th><th scope="col">Version</th></tr></thead>
<tbody>${[...tags].map(([tag, version]) => html`<tr><td>${badge(tag)}</td><td><a href="${packagePath(name, { v: version })}">${version}</a></td></tr>`)}</tbody></table></div>
<h2>Versions</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Version</th><th scope="col">Status</th><th scope="col">Published</th><th scope="col">Note</th></tr></thead>
<tbody>${rows.map(each => row(shown, each, now))}</tbody></table></div>
${pager(facts.length, page, size, to => packagePath(name, { show: 'versions', page: String(to) }))}`
}

function closedNotice(facts: readonly VersionFacts[]): Markup {
  const closed = facts.filter(isRefused)
  if (closed.length === 0) return nothing
  const isAll = closed.length === facts.length
  return notice(
    isAll ? 'bad' : 'warn',
    isAll
      ? 'None of its versions can be installed from here now'
      : `${plural(closed.length, 'version')} cannot be installed from here now`,
    html`<p>Each says below why, and until when.</p>`,
  )
}

function isRefused({ status }: VersionFacts): boolean {
  return statusTable[status].httpStatus === 403
}

function row({ name, tagsOf }: ShownPackage, facts: VersionFacts, now: number): Markup {
  const decision = decide(facts)
  const note =
    decision.status === 'live' || decision.status === 'yanked' ? decision.deprecated : decision.reason
  const until =
    decision.served || facts.until === null
      ? nothing
      : html` <span class="small">changes ${ago(facts.until, now)}</span>`
  const isDeprecated = decision.status === 'live' && decision.deprecated !== ''
  return html`<tr><td><a href="${packagePath(name, { v: facts.version })}">${facts.version}</a> ${tagsOf(facts.version).map(tag => badge(tag))}</td>
<td>${isRefused(facts) ? html`<a href="${whyPath(name, facts.version)}">${statusBadge(decision.status)}</a>` : statusBadge(decision.status)}${until} ${isDeprecated ? badge('deprecated', 'warn', '!') : ''}</td>
<td class="nowrap">${ago(facts.publishedAt, now)}</td><td><bdi>${note}</bdi></td></tr>`
}
