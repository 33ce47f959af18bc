// SPDX-License-Identifier: Apache-2.0
import { listHappenings } from '../../flow/index.ts'
import type { Ports } from '../../ports.ts'
import { html, type Markup } from '../markup.ts'
import { happenings } from '../part/happening.ts'
import { whyPath } from '../part/link.ts'
import type { ShownPackage } from './package-read.ts'

/** What happened here to the shown version. */
export async function historyTab(ports: Ports, shown: ShownPackage): Promise<Markup> {
  const { name, selected } = shown
  if (selected === undefined) return html`<p>There is no version to tell of.</p>`
  const { version, publishedAt } = selected
  const all = await listHappenings(ports, shown, version, publishedAt)
  return html`${all.length === 0 ? html`<p>Nothing was decided about ${version} here.</p>` : happenings(all, ports.clock())}
<p><a href="${whyPath(name, version)}">What the rules say of ${version}</a></p>`
}
