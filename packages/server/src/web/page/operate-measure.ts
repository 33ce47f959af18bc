// SPDX-License-Identifier: Apache-2.0
import { type Problem, reasonCodes } from '@holdfast/core'
import {
  confirmMeasure,
  contain,
  type Draft,
  listMeasures,
  type Preview,
  parseDraft,
  previewMeasure,
  undoMeasure,
} from '../../flow/index.ts'
import type { TakenMeasure, VersionQuery } from '../../incident/index.ts'
import { leadTo } from '../answer.ts'
import { hasRole, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { area, choose, field } from '../part/field.ts'
import { ago, plural } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { getCaseReader } from './operate-case.ts'
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

interface Asked {
  readonly posted: Form
  readonly draft: Draft
  readonly preview: Preview
}

/** What is closed, what was, and how to close more. */
export async function measuresPage(c: PageContext): Promise<Response> {
  const reader = getCaseReader(c)
  if (hasRole(reader, 'responder')) checkFresh(c, reader)
  return show(c, reader)
}

/** Shows what a draft would close, then closes it; confirms and opens again. */
export async function measuresSubmit(c: PageContext): Promise<Response> {
  const reader = getCaseReader(c)
  const posted = await readForm(c)
  const { ports } = c.env
  try {
    const act = posted.text('act')
    if (act === 'confirm') await confirmMeasure(ports, reader, posted.text('id'))
    else if (act === 'undo') await undoMeasure(ports, reader, posted.text('id'))
    else {
      const draft = parseDraft(textOf(posted))
      const preview = await previewMeasure(ports, reader, draft)
      if (act !== 'take') return show(c, reader, undefined, { posted, draft, preview })
      await contain(ports, reader, draft)
    }
  } catch (error) {
    return show(c, reader, asNotice(error))
  }
  return leadTo(c, '/operate/measures')
}

function textOf(posted: Form): Record<string, string> {
  return Object.fromEntries(
    posted
      .names()
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
${mayTake && asked === undefined ? forms() : nothing}`
  return sheet(c, { title: 'Measures', main, trouble })
}

function row(each: TakenMeasure, reader: Visitor, mayTake: boolean, now: number): Markup {
  const { reason, words, actor, madeAt } = each
  return html`<tr><td>${each.kind} <bdi>${inWords(each)}</bdi></td><td>${reason}${words === '' ? nothing : html`: <bdi>${words}</bdi>`}</td><td>${actor}, ${ago(madeAt, now)}</td><td>${state(each, now)}</td><td>${
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

function previewed({ posted, draft, preview: { count, versions, word } }: Asked): Markup {
  const title =
    draft.what.kind === 'freeze'
      ? titleOfFreeze(draft.what.subject, count)
      : `This closes ${plural(count, 'version')}`
  const names = versions.map(({ name, version }) => html`<li>${name}@${version}</li>`)
  const kept = posted.names().filter(name => name !== 'act' && name !== 'confirm')
  return html`${notice('warn', title, names.length === 0 ? nothing : html`<ul>${names}</ul>${count > names.length ? html`<p>and more.</p>` : nothing}`)}
<form class="form" method="post" action="/operate/measures">${kept.map(name => html`<input type="hidden" name="${name}" value="${posted.text(name)}">`)}
${word === '' ? nothing : field({ name: 'confirm', label: `Type ${word}`, hint: 'It reaches everything.' })}
<button name="act" value="take">Close it now</button></form>`
}

function titleOfFreeze(subject: string, count: number): string {
  if (subject.startsWith('hash:'))
    return `This blocks bytes, and closes ${plural(count, 'version')} hosted here`
  if (subject.startsWith('indicator:')) return 'This blocks what comes in with this text in it'
  return `This freezes ${subject}`
}

function forms(): Markup {
  const rest = html`${choose(
    'reason',
    'Reason',
    reasonCodes.map(code => [code, code] as const),
    'malware',
  )}${area('words', 'In words', 'Whoever is refused reads it.')}`
  return html`<h2>Quarantine versions</h2>
<form class="form" method="post" action="/operate/measures"><input type="hidden" name="kind" value="quarantine">
${inputs.map(([name, label, hint]) => field({ name, label, isOptional: true, ...(hint === undefined ? {} : { hint }) }))}
${rest}<button name="act" value="preview">Show what it closes</button></form>
<h2>Block</h2>
<p>Bytes are refused wherever they are; what has a text in it is refused as it is published, and closed as it comes in from an upstream. Of what is here already, quarantine what names it.</p>
<form class="form" method="post" action="/operate/measures"><input type="hidden" name="kind" value="block">
${field({ name: 'hash', label: 'Hash of a tarball', isOptional: true, hint: 'sha512-… or hexadecimal' })}
${field({ name: 'indicator', label: 'Or text in a package', isOptional: true, hint: 'A host, an address, a mailbox, or the SHA-256 of a file. Also found backwards, in hexadecimal and in base64.' })}
${rest}<button name="act" value="preview">Show what it closes</button></form>
<h2>Freeze</h2>
<form class="form" method="post" action="/operate/measures"><input type="hidden" name="kind" value="freeze">
${field({ name: 'subject', label: 'What', hint: freezeHint, maxLength: 300 })}
${rest}<button name="act" value="preview">Show what it closes</button></form>`
}
