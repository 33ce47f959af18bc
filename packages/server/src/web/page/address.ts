// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import {
  addAddress,
  type LapsedAddress,
  listLapsed,
  listOwnAddresses,
  readAccount,
  removeAddress,
  resendVerification,
  sayLapse,
  setPrimaryAddress,
} from '../../flow/index.ts'
import type { Account, Address } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { field } from '../part/field.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { accountTabs } from './account-tab.ts'
import { checkFresh } from './confirm.ts'

const path = '/account/addresses'
const said: Readonly<Record<string, string>> = {
  add: 'A letter with a link is on its way: open the link to confirm the address',
  primary: 'Letters go to this address from now on',
  remove: 'The address is removed',
  resend: 'The letter is on its way again',
}

/** One's mail addresses: which are confirmed, which one letters go to. */
export async function addressesPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  checkFresh(c, visitor)
  return page(c, visitor)
}

export async function addressesSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  const act = posted.text('act')
  try {
    await change(c, visitor, act, posted)
  } catch (error) {
    return page(c, visitor, asNotice(error), posted.text('email'))
  }
  return leadTo(c, Object.hasOwn(said, act) ? `${path}?done=${act}` : path)
}

async function change(c: PageContext, visitor: Visitor, act: string, posted: Form): Promise<void> {
  const { ports } = c.env
  const email = posted.text('email')
  switch (act) {
    case 'add':
      return addAddress(ports, visitor, email)
    case 'primary':
      return setPrimaryAddress(ports, visitor, email)
    case 'remove':
      return removeAddress(ports, visitor, email)
    case 'resend':
      return resendVerification(ports, visitor, email)
  }
}

async function page(c: PageContext, visitor: Visitor, trouble?: Problem, typed = ''): Promise<Response> {
  const { ports } = c.env
  const account = await readAccount(ports, visitor)
  const addresses = await listOwnAddresses(ports, visitor)
  const lapsed = await listLapsed(ports, account)
  const done = c.env.call.query.get('done') ?? ''
  const main = html`<h1>${visitor.login}</h1>
${accountTabs('addresses')}
${Object.hasOwn(said, done) ? notice('good', said[done] ?? '') : nothing}
${lapsedNotice(lapsed)}
<p>A second confirmed address is a way back in when the first one is lost. An address that is not confirmed counts for nothing.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Address</th><th scope="col">State</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
<tbody>${addresses.map(each => row(each, account, lapsed))}</tbody></table></div>
<h2>Add an address</h2>
${ports.mail.kind === 'smtp' ? nothing : notice('plain', 'This registry sends no mail', html`So no address can be confirmed by a letter; the operator can invite people instead.`)}
${problemNotice(trouble)}
<form class="form" method="post" action="${path}">
${field({ name: 'email', label: 'E-mail address', type: 'email', value: typed, autocomplete: 'email', maxLength: 254 })}
<button type="submit" name="act" value="add">Add</button></form>`
  return sheet(c, { title: 'Mail addresses', main, trouble })
}

/** That an address is no way back in any more, and what to do about it. */
export function lapsedNotice(lapsed: readonly LapsedAddress[]): Markup {
  return html`${lapsed.map(({ email, why }) =>
    notice(
      'bad',
      sayLapse(email, why),
      html`Remove it, after you made another confirmed address the primary one. If the domain is still yours, add the address again afterwards.`,
    ),
  )}`
}

function row({ email, verifiedAt }: Address, account: Account, lapsed: readonly LapsedAddress[]): Markup {
  const isPrimary = email === account.email
  const isLapsed = lapsed.some(each => each.email === email)
  const state =
    verifiedAt === null
      ? badge('not confirmed', 'warn', '!')
      : isLapsed
        ? badge('domain abandoned', 'bad', '✕')
        : badge('confirmed', 'good', '✓')
  return html`<tr><td><bdi>${email}</bdi> ${isPrimary ? badge('primary') : nothing}</td><td>${state}</td>
<td><form class="row" method="post" action="${path}"><input type="hidden" name="email" value="${email}">
${verifiedAt === null ? button('resend', 'Send the letter again', email) : isPrimary || isLapsed ? nothing : button('primary', 'Make primary', email)}
${isPrimary ? nothing : button('remove', 'Remove', email)}</form></td></tr>`
}

function button(act: string, words: string, email: string): Markup {
  return html`<button class="link" type="submit" name="act" value="${act}" aria-label="${words}: ${email}">${words}</button> `
}
