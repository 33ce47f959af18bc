// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import { type Deletion, deleteAccount, planDeletion } from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { field } from '../part/field.ts'
import { plural } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'

/** What deleting the account would do, and the form that does it. */
export async function accountEndPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  checkFresh(c, visitor)
  return page(c, visitor)
}

export async function accountEndSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  try {
    const typed = { login: posted.text('login'), password: posted.secret('password') }
    await deleteAccount(c.env.ports, visitor, typed)
  } catch (error) {
    return page(c, visitor, asNotice(error))
  }
  return leadTo(c, '/', '')
}

async function page(c: PageContext, visitor: Visitor, trouble?: Problem): Promise<Response> {
  const plan = await planDeletion(c.env.ports, visitor)
  const main = html`<h1>Delete your account</h1>
${problemNotice(trouble)}
${plan.alone.length > 0 ? handOver(plan) : form(visitor, plan)}`
  return sheet(c, { title: 'Delete your account', main, trouble })
}

function handOver({ alone }: Deletion): Markup {
  return html`${notice('warn', 'Others need you first', html`Nobody else owns these. Hand each of them over, then come back.`)}
<ul>${alone.map(name => html`<li><code>${name}</code> <span class="small">${name.startsWith('@') && !name.includes('/') ? html`make another member owner: <code>npm org set ${name.slice(1)} USER owner</code>` : html`<code>npm owner add USER ${name}</code>`}</span></li>`)}</ul>`
}

function form(visitor: Visitor, plan: Deletion): Markup {
  return html`<p>This cannot be undone. It happens at once:</p>
<ul>
${plan.roles.size === 0 ? nothing : html`<li>You are no longer ${[...plan.roles].map(([name, role], index) => html`${index > 0 ? ', ' : ''}${role} of <code>${name}</code>`)}. What you published stays; others own it.</li>`}
${plan.orgs.size === 0 ? nothing : html`<li>You leave ${[...plan.orgs.keys()].map((org, index) => html`${index > 0 ? ', ' : ''}@${org}`)}.</li>`}
<li>All sessions and ${plural(plan.tokens, 'token')} end; password, passkeys, second factor and recovery codes are removed.</li>
<li>Your mail addresses and your profile are removed. The record keeps an opaque id, no name and no address.</li>
<li>The user name <strong>${visitor.login}</strong> stays taken for ever, so that nobody can pass for you.</li>
</ul>
<form class="form" method="post" action="/account/delete">
${field({ name: 'login', label: `Your user name, ${visitor.login}, to be sure`, maxLength: 39 })}
${field({ name: 'password', label: 'Your password', type: 'password', autocomplete: 'current-password', isOptional: true, hint: 'Leave it empty if your account has none.' })}
<button class="danger" type="submit">Delete the account</button></form>`
}
