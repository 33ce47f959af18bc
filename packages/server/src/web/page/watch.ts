// SPDX-License-Identifier: Apache-2.0
/** What somebody wants to hear of: the button on pages, the list in the account, the link that ends letters. */
import { type Problem, problem } from '@holdfast/core'
import { type Digest, digests, type WatchKind } from '../../community/index.ts'
import {
  listOwnWatches,
  type NamedWatch,
  readStopKey,
  setDigest,
  stopLetters,
  unwatch,
  watch,
} from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { findVisitor, getVisitor, type PageContext } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { choose, field, radios } from '../part/field.ts'
import { day } from '../part/format.ts'
import { packagePath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { accountTabs } from './account-tab.ts'

const kinds: readonly (readonly [WatchKind, string])[] = [
  ['package', 'Package'],
  ['publisher', 'Publisher (user name, or @organisation)'],
]
const digestWords: Readonly<Record<Digest, string>> = {
  'at-once': 'A letter within minutes',
  daily: 'At most one letter a day',
  never: 'No letters',
}

/** Beside a package: the button, and the feed. */
export async function watchBox(c: PageContext, name: string): Promise<Markup> {
  const scope = name.startsWith('@') ? name.split('/')[0] : undefined
  return html`<section><h2>Watch</h2>${await watchButton(c, 'package', name)}
<ul class="bare"><li><a href="/feed/package/${name}.atom">Atom feed</a></li>${scope === undefined ? nothing : html`<li><a href="/feed/publisher/${scope}.atom">Atom feed of ${scope}</a></li>`}</ul></section>`
}

/** The button that begins or ends a watch; for whoever is not signed in, the way there. */
export async function watchButton(c: PageContext, kind: WatchKind, subject: string): Promise<Markup> {
  const visitor = findVisitor(c.env.call.actor)
  const { url } = c.env.call
  if (visitor === undefined)
    return html`<p class="small"><a href="/sign-in?next=${encodeURIComponent(url)}">Sign in</a> to hear of changes by mail.</p>`
  const all = await c.env.ports.store.community.listWatches(visitor.id)
  const isOn = all.some(each => each.kind === kind && each.subject === subject)
  return html`<form class="form" method="post" action="/watch"><input type="hidden" name="kind" value="${kind}"><input type="hidden" name="subject" value="${subject}"><input type="hidden" name="next" value="${url}">
<button type="submit" name="act" value="${isOn ? 'end' : 'begin'}">${isOn ? 'Stop watching' : 'Watch'}</button></form>`
}

/** The button was pressed: back to where it stands. */
export async function watchSubmit(c: PageContext): Promise<Response> {
  const posted = await readForm(c)
  await act(c, posted)
  const next = posted.text('next')
  return leadTo(c, /^\/(?!\/)[\x21-\x7e]*$/.test(next) && !next.includes('\\') ? next : '/account/watches')
}

async function act(c: PageContext, posted: Form): Promise<void> {
  const visitor = getVisitor(c)
  const { ports } = c.env
  const subject = posted.text('subject').slice(0, 300)
  const kind = kindOf(posted.text('kind'))
  switch (posted.text('act')) {
    case 'begin':
      return watch(ports, visitor, kind, subject)
    case 'end':
      return unwatch(ports, visitor, kind, subject)
    case 'digest': {
      const digest = digests.find(each => each === posted.text('digest'))
      if (digest === undefined) throw problem('invalid-body', { why: 'it names no such choice' })
      return setDigest(ports, visitor, digest)
    }
    default:
      throw problem('invalid-body', { why: 'it names no act' })
  }
}

function kindOf(text: string): WatchKind {
  return text === 'publisher' || text === 'advisories' ? text : 'package'
}

/** All that somebody watches, and how they hear of it. */
export function watchesPage(c: PageContext): Promise<Response> {
  return watches(c)
}

export async function watchesSubmit(c: PageContext): Promise<Response> {
  try {
    await act(c, await readForm(c))
  } catch (error) {
    return watches(c, asNotice(error))
  }
  return leadTo(c, '/account/watches')
}

async function watches(c: PageContext, trouble?: Problem): Promise<Response> {
  const visitor = getVisitor(c)
  const { watches: all, settings } = await listOwnWatches(c.env.ports, visitor)
  const main = html`<h1>${visitor.login}</h1>
${accountTabs('watches')}
${problemNotice(trouble)}
<h2>What you watch</h2>
${all.length === 0 ? html`<p>Nothing yet. The page of each package has a button.</p>` : table(all)}
<form class="form" method="post" action="/account/watches">
${choose('kind', 'What', kinds, 'package')}
${field({ name: 'subject', label: 'Name', maxLength: 214 })}
<button type="submit" name="act" value="begin">Watch</button></form>
${watchesAdvisories(all) ? nothing : html`<form class="form" method="post" action="/account/watches"><input type="hidden" name="kind" value="advisories"><button type="submit" name="act" value="begin">Watch all advisories</button></form>`}
<h2>Letters</h2>
<form class="form" method="post" action="/account/watches">
${radios(
  'digest',
  'How often',
  digests.map(each => [each, digestWords[each]] as const),
  settings.digest,
)}
<button type="submit" name="act" value="digest">Save</button></form>
<p class="small">What you may no longer read is no longer told. Each letter has a link that ends them.</p>`
  return sheet(c, { title: 'Watches', main, trouble })
}

function watchesAdvisories(all: readonly NamedWatch[]): boolean {
  return all.some(each => each.kind === 'advisories')
}

function table(all: readonly NamedWatch[]): Markup {
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">What</th><th scope="col">Since</th><th scope="col">Feed</th><th scope="col"><span class="unseen">Action</span></th></tr></thead><tbody>${all.map(row)}</tbody></table></div>`
}

function row({ kind, subject, name, since }: NamedWatch): Markup {
  const what = kind === 'advisories' ? 'All advisories' : name
  const path = kind === 'package' ? packagePath(name) : kind === 'advisories' ? '/advisories' : undefined
  const feed = kind === 'advisories' ? '/feed/advisories.atom' : `/feed/${kind}/${name}.atom`
  return html`<tr><td>${path === undefined ? what : html`<a href="${path}">${what}</a>`} <span class="small">${kind}</span></td><td class="nowrap">${day(since)}</td><td><a href="${feed}" aria-label="Atom feed: ${what}">Atom</a></td>
<td><form method="post" action="/account/watches"><input type="hidden" name="kind" value="${kind}"><input type="hidden" name="subject" value="${subject}"><button class="link" type="submit" name="act" value="end" aria-label="Stop watching ${what}">Stop</button></form></td></tr>`
}

/** The link in a letter: a page first, since programs that read mail open links. */
export function stopPage(c: PageContext): Response {
  readStopKey(c.env.ports, c.req.param('key') ?? '')
  const main = html`<h1>No more letters?</h1>
<p>You will get no letters any more about what you watch here. What you watch stays in your account, and in feeds.</p>
<form method="post" action="/unwatch/${c.req.param('key') ?? ''}"><button type="submit">End the letters</button></form>`
  return sheet(c, { title: 'No more letters?', main })
}

export async function stopSubmit(c: PageContext): Promise<Response> {
  await stopLetters(c.env.ports, c.req.param('key') ?? '')
  const body = html`<p>Begin again in your account, under <a href="/account/watches">Watches</a>.</p>`
  const main = html`<h1>Done</h1>${notice('good', 'No more letters will come', body)}`
  return sheet(c, { title: 'Done', main })
}
