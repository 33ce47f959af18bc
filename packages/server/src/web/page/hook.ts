// SPDX-License-Identifier: Apache-2.0
/** One's own webhooks: where they go, whether they arrive, and their secrets, shown once. */
import { type Problem, problem } from '@holdfast/core'
import type { Delivery } from '../../community/index.ts'
import { addHook, type HookWithLog, listOwnHooks, removeHook, renewHookSecret } from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { field } from '../part/field.ts'
import { ago, plural } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { snippet } from '../part/snippet.ts'
import { accountTabs } from './account-tab.ts'

export function hooksPage(c: PageContext): Promise<Response> {
  return hooks(c)
}

export async function hooksSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const { ports } = c.env
  const posted = await readForm(c)
  const id = posted.text('id')
  try {
    switch (posted.text('act')) {
      case 'add':
        return await hooks(c, { secret: (await addHook(ports, visitor, posted.text('url'))).secret })
      case 'renew':
        return await hooks(c, { secret: (await renewHookSecret(ports, visitor, id)).secret })
      case 'remove':
        await removeHook(ports, visitor, id)
        return leadTo(c, '/account/webhooks')
      default:
        throw problem('invalid-body', { why: 'it names no act' })
    }
  } catch (error) {
    return hooks(c, { trouble: asNotice(error), typed: posted.text('url') })
  }
}

interface Shown {
  readonly secret?: string
  readonly trouble?: Problem
  readonly typed?: string
}

async function hooks(c: PageContext, { secret, trouble, typed = '' }: Shown = {}): Promise<Response> {
  const visitor = getVisitor(c)
  const all = await listOwnHooks(c.env.ports, visitor)
  const now = c.env.ports.clock()
  const main = html`<h1>${visitor.login}</h1>
${accountTabs('hooks')}
${problemNotice(trouble)}
${secret === undefined ? nothing : notice('good', 'Keep this secret: it is shown once', html`${snippet(secret, 'The secret that messages are signed with')}<p>Every message is signed as Standard Webhooks wants it: <code>webhook-id</code>, <code>webhook-timestamp</code>, <code>webhook-signature</code>.</p>`)}
<p>An address of yours that is told at once of <a href="/account/watches">what you watch</a>. What it does not take comes again, for five days.</p>
${all.map(each => section(each, now))}
<h2>Add one</h2>
<form class="form" method="post" action="/account/webhooks">
${field({ name: 'url', label: 'Address', type: 'url', value: typed, maxLength: 1000, hint: 'https, on a public host.' })}
<button type="submit" name="act" value="add">Add</button></form>`
  return sheet(c, { title: 'Webhooks', main, trouble })
}

function section(hook: HookWithLog, now: number): Markup {
  const { host } = new URL(hook.url)
  const button = (act: string, label: string) =>
    html`<button type="submit" class="link" name="act" value="${act}" aria-label="${label} (${host})">${label}</button>`
  return html`<article><h2><bdi>${host}</bdi></h2>
<p><bdi>${hook.url}</bdi> ${stateOf(hook, now)}</p>
<form method="post" action="/account/webhooks"><input type="hidden" name="id" value="${hook.id}">${button('renew', hook.isDead ? 'Try again, with a new secret' : 'New secret')} · ${button('remove', 'Remove')}</form>
${hook.log.length === 0 ? html`<p class="small">It was told nothing yet.</p>` : table(host, hook.log, now)}</article>`
}

function stateOf({ isDead, failingSince }: HookWithLog, now: number): Markup {
  if (isDead) return badge('ended', 'bad', '✕')
  if (failingSince === null) return badge('well', 'good', '✓')
  return html`${badge('failing', 'warn', '!')} since ${ago(failingSince, now)}`
}

function table(host: string, log: readonly Delivery[], now: number): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="What ${host} was told"><table><thead><tr><th scope="col">Event</th><th scope="col">State</th><th scope="col">Tries</th><th scope="col">When</th></tr></thead><tbody>${log.map(
    ({ position, state, attempts, at, why }) =>
      html`<tr><td>${position}</td><td>${state === 'done' ? badge('taken', 'good', '✓') : badge('waits', 'warn', '○')} <bdi>${why}</bdi></td><td>${plural(attempts, 'try', 'tries')}</td><td class="nowrap">${ago(at, now)}</td></tr>`,
  )}</tbody></table></div>`
}
