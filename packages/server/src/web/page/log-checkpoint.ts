// SPDX-License-Identifier: Apache-2.0
import { listCheckpoints, type PastCheckpoint } from '../../flow/index.ts'
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { ago } from '../part/format.ts'
import { witnessesOf } from '../part/log-signature.ts'

const linesShown = 50

/** How the log grew: when which checkpoint was published, who cosigned it, and the entries that came with it. */
export async function logCheckpointsPage(c: PageContext): Promise<Response> {
  const { ports, call } = c.env
  const text = call.query.get('before') ?? ''
  const before = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : Number.MAX_SAFE_INTEGER
  const { checkpoints, next } = await listCheckpoints(ports, call.actor, before, linesShown)
  const rows = checkpoints.map(each => row(each, ports.clock()))
  const main = html`<h1>Checkpoints of the <a href="/log">log</a></h1>
<p class="lead">Each covers all entries before it. The number under <i>New</i> leads to the entries that came since the one before. A checkpoint that somebody kept can always be compared with the newest: <code>npx holdfast log audit</code> does, and proves that the larger tree begins with the smaller.</p>
${
  rows.length === 0
    ? html`<p>There are none${text === '' ? ' yet' : ' before that'}.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Published</th><th scope="col">UTC</th><th scope="col">Entries</th><th scope="col">New</th><th scope="col">Witnesses</th><th scope="col">As signed</th></tr></thead><tbody>${rows}</tbody></table></div>`
}
${next === undefined ? nothing : html`<p><a rel="next" href="/log/checkpoints?before=${next}">Older →</a></p>`}
<p class="small">As told by this registry: the times are its claim. What witnesses signed bounds them.</p>`
  return sheet(c, { title: 'Checkpoints', main })
}

function row({ at, size, sizeBefore, note }: PastCheckpoint, now: number): Markup {
  const [count, utc] = [size - sizeBefore, new Date(at).toISOString().slice(0, 19).replace('T', ' ')]
  const entries =
    count > 0 ? html`<a href="/log?before=${size}#entries">${count.toLocaleString('en')}</a>` : 'none'
  return html`<tr><td class="nowrap">${ago(at, now)}</td><td class="nowrap"><code>${utc}</code></td><td>${size.toLocaleString('en')}</td><td>${entries}</td>${note === undefined ? notKept : signed(note)}</tr>`
}

const notKept = html`<td colspan="2" class="small">not kept</td>`

function signed(note: string): Markup {
  const names = witnessesOf(note)
  return html`<td>${names.length === 0 ? 'none' : names.join(', ')}</td><td><details><summary>Show</summary><pre class="text">${note}</pre></details></td>`
}
