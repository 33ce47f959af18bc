// SPDX-License-Identifier: Apache-2.0
import { type PackageName, problem, statusTable } from '@holdfast/core'
import { decide, type VersionFacts } from '../../catalog/index.ts'
import { type PackageView, viewPackage } from '../../flow/index.ts'
import { authorize } from '../../identity/index.ts'
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge, statusBadge } from '../part/badge.ts'
import { ago, plural } from '../part/format.ts'
import { packagePath, whyPath } from '../part/link.ts'
import { pageNumber, pager } from '../part/list.ts'
import { notice } from '../part/notice.ts'

const size = 100

/** A package that comes from an upstream: its tags and versions, each with what the policy says of it. */
export async function mirrorPage(c: PageContext, name: PackageName): Promise<Response> {
  const { ports, call } = c.env
  await authorize(ports, call.actor, 'package:read', name)
  const view = await viewPackage(ports, name)
  if (view === undefined) throw problem('package-not-found', { name })
  const now = ports.clock()
  const versions = view.versions.toReversed()
  const page = pageNumber(call.query.get('page') ?? undefined, Math.ceil(versions.length / size))
  const rows = versions.slice((page - 1) * size, page * size)
  const main = html`<div class="title"><h1>${name}</h1>
<p class="badges">${badge(`from ${view.origin}`)} <span class="small">${plural(versions.length, 'version')}, changed ${ago(view.modifiedAt, now)}</span></p>
${view.known?.mirror.description ? html`<p class="lead"><bdi>${view.known.mirror.description}</bdi></p>` : nothing}</div>
${closedNotice(view)}
<h2>Tags</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Tag</th><th scope="col">Version</th></tr></thead>
<tbody>${[...view.tags].map(([tag, version]) => html`<tr><td>${badge(tag)}</td><td><a href="${whyPath(name, version)}">${version}</a></td></tr>`)}</tbody></table></div>
<h2>Versions</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Version</th><th scope="col">Status</th><th scope="col">Published</th><th scope="col">Note</th></tr></thead>
<tbody>${rows.map(each => row(name, each, now))}</tbody></table></div>
${pager(versions.length, page, size, to => packagePath(name, { page: String(to) }))}`
  return sheet(c, { title: name, main })
}

function closedNotice({ versions }: PackageView): Markup {
  const closed = versions.filter(each => statusTable[each.status].httpStatus === 403)
  if (closed.length === 0) return nothing
  const isAll = closed.length === versions.length
  return notice(
    isAll ? 'bad' : 'warn',
    isAll
      ? 'None of its versions can be installed from here now'
      : `${plural(closed.length, 'version')} cannot be installed from here now`,
    html`<p>Each says below why, and until when.</p>`,
  )
}

function row(name: PackageName, facts: VersionFacts, now: number): Markup {
  const { status, served, reason, deprecated } = decide(facts)
  const until =
    served || facts.until === null
      ? nothing
      : html` <span class="small">changes ${ago(facts.until, now)}</span>`
  return html`<tr><td><a href="${whyPath(name, facts.version)}">${facts.version}</a></td><td>${statusBadge(status)}${until}</td>
<td class="nowrap">${ago(facts.publishedAt, now)}</td><td><bdi>${served ? deprecated : reason}</bdi></td></tr>`
}
