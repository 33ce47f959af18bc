// SPDX-License-Identifier: Apache-2.0
/** Advisories of this registry's own: a page on which those who respond write one, change it, or take it back. */
import { type Problem, problem } from '@holdfast/core'
import type { OsvRecord } from '../../catalog/index.ts'
import { listOwnAdvisories, publishAdvisory, updateAdvisory, withdrawAdvisory } from '../../flow/index.ts'
import { type AdvisoryDraft, parseAdvisoryDraft } from '../../vulnerability/index.ts'
import { leadTo } from '../answer.ts'
import { getHolder, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { area, choose, field, radios } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

/** What a form holds, before it is looked at. */
interface Filled {
  readonly kind: string
  readonly name: string
  readonly versions: string
  readonly introduced: string
  readonly fixed: string
  readonly severity: string
  readonly cvss: string
  readonly title: string
  readonly details: string
  readonly aliases: string
  readonly references: string
}

const fieldNames = [
  ...['kind', 'name', 'versions', 'introduced', 'fixed', 'severity', 'cvss'],
  ...['title', 'details', 'aliases', 'references'],
] as readonly (keyof Filled)[]
const severities = [
  ['', 'What the vector says'],
  ['low', 'Low'],
  ['moderate', 'Moderate'],
  ['high', 'High'],
  ['critical', 'Critical'],
] as const

/** Those that were written here, with the way to write one. */
export function ownAdvisories(records: readonly OsvRecord[], now: number, mayWrite: boolean): Markup {
  return html`<h2>Written here</h2>
<p>What is known here first, in this registry's own words. What a responder confirms to be malware is written by itself.</p>
${mayWrite ? html`<p><a class="button" href="/operate/advisories/new">Write an advisory</a></p>` : nothing}
${records.length === 0 ? html`<p>None yet.</p>` : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Advisory</th><th scope="col">What</th><th scope="col">State</th><th scope="col">Changed</th></tr></thead><tbody>${records.map(each => row(each, now, mayWrite))}</tbody></table></div>`}`
}

function row({ id, text, modifiedAt, withdrawnAt }: OsvRecord, now: number, mayWrite: boolean): Markup {
  const { summary } = JSON.parse(text) as { readonly summary: string }
  const path = mayWrite && withdrawnAt === null ? `/operate/advisories/own/${id}` : `/advisories/${id}`
  return html`<tr><td class="nowrap"><a href="${path}">${id}</a></td><td><bdi>${summary}</bdi></td><td>${withdrawnAt === null ? badge('published', 'good', '✓') : badge('withdrawn', 'plain')}</td><td class="nowrap">${ago(modifiedAt, now)}</td></tr>`
}

export async function advisoryNewPage(c: PageContext): Promise<Response> {
  checkFresh(c, getHolder(c, 'responder'))
  const { query } = c.env.call
  const filled = { ...fillOf(() => ''), kind: 'vulnerability', name: query.get('package') ?? '' }
  return show(c, undefined, filled)
}

export async function advisoryNewSubmit(c: PageContext): Promise<Response> {
  const writer = checkFresh(c, getHolder(c, 'responder'))
  const posted = await readForm(c)
  const filled = fillOf(name => posted.text(name))
  try {
    const id = await publishAdvisory(c.env.ports, writer, toDocument(filled))
    return leadTo(c, `/advisories/${id}`)
  } catch (error) {
    return show(c, undefined, filled, asNotice(error))
  }
}

export async function advisoryOwnPage(c: PageContext): Promise<Response> {
  const record = await getOwn(c, checkFresh(c, getHolder(c, 'responder')))
  return show(c, record, toFilled(draftOf(record)))
}

export async function advisoryOwnSubmit(c: PageContext): Promise<Response> {
  const writer = checkFresh(c, getHolder(c, 'responder'))
  const record = await getOwn(c, writer)
  const posted = await readForm(c)
  const filled = fillOf(name => posted.text(name))
  try {
    await act(c, writer, record, posted, filled)
  } catch (error) {
    return show(
      c,
      record,
      posted.text('act') === 'withdraw' ? toFilled(draftOf(record)) : filled,
      asNotice(error),
    )
  }
  return leadTo(c, `/advisories/${record.id}`)
}

async function act(c: PageContext, writer: Visitor, { id }: OsvRecord, posted: Form, filled: Filled) {
  const { ports } = c.env
  if (posted.text('act') === 'withdraw')
    return withdrawAdvisory(ports, writer, id, posted.text('words').slice(0, 1000))
  return updateAdvisory(ports, writer, id, toDocument(filled))
}

function fillOf(read: (name: string) => string): Filled {
  return Object.fromEntries(fieldNames.map(name => [name, read(name).slice(0, 20_000)])) as unknown as Filled
}

/** The document that the form stands for; what is wrong with it the writing flow says. */
function toDocument(filled: Filled): unknown {
  const { name, introduced, fixed, cvss, severity, kind } = filled
  const versions = wordsOf(filled.versions)
  const hasSpan = introduced !== '' || fixed !== ''
  const events = [{ introduced: introduced || '0' }, ...(fixed === '' ? [] : [{ fixed }])]
  return {
    summary: filled.title,
    details: filled.details,
    severity: cvss === '' ? [] : [{ score: cvss.trim() }],
    aliases: wordsOf(filled.aliases),
    references: wordsOf(filled.references).map(url => ({ url })),
    affected: [
      {
        package: { ecosystem: 'npm', name: name.trim() },
        versions,
        ranges: hasSpan || versions.length === 0 ? [{ type: 'SEMVER', events }] : [],
      },
    ],
    database_specific: {
      ...(severity === '' ? {} : { severity }),
      cwe_ids: kind === 'malware' ? ['CWE-506'] : [],
    },
  }
}

function wordsOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}

function draftOf({ text }: OsvRecord): AdvisoryDraft {
  return parseAdvisoryDraft(JSON.parse(text))
}

function toFilled(draft: AdvisoryDraft): Filled {
  const [about] = draft.affected
  const [span] = about?.spans ?? []
  return {
    kind: draft.isMalware ? 'malware' : 'vulnerability',
    name: about?.name ?? '',
    versions: about?.versions.join(' ') ?? '',
    introduced: span?.introduced === '0' ? '' : (span?.introduced ?? ''),
    fixed: span?.fixed ?? '',
    severity: draft.severity ?? '',
    cvss: draft.vectors[0] ?? '',
    title: draft.title,
    details: draft.details,
    aliases: draft.aliases.join(' '),
    references: draft.references.join(' '),
  }
}

/** Whether the form says all that the record does: else changing it here would lose something. */
function fitsForm(record: OsvRecord): boolean {
  const { affected, vectors, cwe } = draftOf(record)
  const spans = affected[0]?.spans ?? []
  const isPlain = spans.length <= 1 && spans.every(each => each.lastAffected === undefined)
  return affected.length === 1 && isPlain && vectors.length <= 1 && cwe.length === 0
}

async function show(
  c: PageContext,
  record: OsvRecord | undefined,
  filled: Filled,
  trouble?: Problem,
): Promise<Response> {
  const title = record === undefined ? 'Write an advisory' : `Change ${record.id}`
  const main = html`${operateHead(c, 'advisories')}
<h2>${title}</h2>
${problemNotice(trouble)}
${record === undefined || fitsForm(record) ? form(record, filled) : notice('plain', 'It says more than this form', html`Change it by <code>PUT /api/v1/advisories/${record.id}</code> or <code>holdfast operator advisory update</code>.`)}
${record === undefined ? nothing : withdrawal(record)}`
  return sheet(c, { title, main, status: trouble?.status ?? 200 })
}

function form(record: OsvRecord | undefined, filled: Filled): Markup {
  const action = record === undefined ? '/operate/advisories/new' : `/operate/advisories/own/${record.id}`
  const optional = { isOptional: true } as const
  const { name, introduced, fixed, cvss, title } = filled
  return html`<form class="form" method="post" action="${action}">
${radios(
  'kind',
  'What is it?',
  [
    ['vulnerability', 'A vulnerability: a flaw of an honest package'],
    ['malware', 'Malware: its versions are closed at once where the policy says so'],
  ],
  filled.kind,
)}
${field({ name: 'name', label: 'Package', value: name, maxLength: 214 })}
${field({ name: 'title', label: 'In one line', value: title, maxLength: 300 })}
${area('versions', 'Versions', 'Each by its number, with spaces between. Without any and without a span it is about all of the package.', filled.versions, 2)}
${field({ name: 'introduced', label: 'From version', value: introduced, hint: 'The first that has it; empty for the first of all.', ...optional })}
${field({ name: 'fixed', label: 'Mended in', value: fixed, hint: 'The first that has it no more.', ...optional })}
${choose('severity', 'Severity', severities, filled.severity)}
${field({ name: 'cvss', label: 'CVSS vector', value: cvss, hint: 'Of version 3 or 4, such as CVSS:3.1/AV:N/AC:L/…', ...optional })}
${area('details', 'Details', 'What it does, how one sees it, what to do. Markdown.', filled.details, 8)}
${area('aliases', 'Other names', 'Such as CVE-…, with spaces between.', filled.aliases, 1)}
${area('references', 'Links', 'Addresses, with spaces between.', filled.references, 2)}
<button type="submit" name="act" value="save">${record === undefined ? 'Publish' : 'Publish the change'}</button></form>
<p class="small">Everybody who may read the package reads it at once; the log has that it was published, and its digest.</p>`
}

function withdrawal({ id }: OsvRecord): Markup {
  return html`<h2>Take it back</h2><form class="form" method="post" action="/operate/advisories/own/${id}">
${area('words', 'Why', 'Stands in the advisory, which stays readable and counts no longer.', '', 2)}
<button class="plain" type="submit" name="act" value="withdraw">Withdraw</button></form>`
}

async function getOwn(c: PageContext, writer: Visitor): Promise<OsvRecord> {
  const id = c.req.param('id') ?? ''
  const found = (await listOwnAdvisories(c.env.ports, writer)).find(each => each.id === id)
  if (found === undefined || found.withdrawnAt !== null) throw problem('not-found')
  return found
}
