// SPDX-License-Identifier: Apache-2.0
import { type EventType, eventTable, isPackageName } from '@holdfast/core'
import { type AuditPage, type AuditWish, exportAudit, readAudit, readAuditPush } from '../../flow/index.ts'
import { type AuditLine, csvHead, formatCsv, formatJsonLine } from '../../integrity/index.ts'
import { sendLines } from '../answer.ts'
import { getStaff, type PageContext } from '../context.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { choose, field } from '../part/field.ts'
import { ago, plural } from '../part/format.ts'
import { notice } from '../part/notice.ts'
import { operateHead } from './operate-tab.ts'

const linesShown = 100
const types = Object.keys(eventTable).sort() as EventType[]

/** Everything that happened, newest first, for auditors. */
export async function auditPage(c: PageContext): Promise<Response> {
  const auditor = getStaff(c)
  const page = await readAudit(c.env.ports, auditor, wishOf(c), beforeOf(c), linesShown)
  const main = html`${operateHead(c, 'audit')}
${await pushNotice(c)}
${filter(c)}
${page.lines.length === 0 ? html`<p>Nothing matches.</p>` : table(page)}
${page.next === undefined ? nothing : html`<p><a rel="next" href="${pathOf(c, '/operate/audit', { before: page.next })}">Older →</a></p>`}
<p>Export what the filter shows: <a href="${pathOf(c, '/operate/audit/export', { format: 'jsonl' })}">JSON lines</a> · <a href="${pathOf(c, '/operate/audit/export', { format: 'csv' })}">CSV</a>.</p>`
  return sheet(c, { title: 'Audit', main })
}

/** A trail that is no longer pushed can be changed here before anybody else has it. */
async function pushNotice(c: PageContext): Promise<Markup> {
  const { config, clock } = c.env.ports
  const state = await readAuditPush(c.env.ports)
  if (config.auditPush === undefined || state === undefined) return nothing
  const { host } = new URL(config.auditPush)
  if (state.lateSince === undefined) return html`<p class="small">Pushed to <code>${host}</code>.</p>`
  return notice(
    'bad',
    `${plural(state.waiting, 'event')} not pushed`,
    html`<p><code>${host}</code> does not take them; the oldest happened ${ago(state.lateSince, clock())}. Nothing is lost: they are tried again, and the log of this registry says why it fails (consumer <code>audit-push</code>).</p>`,
  )
}

/** All that the filter shows as a file, sent as it is read. */
export async function auditExport(c: PageContext): Promise<Response> {
  const isCsv = c.env.call.query.get('format') === 'csv'
  const pages = await exportAudit(c.env.ports, getStaff(c), wishOf(c))
  return sendLines(format(pages, isCsv), 'audit', isCsv ? 'csv' : 'jsonl')
}

async function* format(
  pages: AsyncIterable<readonly AuditLine[]>,
  isCsv: boolean,
): AsyncGenerator<Uint8Array, void> {
  if (isCsv) yield Buffer.from(csvHead)
  for await (const lines of pages) yield Buffer.from(lines.map(isCsv ? formatCsv : formatJsonLine).join(''))
}

/** The filter out of the address; what cannot be read is left out. */
function wishOf(c: PageContext): AuditWish {
  const text = (name: string) => (c.env.call.query.get(name) ?? '').trim()
  const type = types.find(each => each === text('type'))
  const name = text('package')
  const [since, until] = [timeOf(text('since')), timeOf(text('until'))]
  return {
    ...(type === undefined ? {} : { type }),
    ...(text('actor') === '' ? {} : { actor: text('actor').slice(0, 100) }),
    ...(isPackageName(name) ? { package: name } : {}),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  }
}

function timeOf(text: string): number | undefined {
  const at = /^\d{4}-\d\d-\d\d(T[\d:.]+Z?)?$/.test(text)
    ? Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text)
    : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

function beforeOf(c: PageContext): number {
  const text = c.env.call.query.get('before') ?? ''
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : Number.MAX_SAFE_INTEGER
}

function pathOf(c: PageContext, path: string, more: Readonly<Record<string, string | number>>): string {
  const query = new URLSearchParams()
  for (const name of ['actor', 'type', 'package', 'since', 'until']) {
    const value = c.env.call.query.get(name) ?? ''
    if (value !== '') query.set(name, value)
  }
  for (const [name, value] of Object.entries(more)) query.set(name, String(value))
  return `${path}?${query}`
}

function filter(c: PageContext): Markup {
  const value = (name: string) => c.env.call.query.get(name) ?? ''
  return html`<form class="form" method="get" action="/operate/audit">
${field({ name: 'actor', label: 'Who', value: value('actor'), isOptional: true, maxLength: 100, hint: 'A user name or an id; operator is the machine’s owner.' })}
${choose('type', 'What', [['', 'everything'], ...types.map(each => [each, each] as const)], value('type'))}
${field({ name: 'package', label: 'Package', value: value('package'), isOptional: true, maxLength: 214 })}
${field({ name: 'since', label: 'From', value: value('since'), isOptional: true, maxLength: 30, hint: 'A day such as 2026-01-31, or a time in UTC.' })}
${field({ name: 'until', label: 'Before', value: value('until'), isOptional: true, maxLength: 30 })}
<button type="submit">Show</button></form>`
}

function table({ lines }: AuditPage): Markup {
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Time (UTC)</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">Package</th><th scope="col">More</th></tr></thead>
<tbody>${lines.map(row)}</tbody></table></div>`
}

function row(line: AuditLine): Markup {
  const { public: told, detail } = line
  const more = JSON.stringify(told === undefined ? detail : { ...detail, public: told }, undefined, 2)
  const who = line.actor.login ?? (line.actor.id === '' ? line.actor.kind : line.actor.id)
  return html`<tr><td class="nowrap"><time datetime="${line.time}">${line.time.slice(0, 19).replace('T', ' ')}</time></td><td>${who}</td><td>${line.type}${line.account === undefined ? nothing : html` <span class="small">of ${line.account.login ?? line.account.id}</span>`}</td>
<td>${line.package ?? ''}${line.version === undefined ? '' : `@${line.version}`}</td><td><details><summary>${summary(detail)}</summary><pre class="text">${more}</pre></details></td></tr>`
}

/** The few words of a detail that tell most. */
function summary(detail: AuditLine['detail']): string {
  const words = ['op', 'what', 'why', 'operation', 'subject', 'count']
    .map(key => detail[key])
    .filter(value => typeof value === 'string' || typeof value === 'number')
  return (
    words
      .filter(word => word !== '')
      .join(' · ')
      .slice(0, 120) || 'details'
  )
}
