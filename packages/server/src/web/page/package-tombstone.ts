// SPDX-License-Identifier: Apache-2.0
import { html, type Markup } from '../markup.ts'
import { statusBadge } from '../part/badge.ts'
import { ago } from '../part/format.ts'
import type { ShownPackage } from './package-read.ts'

/** What remains of a package that was taken back. */
export function tombstone({ name, removedAt, facts }: ShownPackage, now: number): Markup {
  return html`<div class="title"><h1>${name}</h1><p class="badges">${statusBadge('removed')}</p></div>
<p class="lead">This package was unpublished ${ago(removedAt ?? now, now)} and will not come back.</p>
<p>Its name and its versions stay taken, so that nobody can publish something else under them. See the <a href="/policy/unpublish">unpublish policy</a>.</p>
<h2>Versions there were</h2>
<ul class="bare">${facts.map(each => html`<li><span class="version">${each.version}</span> <span class="small">published ${ago(each.publishedAt, now)}</span></li>`)}</ul>`
}
