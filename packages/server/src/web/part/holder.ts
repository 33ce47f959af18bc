// SPDX-License-Identifier: Apache-2.0
/** Who fetched what a case is about. */
import type { Holder } from '../../incident/index.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { ago } from './format.ts'

/** A page of them; of what is older than the records only who, when and how often. */
export function holderTable(holders: readonly Holder[], now: number): Markup {
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Version</th><th scope="col">Who</th><th scope="col">Network</th><th scope="col">Client</th><th scope="col">Times</th><th scope="col">First</th><th scope="col">Last</th></tr></thead>
<tbody>${holders.map(
    each =>
      html`<tr><td>${each.package}@${each.version}</td><td>${who(each)}</td><td class="nowrap">${each.address || html`<span class="small">no longer kept</span>`}</td><td><bdi>${each.client.slice(0, 80)}</bdi></td><td>${each.count}</td><td class="nowrap">${ago(each.firstAt, now)}</td><td class="nowrap">${ago(each.lastAt, now)}</td></tr>`,
  )}</tbody></table></div>`
}

function who({ login, accountId, tokenId, job }: Holder): Markup {
  if (job !== undefined)
    return html`CI of <bdi>${job.repository}</bdi>, <bdi>${job.workflow}</bdi>, run <bdi>${job.run}</bdi>`
  const person = login || accountId || (tokenId === '' ? 'nobody signed in' : 'a machine')
  return html`${person}${tokenId === '' ? nothing : html`<br><span class="small">${tokenId}</span>`}`
}
