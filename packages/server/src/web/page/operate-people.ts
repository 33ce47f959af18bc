// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import { type InviteOutcome, invite, inviteMany, parseInvitees } from '../../flow/index.ts'
import { type Account, type InstanceRole, parseEmail } from '../../identity/index.ts'
import { getOperator, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { area, checks, field } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { snippet } from '../part/snippet.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'
import { factorBadge } from './package-access.ts'

const peopleShown = 100

/** What each role on the instance is for. */
export const instanceRoles: readonly (readonly [InstanceRole, string])[] = [
  ['operator', 'Operator: everything on these pages'],
  ['responder', 'Responder: contains what is dangerous'],
  ['auditor', 'Auditor: reads the private record'],
]

/** Who has an account, and how to get one more. */
export async function peoplePage(c: PageContext): Promise<Response> {
  checkFresh(c, getOperator(c))
  return people(c)
}

/** Makes one invitation or many; links are shown this once to the one who made them. */
export async function peopleSubmit(c: PageContext): Promise<Response> {
  const operator = getOperator(c)
  const posted = await readForm(c)
  try {
    return posted.text('act') === 'list'
      ? await submitList(c, operator, posted)
      : await submitOne(c, operator, posted)
  } catch (error) {
    return people(c, asNotice(error), posted)
  }
}

async function submitOne(c: PageContext, operator: Visitor, posted: Form): Promise<Response> {
  const { ports } = c.env
  const link = await invite(ports, operator, parseEmail(posted.text('email')), chosenRoles(posted), {
    mail: ports.mail.kind === 'smtp',
  })
  return invited(c, posted.text('email'), link)
}

async function submitList(c: PageContext, operator: Visitor, posted: Form): Promise<Response> {
  const outcomes = await inviteMany(c.env.ports, operator, parseInvitees(posted.secret('csv')))
  return invitedMany(c, outcomes)
}

/** The instance roles that a form chose. */
export function chosenRoles(posted: Form): InstanceRole[] {
  return instanceRoles.map(([role]) => role).filter(role => posted.all('roles').includes(role))
}

function invited(c: PageContext, email: string, link: string): Response {
  const main = html`${operateHead(c, 'people')}
${notice('good', `${email} is invited`, html`The link works once, for a week, and is shown this once. ${handOver(c)}`)}
${snippet(link, 'Invitation', 'invitation')}
<p><a href="/operate/people">Back to the people</a></p>`
  return sheet(c, { title: 'Invited', main, path: '/operate/people' })
}

function invitedMany(c: PageContext, outcomes: readonly InviteOutcome[]): Response {
  const links = outcomes.flatMap(each => ('link' in each ? [`${each.email}\t${each.link}`] : []))
  const known = outcomes.flatMap(each => ('why' in each ? [`${each.email} ${each.why}`] : []))
  const main = html`${operateHead(c, 'people')}
${notice('good', `${links.length} invited`, html`Each link works once, for a week, and is shown this once. ${handOver(c)}`)}
${links.length === 0 ? nothing : snippet(links.join('\n'), 'Invitations', 'invitations')}
${known.length === 0 ? nothing : html`<h2>Left alone</h2><ul>${known.map(each => html`<li>${each}</li>`)}</ul>`}
<p><a href="/operate/people">Back to the people</a></p>`
  return sheet(c, { title: 'Invited', main, path: '/operate/people' })
}

function handOver(c: PageContext): string {
  return c.env.ports.mail.kind === 'smtp'
    ? 'It is on its way by mail too.'
    : 'This registry sends no mail: hand it over yourself. Who opens it counts as the owner of the address.'
}

async function people(c: PageContext, trouble?: Problem, posted?: Form): Promise<Response> {
  const after = c.env.call.query.get('after') ?? ''
  const accounts = await c.env.ports.store.identity.listAccounts(after, peopleShown)
  const last = accounts.at(-1)
  const now = c.env.ports.clock()
  const isList = posted?.text('act') === 'list'
  const main = html`${operateHead(c, 'people')}
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">User</th><th scope="col">Address</th><th scope="col">Roles</th><th scope="col">Second factor</th><th scope="col">Since</th></tr></thead>
<tbody>${accounts.map(each => personRow(each, now))}</tbody></table></div>
${accounts.length === peopleShown && last !== undefined ? html`<p><a rel="next" href="/operate/people?after=${encodeURIComponent(last.login)}">More →</a></p>` : nothing}
<h2>Invite</h2>
${isList ? nothing : problemNotice(trouble)}
<form class="form" method="post" action="/operate/people">
${field({ name: 'email', label: 'E-mail address', type: 'email', value: posted?.text('email') ?? '', maxLength: 254 })}
${checks('roles', 'Roles (none: a plain account)', instanceRoles)}
<button type="submit" name="act" value="one">Invite</button></form>
<h2>Invite many</h2>
${isList ? problemNotice(trouble) : nothing}
<form class="form" method="post" action="/operate/people">
${area('csv', 'List', html`One person a line, as a spreadsheet saves it: the address, then roles, if any: <code>ann@company.example,auditor</code>`, posted?.secret('csv') ?? '', 6)}
<button type="submit" name="act" value="list">Invite them</button></form>`
  return sheet(c, { title: 'People', main, status: trouble?.status ?? 200 })
}

function personRow(account: Account, now: number): Markup {
  return html`<tr><td><a href="/operate/people/${encodeURIComponent(account.login)}">${account.login}</a> ${account.disabledAt === null ? nothing : badge('switched off', 'bad', '✕')}</td>
<td><bdi>${account.email}</bdi> ${account.emailVerifiedAt === null ? badge('not confirmed', 'warn', '!') : nothing}</td>
<td>${account.roles.map(role => html`${badge(role)} `)}</td><td>${factorBadge(account)}</td><td class="nowrap">${ago(account.createdAt, now)}</td></tr>`
}
