// SPDX-License-Identifier: Apache-2.0
/** What somebody was told to do about a danger they fetched, and that it is done. */
import type { Problem } from '@holdfast/core'
import { listOwnLetters, setLetterDone } from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html } from '../markup.ts'
import { ago } from '../part/format.ts'
import { asNotice, problemNotice } from '../part/notice.ts'
import { accountTabs } from './account-tab.ts'

/** The letters to oneself. */
export async function toldPage(c: PageContext): Promise<Response> {
  return show(c)
}

/** It is done. */
export async function toldSubmit(c: PageContext): Promise<Response> {
  const posted = await readForm(c)
  try {
    await setLetterDone(c.env.ports, getVisitor(c), posted.text('case'))
  } catch (error) {
    return show(c, asNotice(error))
  }
  return leadTo(c, '/account/told')
}

async function show(c: PageContext, trouble?: Problem): Promise<Response> {
  const letters = await listOwnLetters(c.env.ports, getVisitor(c))
  const now = c.env.ports.clock()
  const main = html`<h1>What you were told</h1>
${accountTabs('told')}
${problemNotice(trouble)}
${letters.length === 0 ? html`<p>You have nothing that is known here to be a danger.</p>` : html`<p>Letters about what you fetched or what your projects contain; they say what to do.</p>`}
<ul class="bare">${letters.map(
    each =>
      html`<li id="${each.incident}">${each.incident}, told ${ago(each.sentAt, now)}: ${
        each.doneAt === null
          ? html`<form method="post" action="/account/told"><input type="hidden" name="case" value="${each.incident}"><button type="submit">It is done</button></form>`
          : html`done ${ago(each.doneAt, now)}`
      }</li>`,
  )}</ul>`
  return sheet(c, { title: 'What you were told', main, status: trouble?.status ?? 200 })
}
