// SPDX-License-Identifier: Apache-2.0
import { listCheckpoints } from '../../flow/index.ts'
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, nothing } from '../markup.ts'
import { ago } from '../part/format.ts'

const linesShown = 100

/** How the log grew: when which checkpoint was published. */
export async function logCheckpointsPage(c: PageContext): Promise<Response> {
  const { ports, call } = c.env
  const text = call.query.get('before') ?? ''
  const before = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : Number.MAX_SAFE_INTEGER
  const { checkpoints, next } = await listCheckpoints(ports, call.actor, before, linesShown)
  const rows = checkpoints.map(
    ({ at, size }) =>
      html`<tr><td class="nowrap">${ago(at, ports.clock())}</td><td class="nowrap"><code>${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}</code></td><td>${size.toLocaleString('en')}</td></tr>`,
  )
  const main = html`<h1>Checkpoints of the <a href="/log">log</a></h1>
<p class="lead">Each covers all entries before it. A checkpoint that somebody kept can always be compared with the newest: <code>npx holdfast log audit</code> does.</p>
${
  rows.length === 0
    ? html`<p>There are none${text === '' ? ' yet' : ' before that'}.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Published</th><th scope="col">UTC</th><th scope="col">Entries</th></tr></thead><tbody>${rows}</tbody></table></div>`
}
${next === undefined ? nothing : html`<p><a rel="next" href="/log/checkpoints?before=${next}">Older →</a></p>`}
<p class="small">As told by this registry: the times are its claim. What witnesses signed bounds them.</p>`
  return sheet(c, { title: 'Checkpoints', main })
}
