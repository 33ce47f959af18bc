// SPDX-License-Identifier: Apache-2.0
import type { Happening } from '../../flow/index.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { ago } from './format.ts'

const happened: Readonly<Record<string, string>> = {
  publish: 'published',
  ingest: 'came in from its upstream, checked',
  hold: 'held',
  quarantine: 'quarantined',
  release: 'released',
  yank: 'yanked',
  unyank: 'no longer yanked',
  unpublish: 'unpublished',
  deprecate: 'deprecation changed',
  'waiver-grant': 'waiver granted',
  'waiver-end': 'waiver ended',
  set: 'policy changed',
}

/** What happened to a version, newest first; nothing where nothing did. */
export function happenings(all: readonly Happening[], now: number): Markup {
  if (all.length === 0) return nothing
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">When</th><th scope="col">What</th></tr></thead>
<tbody>${all.map(each => html`<tr><td class="nowrap">${ago(each.at, now)}</td><td>${words(each)}</td></tr>`)}</tbody></table></div>`
}

function words({ what, rules = [] }: Happening): string {
  const said = happened[what] ?? what
  return rules.length === 0 ? said : `${said}: ${rules.join(', ')}`
}
