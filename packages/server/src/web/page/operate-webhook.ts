// SPDX-License-Identifier: Apache-2.0
import type { Webhook } from '../../config.ts'
import type { WebhookState } from '../../ports.ts'
import { getOperator, type PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { ago } from '../part/format.ts'
import { operateHead } from './operate-tab.ts'

/** Where alerts go, and whether they arrive. Of an address only the host is shown: at most chat tools it is the secret. */
export async function webhooksPage(c: PageContext): Promise<Response> {
  getOperator(c)
  const { store, config, clock } = c.env.ports
  const states = await store.webhooks.list()
  const rows = config.webhooks.map(webhook =>
    row(
      webhook,
      states.find(each => each.id === webhook.id),
      clock(),
    ),
  )
  const main = html`${operateHead(c, 'webhooks')}
<p>Where alerts go: what was held or blocked, what the upstream withdrew, waivers that are asked for. They stand in <code>webhooks</code> of the configuration. What is not taken comes again, for three days.</p>
${
  rows.length === 0
    ? html`<p>There are none.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Host</th><th scope="col">Shape</th><th scope="col">Wants</th><th scope="col">Last message</th><th scope="col">State</th></tr></thead><tbody>${rows}</tbody></table></div>`
}`
  return sheet(c, { title: 'Webhooks', main })
}

function row({ id, url, as, on, secret }: Webhook, state: WebhookState | undefined, now: number): Markup {
  const last = state?.deliveredAt ?? null
  return html`<tr><td>${new URL(url).host} <span class="small">${id}</span></td><td>${as}${secret === undefined ? '' : ', signed'}</td><td>${on.join(', ')}</td>
<td class="nowrap">${last === null ? 'none yet' : ago(last, now)}</td><td>${stateOf(state, now)}</td></tr>`
}

function stateOf(state: WebhookState | undefined, now: number): Markup {
  if (state === undefined || state.failures === 0 || state.failedAt === null)
    return badge('well', 'good', '✓')
  return html`${badge(`failed ${state.failures} times`, 'bad', '✕')} ${ago(state.failedAt, now)}: <bdi>${state.why}</bdi>`
}
