// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'
import {
  changePassword,
  changeProfile,
  endSession,
  listLapsed,
  listOwnSessions,
  readAccount,
} from '../../flow/index.ts'
import type { Account, Session } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { clientName } from '../part/client.ts'
import { field } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { packagePath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { accountTabs } from './account-tab.ts'
import { lapsedNotice } from './address.ts'
import { checkFresh } from './confirm.ts'
import { recoveryNotice } from './recovery.ts'

const said: Readonly<Record<string, string>> = {
  welcome: 'Welcome: your account is made',
  verified: 'Your address is confirmed',
  sent: 'The letter is on its way again',
  profile: 'Your profile is saved',
  password: 'Your password is changed, and all other sessions are ended',
  ended: 'The session is ended',
}

/** Who one is here: profile, address, packages. */
export async function accountPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  return overview(c, await readAccount(c.env.ports, visitor))
}

export async function profileSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  const fields = {
    fullname: posted.text('fullname').slice(0, 100),
    homepage: posted.text('homepage').slice(0, 200),
  }
  await changeProfile(c.env.ports, visitor, fields)
  return leadTo(c, '/account?done=profile')
}

async function overview(c: PageContext, account: Account): Promise<Response> {
  const { profile } = account
  const packages = [...(await c.env.ports.store.catalog.listPackagesOf(account.id))]
  const orgs = [...(await c.env.ports.store.identity.listOrgsOf(account.id))]
  const main = html`<h1>${account.login}</h1>
${accountTabs('profile')}
${doneNotice(c)}
${await recoveryNotice(c, getVisitor(c))}
${lapsedNotice(await listLapsed(c.env.ports, account))}
${address(c, account)}
<h2>Profile</h2>
<form class="form" method="post" action="/account">
${field({ name: 'fullname', label: 'Name', value: profile['fullname'] ?? '', autocomplete: 'name', isOptional: true, maxLength: 100 })}
${field({ name: 'homepage', label: 'Homepage', type: 'url', value: profile['homepage'] ?? '', autocomplete: 'url', isOptional: true, maxLength: 200 })}
<button type="submit">Save</button>
</form>
<p class="small after"><a href="/account/delete">Delete the account</a></p>
<h2>Packages</h2>
${packages.length === 0 ? html`<p>You have none yet. <a href="/use#publish">Publish one</a>.</p>` : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Package</th><th scope="col">Role</th></tr></thead><tbody>${packages.map(([name, role]) => html`<tr><td><a href="${packagePath(name)}">${name}</a></td><td>${role}</td></tr>`)}</tbody></table></div>`}
${orgs.length === 0 ? nothing : html`<h2>Organisations</h2><ul class="bare">${orgs.map(([org, role]) => html`<li>@${org} <span class="small">${role}</span></li>`)}</ul>`}`
  return sheet(c, { title: 'Your account', main })
}

function address(c: PageContext, account: Account): Markup {
  if (account.emailVerifiedAt !== null)
    return html`<p><bdi>${account.email}</bdi> ${badge('confirmed', 'good', '✓')} · <a href="/account/addresses">Mail addresses</a></p>`
  const where =
    c.env.ports.mail.kind === 'smtp'
      ? 'Open the link in the letter we sent you.'
      : 'This registry sends no mail: ask its operator for an invitation instead.'
  return notice(
    'warn',
    `${account.email} is not confirmed yet`,
    html`<p>${where} Until then the account can do nothing for others. Mistyped? <a href="/account/addresses">Add the right one</a>.</p>
<form method="post" action="/account/resend"><button class="plain" type="submit">Send it again</button></form>`,
  )
}

/** A new password; the present one proves that it is the owner. */
export async function passwordPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  checkFresh(c, visitor)
  return passwordForm(c, visitor)
}

export async function passwordSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  try {
    if (posted.secret('new') !== posted.secret('again'))
      throw problem('weak-password', { why: 'the two new ones differ' })
    await changePassword(c.env.ports, visitor, posted.secret('old'), posted.secret('new'))
  } catch (error) {
    return passwordForm(c, visitor, asNotice(error))
  }
  return leadTo(c, '/account/sessions?done=password')
}

async function passwordForm(c: PageContext, visitor: Visitor, trouble?: Problem): Promise<Response> {
  const { passwordHash } = await readAccount(c.env.ports, visitor)
  const main = html`<h1>${visitor.login}</h1>
${accountTabs('password')}
${visitor.mustChangePassword === true ? notice('bad', 'This password is in collections of leaked passwords', html`Whoever has such a collection can sign in as you. Choose a new one now; until then nothing else is open to you.`) : nothing}
${problemNotice(trouble)}
${passwordHash === null ? html`<p>You have none: you sign in by passkey.</p>` : html`<p>All other sessions end with the old password; tokens stay.</p>`}
<form class="form" method="post" action="/account/password">
<input type="text" name="login" value="${visitor.login}" autocomplete="username" hidden>
${passwordHash === null ? nothing : field({ name: 'old', label: 'Present password', type: 'password', autocomplete: 'current-password' })}
${field({ name: 'new', label: 'New password', type: 'password', autocomplete: 'new-password', hint: 'At least 12 characters that you use nowhere else.' })}
${field({ name: 'again', label: 'New password again', type: 'password', autocomplete: 'new-password' })}
<button type="submit">Change the password</button>
</form>`
  return sheet(c, { title: 'Password', main, trouble })
}

/** Where one is signed in. */
export async function sessionsPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const sessions = await listOwnSessions(c.env.ports, visitor)
  const main = html`<h1>${visitor.login}</h1>
${accountTabs('sessions')}
${doneNotice(c)}
<p>Browsers in which you are signed in. Command lines have <a href="/account/tokens">tokens</a>.</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Browser</th><th scope="col">Address</th><th scope="col">Since</th><th scope="col">Ends</th><th scope="col"><span class="unseen">Action</span></th></tr></thead>
<tbody>${sessions.map(each => sessionRow(each, visitor, c.env.ports.clock()))}</tbody></table></div>`
  return sheet(c, { title: 'Sessions', main })
}

function sessionRow(session: Session, visitor: Visitor, now: number): Markup {
  const isThis = session.id === visitor.credential.id
  return html`<tr><td title="${session.client}"><bdi>${clientName(session.client)}</bdi> ${isThis ? badge('this one') : nothing}</td><td><code>${session.address}</code></td>
<td class="nowrap">${ago(session.createdAt, now)}</td><td class="nowrap">${ago(session.expiresAt, now)}</td>
<td>${isThis ? nothing : html`<form method="post" action="/account/sessions"><input type="hidden" name="session" value="${session.id}"><button class="link" type="submit">Sign out</button></form>`}</td></tr>`
}

export async function sessionsSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  await endSession(c.env.ports, visitor, posted.text('session'))
  return leadTo(c, '/account/sessions?done=ended')
}

function doneNotice(c: PageContext): Markup {
  const key = c.env.call.query.get('done') ?? ''
  const words = Object.hasOwn(said, key) ? said[key] : undefined
  return words === undefined ? nothing : notice('good', words)
}
