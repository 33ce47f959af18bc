// SPDX-License-Identifier: Apache-2.0
import { readLastDrill, readTransparency, reportPeriods, type TransparencyLine } from '../../flow/index.ts'
import type { Drill } from '../../incident/index.ts'
import type { PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup } from '../markup.ts'
import { ago } from '../part/format.ts'

const barWidth = 120
const hourMs = 3600_000

/** What this registry was told, found and did, open to anybody. */
export async function transparencyPage(c: PageContext): Promise<Response> {
  const report = await readTransparency(c.env.ports)
  const { last } = await readLastDrill(c.env.ports)
  const most = Math.max(1, ...report.lines.map(each => each.counts.at(-1) ?? 0))
  const main = html`<h1>Transparency report</h1>
<p class="lead">What this registry was told, found and did. Counted from its record ${ago(report.madeAt, c.env.ports.clock())}; no person and no package is named.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">What</th>${reportPeriods.map(days => html`<th scope="col">${days} days</th>`)}<th scope="col">Year</th></tr></thead>
<tbody>${report.lines.map(each => row(each, most))}</tbody></table></div>
<p>${report.medianCaseMs === null ? 'No case was closed in the last year.' : html`Half of the cases that were closed in the last year took no longer than ${duration(report.medianCaseMs)}.`}</p>
<p>${last === undefined ? 'No incident was rehearsed here yet.' : drillLine(last, c.env.ports.clock())}</p>
<p class="small after">What happened to each version stands in the <a href="/log">transparency log</a>. <a href="/report">Report something</a></p>`
  return sheet(c, { title: 'Transparency report', main })
}

function drillLine({ playbook, endedAt, attackAt, containedAt }: Drill, now: number): Markup {
  const how =
    attackAt === null || containedAt === null
      ? 'and was not contained'
      : `and was contained after ${((containedAt - attackAt) / 1000).toFixed(1)} seconds`
  return html`The last incident was rehearsed ${ago(endedAt ?? 0, now)} (${playbook}) ${how}.`
}

function row({ label, counts, isCut }: TransparencyLine, most: number): Markup {
  const year = counts.at(-1) ?? 0
  const width = Math.round((year / most) * barWidth)
  const bar = html`<svg class="bar-line" viewBox="0 0 ${barWidth} 10" aria-hidden="true" focusable="false"><rect width="${width}" height="10"/></svg>`
  return html`<tr><th scope="row">${label}</th>${counts.map((each, i) => html`<td>${each.toLocaleString('en')}${isCut && i === counts.length - 1 ? ' or more' : ''}</td>`)}<td>${bar}</td></tr>`
}

function duration(ms: number): string {
  const hours = ms / hourMs
  if (hours < 1) return 'an hour'
  return hours < 48 ? `${Math.ceil(hours)} hours` : `${Math.ceil(hours / 24)} days`
}
