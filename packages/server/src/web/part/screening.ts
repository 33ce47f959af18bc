// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '../../catalog/index.ts'
import { html, type Markup, nothing } from '../markup.ts'

const findingsShown = 50

/** What speaks against a version, the first of it. */
export function screeningFindings(all: readonly Finding[]): Markup {
  if (all.length === 0) return html`<p>No rule found anything.</p>`
  return html`<ol class="screened">${all.slice(0, findingsShown).map(
    each => html`<li><strong>${each.rule}</strong> <span class="small">weight ${each.weight}</span>: ${each.why}
${each.file === '' ? nothing : html`<br><code>${each.file}:${each.line}</code>`}${each.excerpt === '' ? nothing : html`<pre class="words" tabindex="0"><bdi>${each.excerpt}</bdi></pre>`}</li>`,
  )}</ol>${all.length > findingsShown ? html`<p>${all.length - findingsShown} more.</p>` : nothing}`
}
