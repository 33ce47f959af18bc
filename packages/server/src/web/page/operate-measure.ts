// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { type Problem, reasonCodes } from '@holdfast/core'
import {
  confirmMeasure,
  contain,
  type Draft,
  type ListedMeasure,
  listMeasures,
  type Means,
  type Preview,
  parseDraft,
  parseRevocation,
  previewMeasure,
  previewRevocation,
  revokeMeans,
  undoMeasure,
} from '../../flow/index.ts'
import type { TakenMeasure, VersionQuery } from '../../incident/index.ts'
import { leadTo } from '../answer.ts'
import { getStaff, hasRole, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { area, choose, field } from '../part/field.ts'
import { ago, plural } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

const inputs = [
  ['package', 'Package'],
  ['version', 'Version'],
  ['origin', 'From', 'hosted, or the name of an upstream'],
  [
    'publisher',
    'Published by',
    'a user name, or the id of a CI publisher; with an upstream, who published it there',
  ],
  ['token', 'With the token', 'its id'],
  ['since', 'Published since', 'such as 2026-01-31T12:00:00Z'],
  ['until', 'Published before'],
  ['hash', 'Hash of the tarball', 'sha512-… or hexadecimal'],
  ['indicator', 'Text in the manifest', 'a host, an address, a script; in capitals or not'],
] as const

const freezeHint =
  'registry, publishing, sign-up, proxying, package:NAME, scope:@NAME, account:LOGIN, publisher:ID, origin:NAME, issuer:URL or hash:sha512-…'

const patienceMs = 1000
const refreshSeconds = '2'

type Asked = { readonly posted: Form } & (
  | { readonly draft: Draft; readonly preview: Preview }
  | { readonly means: Means }
)

/** What is closed, what was, and how to close more. */
export async function measuresPage(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  if (hasRole(reader, 'responder')) checkFresh(c, reader)
  return show(c, reader)
}

/** Shows what a draft would close, then closes it; confirms and opens again. */
export async function measuresSubmit(c: PageContext): Promise<Response> {
  const reader = getStaff(c)
  const posted = await readForm(c)
  const { ports } = c.env
  try {
    const act = posted.text('act')
    if (act === 'confirm') await confirmMeasure(ports, reader, posted.text('id'))
    else if (act === 'undo') await undoMeasure(ports, reader, posted.text('id'))
    else if (posted.text('kind') === 'revoke') {
      const { query, why } = parseRevocation(textOf(posted))
      if (act !== 'take')
        return show(c, reader, undefined, { posted, means: await previewRevocation(ports, reader, query) })
      await revokeMeans(ports, reader, query, why)
    } else {
      const draft = parseDraft(textOf(posted))
      const preview = await previewMeasure(ports, reader, draft)
      if (act !== 'take') return show(c, reader, undefined, { posted, draft, preview })
      await withinReason(contain(ports, reader, draft))
    }
  } catch (error) {
    return show(c, reader, asNotice(error))
  }
  return leadTo(c, '/operate/measures')
}

/** Many versions take seconds: then the page says how far it is. What a crash leaves open is closed by the next process. */
async function withinReason(closing: Promise<unknown>): Promise<void> {
  closing.catch(() => {})
  const waiting = new AbortController()
  await Promise.race([closing, delay(patienceMs, undefined, { signal: waiting.signal }).catch(() => {})])
  waiting.abort()
}

function textOf(posted: Form): Record<string, string> {
  return Object.fromEntries(
    posted
      .names()
      .filter(name => name !== 'act')
      .map(name => [name, posted.text(name)])
      .filter(([, text]) => text !== ''),
  )
}

async function show(c: PageContext, reader: Visitor, trouble?: Problem, asked?: Asked): Promise<Response> {
  const now = c.env.ports.clock()
  const measures = await listMeasures(c.env.ports, reader)
  const mayTake = hasRole(reader, 'responder')
  const main = html`${operateHead(c, 'measures')}
<p>What people closed. One responder closes at once, for four hours; when a second confirms, it stays. Two open it again, but for what its maker takes back before that.</p>
${problemNotice(trouble)}
${asked === undefined ? nothing : previewed(asked)}
${
  measures.length === 0
    ? html`<p>Nothing was closed yet.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">What</th><th scope="col">Why</th><th scope="col">By</th><th scope="col">State</th><th scope="col"></th></tr></thead><tbody>${measures.map(each => row(each, reader, mayTake, now))}</tbody></table></div>`
}
${mayTake && asked === undefined ? measureForm(c) : nothing}`
  const isUnderWay = asked === undefined && measures.some(isClosing)
  const page = sheet(c, { title: 'Measures', main, trouble })
  if (isUnderWay) page.headers.set('refresh', refreshSeconds)
  return page
}

function row(each: ListedMeasure, reader: Visitor, mayTake: boolean, now: number): Markup {
  const { reason, words, actor, madeAt } = each
  return html`<tr><td>${each.kind} <bdi>${inWords(each)}</bdi></td><td>${reason}${words === '' ? nothing : html`: <bdi>${words}</bdi>`}</td><td>${actor}, ${ago(madeAt, now)}</td><td>${state(each, now)}${progress(each)}</td><td>${
    mayTake && each.undoneAt === null ? acts(each, reader) : nothing
  }</td></tr>`
}

/** A query as its keys and values; times as people write them. */
function inWords({ kind, subject }: TakenMeasure): string {
  if (kind === 'freeze') return subject
  const query = Object.entries(JSON.parse(subject) as VersionQuery)
  if (query.length === 0) return 'everything'
  const text = (value: string | number) => (typeof value === 'number' ? new Date(value).toISOString() : value)
  return query.map(([key, value]) => `${key} ${text(value)}`).join(', ')
}

function isClosing({ undoneAt, finishedAt }: ListedMeasure): boolean {
  return undoneAt === null && finishedAt === null
}

/** How many versions it holds; while it closes them, of how many. */
function progress(each: ListedMeasure): Markup {
  const { closed, wanted } = each
  if (isClosing(each))
    return html` <progress max="${Math.max(wanted, closed, 1)}" value="${closed}" aria-label="closed so far"></progress> ${closed} of ${wanted} closed`
  return closed === 0 ? html`` : html`, ${plural(closed, 'version')}`
}

function state(
  { undoneAt, undoneBy, lapsesAt, confirmedBy, undoAskedBy }: TakenMeasure,
  now: number,
): Markup {
  if (undoneAt !== null) return html`ended ${ago(undoneAt, now)} by ${undoneBy}`
  const asked = undoAskedBy === '' ? nothing : html`; ${undoAskedBy} asks to open it`
  if (lapsesAt === null)
    return html`${badge('closed', 'bad', '✕')}${confirmedBy === '' ? nothing : html` confirmed by ${confirmedBy}`}${asked}`
  return html`${badge('closed', 'warn', '!')} ends ${ago(lapsesAt, now)} unless confirmed${asked}`
}

function acts({ id, actor, lapsesAt, undoAskedBy }: TakenMeasure, { login }: Visitor): Markup {
  const mayConfirm = lapsesAt !== null && actor !== login
  const mayUndo = undoAskedBy !== login
  return html`<form method="post" action="/operate/measures"><input type="hidden" name="id" value="${id}">${
    mayConfirm ? html`<button class="link" name="act" value="confirm">Confirm</button> ` : nothing
  }${mayUndo ? html`<button class="link" name="act" value="undo">Open again</button>` : nothing}</form>`
}

function previewed(asked: Asked): Markup {
  return 'means' in asked ? previewedMeans(asked.posted, asked.means) : previewedDraft(asked.posted, asked)
}

function previewedMeans(posted: Form, { holders, tokens, sessions, publishers, word }: Means): Markup {
  const isOfPublisher = posted.text('publisher') !== ''
  const counts = [plural(tokens.length, 'token'), plural(sessions.length, 'session')]
  const ended = isOfPublisher ? [...counts, plural(publishers.length, 'publisher')] : counts
  return html`${notice('warn', `This ends ${ended.join(', ')} for good`, html`<p>Of ${word === '' ? html`<bdi>${holders.join(', ')}</bdi>` : 'everybody, you too'}. It cannot be undone: new ones are made.</p>`)}
<form class="form" method="post" action="/operate/measures">${keptFields(posted)}
${word === '' ? nothing : confirmField(word)}
<button name="act" value="take">End them now</button></form>`
}

function confirmField(word: string): Markup {
  return field({ name: 'confirm', label: `Type ${word}`, hint: 'It reaches everything.' })
}

function keptFields(posted: Form): readonly Markup[] {
  const kept = posted.names().filter(name => name !== 'act' && name !== 'confirm')
  return kept.map(name => html`<input type="hidden" name="${name}" value="${posted.text(name)}">`)
}

function previewedDraft(
  posted: Form,
  { draft, preview: { count, versions, word } }: { readonly draft: Draft; readonly preview: Preview },
): Markup {
  const title =
    draft.what.kind === 'freeze'
      ? titleOfFreeze(draft.what.subject, count)
      : `This closes ${plural(count, 'version')}`
  const names = versions.map(({ name, version }) => html`<li>${name}@${version}</li>`)
  return html`${notice('warn', title, names.length === 0 ? nothing : html`<ul>${names}</ul>${count > names.length ? html`<p>and more.</p>` : nothing}`)}
<form class="form" method="post" action="/operate/measures">${keptFields(posted)}
${word === '' ? nothing : confirmField(word)}
<button name="act" value="take">Close it now</button></form>`
}

function titleOfFreeze(subject: string, count: number): string {
  if (subject.startsWith('hash:'))
    return `This blocks bytes, and closes ${plural(count, 'version')} hosted here`
  if (subject.startsWith('indicator:')) return 'This blocks what comes in with this text in it'
  return `This freezes ${subject}`
}

const kinds = [
  ['quarantine', 'Quarantine versions'],
  ['freeze', 'Freeze'],
  ['block', 'Block'],
  ['revoke', 'Revoke'],
] as const
type Kind = (typeof kinds)[number][0]

/** One at a time: each asks for names of its own, and for the same words. */
function measureForm(c: PageContext): Markup {
  const wanted = c.env.call.query.get('do')
  const [kind, title] = kinds.find(each => each[0] === wanted) ?? kinds[0]
  const [incident = ''] = /^case-[0-9a-f]{16}$/.exec(c.env.call.query.get('case') ?? '') ?? []
  return html`<nav class="tabs" aria-label="Kinds of measures">${kinds.map(
    ([key, label]) =>
      html`<a href="/operate/measures?do=${key}${incident === '' ? '' : `&case=${incident}`}" ${key === kind ? html`aria-current="page"` : ''}>${label}</a>`,
  )}</nav>
<h2>${title}</h2>
${incident === '' ? nothing : html`<p>For <a href="/operate/cases/${incident}">a case</a>, which lists it.</p>`}
<form class="form" method="post" action="/operate/measures"><input type="hidden" name="kind" value="${kind}"><input type="hidden" name="incident" value="${incident}">
${fieldsOf(kind)}
${choose(
  'reason',
  'Reason',
  reasonCodes.map(code => [code, code] as const),
  'malware',
)}${area('words', 'In words', 'Whoever is refused reads it.')}
<button name="act" value="preview">Show what it ${kind === 'revoke' ? 'ends' : 'closes'}</button></form>`
}

function fieldsOf(kind: Kind): Markup {
  switch (kind) {
    case 'quarantine':
      return html`${inputs.map(([name, label, hint]) => field({ name, label, isOptional: true, ...(hint === undefined ? {} : { hint }) }))}`
    case 'freeze':
      return html`${field({ name: 'subject', label: 'What', hint: freezeHint, maxLength: 300 })}`
    case 'block':
      return html`<p>Bytes are refused wherever they are; what has a text in it is refused as it is published, and closed as it comes in from an upstream. Of what is here already, quarantine what names it.</p>
${field({ name: 'hash', label: 'Hash of a tarball', isOptional: true, hint: 'sha512-… or hexadecimal' })}
${field({ name: 'indicator', label: 'Or text in a package', isOptional: true, hint: 'A host, an address, a mailbox, or the SHA-256 of a file. Also found backwards, in hexadecimal and in base64.' })}`
    case 'revoke':
      return html`<p>Tokens and sessions of an account, a CI publisher, everybody who may publish a package, or, where nobody is named, everybody, end for good; a publisher that is named ends too.</p>
${field({ name: 'account', label: 'Of the account', isOptional: true, hint: 'a user name' })}
${field({ name: 'publisher', label: 'Or of the CI publisher', isOptional: true, hint: 'its id' })}
${field({ name: 'package', label: 'Or of everybody who may publish', isOptional: true, hint: 'a package' })}
${field({ name: 'token', label: 'Or this token alone', isOptional: true, hint: 'its id' })}
${field({ name: 'since', label: 'Made since', isOptional: true, hint: 'such as 2026-01-31T12:00:00Z' })}
${field({ name: 'until', label: 'Made before', isOptional: true })}`
  }
}
