// SPDX-License-Identifier: Apache-2.0
import type { SearchHit } from '../../catalog/index.ts'
import { html, type Markup } from '../markup.ts'
import { badge } from './badge.ts'
import { ago, plural } from './format.ts'
import { packagePath } from './link.ts'

/** Packages, one below the other, their names as headings of the level that fits the page. */
export function packageList(hits: readonly SearchHit[], now: number, level: 2 | 3): Markup {
  return html`<ol class="packages">${hits.map(hit => packageEntry(hit, now, level))}</ol>`
}

function packageEntry(hit: SearchHit, now: number, level: 2 | 3): Markup {
  const title = html`<a href="${packagePath(hit.name)}">${hit.name}</a> <span class="version">${hit.version}</span>`
  return html`<li>
${level === 2 ? html`<h2>${title}</h2>` : html`<h3>${title}</h3>`}
${hit.description === '' ? '' : html`<p><bdi>${hit.description}</bdi></p>`}
<p class="small">${hit.origin === 'hosted' ? '' : html`${badge(`from ${hit.origin}`)} `}${ago(hit.modifiedAt, now)}${hit.publisherLogin === '' ? '' : html` by ${hit.publisherLogin}`}${hit.downloads > 0 ? html` · ${plural(hit.downloads, 'download')}` : ''}${keywords(hit)}</p>
</li>`
}

function keywords(hit: SearchHit): Markup | '' {
  if (hit.keywords.length === 0) return ''
  const links = hit.keywords
    .slice(0, 6)
    .map(word => html` <a class="keyword" href="/search?q=${encodeURIComponent(word)}">${word}</a>`)
  return html` ·${links}`
}

/** Earlier and later pages of a list. */
export function pager(
  total: number,
  page: number,
  size: number,
  pathOf: (page: number) => string,
): Markup | '' {
  const last = Math.max(1, Math.ceil(total / size))
  if (last <= 1) return ''
  return html`<nav class="pager" aria-label="Pages">
${page > 1 ? html`<a rel="prev" href="${pathOf(page - 1)}">← Previous</a>` : html`<span></span>`}
<span>Page ${page} of ${last}</span>
${page < last ? html`<a rel="next" href="${pathOf(page + 1)}">Next →</a>` : html`<span></span>`}
</nav>`
}

/** A page number out of an address: 1 when it is none, bounded so that nobody pages for ever. */
export function pageNumber(text: string | undefined, max: number): number {
  const found = /^\d{1,6}$/.test(text ?? '') ? Number(text) : 1
  return Math.min(Math.max(1, found), max)
}
