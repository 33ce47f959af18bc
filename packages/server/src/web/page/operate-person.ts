// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'
import {
  describePublisher,
  disableUser,
  enableUser,
  type Reach,
  readReach,
  setInstanceRoles,
  transferUser,
} from '../../flow/index.ts'
import { leadTo } from '../answer.ts'
import { getOperator, type PageContext } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { checks, field } from '../part/field.ts'
import { day, plural } from '../part/format.ts'
import { packagePath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { chosenRoles, instanceRoles } from './operate-people.ts'
import { operateHead } from './operate-tab.ts'
import { factorBadge } from './package-access.ts'

/** One account: what it can publish, its roles, and what is done when its person leaves. */
export async function personPage(c: PageContext): Promise<Response> {
  checkFresh(c, getOperator(c))
  return show(c)
}

export async function personSubmit(c: PageContext): Promise<Response> {
  getOperator(c)
  const posted = await readForm(c)
  try {
    await act(c, posted)
  } catch (error) {
    return show(c, asNotice(error))
  }
  return leadTo(c, pathOf(loginOf(c)))
}

async function act(c: PageContext, posted: Form): Promise<unknown> {
  const { ports, call } = c.env
  const login = loginOf(c)
  switch (posted.text('act')) {
    case 'roles':
      return setInstanceRoles(ports, call.actor, login, chosenRoles(posted))
    case 'disable':
      return disableUser(ports, call.actor, login)
    case 'enable':
      return enableUser(ports, call.actor, login)
    case 'transfer':
      return transferUser(ports, call.actor, login, posted.text('to'))
    default:
      throw problem('invalid-body', { why: 'it says no act that there is' })
  }
}

function loginOf(c: PageContext): string {
  return c.req.param('login') ?? ''
}

function pathOf(login: string): string {
  return `/operate/people/${encodeURIComponent(login)}`
}

async function show(c: PageContext, trouble?: Problem): Promise<Response> {
  const reach = await readReach(c.env.ports, c.env.call.actor, loginOf(c))
  const { account } = reach
  const path = pathOf(account.login)
  const main = html`${operateHead(c, 'people')}
<h2>${account.login} ${account.disabledAt === null ? nothing : badge('switched off', 'bad', '✕')}</h2>
${problemNotice(trouble)}
${facts(reach)}
${packages(reach)}
${tokens(reach)}
${jobs(reach)}
<h3>Roles on this registry</h3><form class="form" method="post" action="${path}">
${checks('roles', 'Roles', instanceRoles, account.roles)}
<button type="submit" name="act" value="roles">Save the roles</button></form>
<h3>When they leave</h3>
${leaving(reach, path)}`
  return sheet(c, { title: account.login, main, status: trouble?.status ?? 200 })
}

function facts({ account, orgs, sessions }: Reach): Markup {
  return html`<dl class="facts">
<dt>Address</dt><dd><bdi>${account.email}</bdi> ${account.emailVerifiedAt === null ? badge('not confirmed', 'warn', '!') : nothing}</dd>
<dt>Second factor</dt><dd>${factorBadge(account)}</dd>
<dt>Since</dt><dd>${day(account.createdAt)}</dd>
<dt>Organisations</dt><dd>${orgs.size === 0 ? 'none' : [...orgs].map(([org, role]) => `${org} (${role})`).join(', ')}</dd>
<dt>Signed in</dt><dd>${plural(sessions.length, 'browser')}</dd>
</dl>`
}

function packages({ packages: all, alone }: Reach): Markup {
  const writes = [...all].filter(([, role]) => role === 'owner' || role === 'maintainer')
  return html`<h3>Can publish ${plural(writes.length, 'package')}</h3>
${writes.length === 0 ? nothing : html`<ul>${writes.map(([name, role]) => html`<li><a href="${packagePath(name)}">${name}</a> as ${role} ${alone.includes(name) ? badge('only owner', 'warn', '!') : nothing}</li>`)}</ul>`}`
}

function tokens({ tokens: all }: Reach): Markup {
  if (all.length === 0) return html`<h3>No tokens</h3>`
  return html`<h3>${plural(all.length, 'token')}</h3><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Token</th><th scope="col">May</th><th scope="col">Ends</th></tr></thead>
<tbody>${all.map(each => html`<tr><td><code>${each.hint}…</code> ${each.name}</td><td>${each.limits.permission}${each.limits.bypassTfa ? ', skips the second factor' : ''}</td><td>${each.expiresAt === null ? 'never' : day(each.expiresAt)}</td></tr>`)}</tbody></table></div>`
}

function jobs({ publishers }: Reach): Markup {
  if (publishers.length === 0) return nothing
  return html`<h3>${plural(publishers.length, 'trusted publisher')} added by them</h3><ul>${publishers.map(each => html`<li><a href="${packagePath(each.package)}">${each.package}</a> from ${describePublisher(each)}</li>`)}</ul>`
}

function leaving({ account, alone }: Reach, path: string): Markup {
  return html`${
    account.disabledAt !== null && alone.length > 0
      ? notice(
          'warn',
          `Nobody can change ${plural(alone.length, 'package')}`,
          html`Give them to somebody below.`,
        )
      : nothing
  }
<form class="form" method="post" action="${path}">
${
  account.disabledAt === null
    ? html`<p>Ends every session, token, waiting approval and trusted publisher of theirs at once, everywhere. It can be switched on again; what was ended stays ended.</p><button type="submit" name="act" value="disable">Switch the account off</button>`
    : html`<p>Lets them sign in again. Tokens and sessions that were ended stay ended.</p><button type="submit" name="act" value="enable">Switch the account on</button>`
}</form>
<form class="form" method="post" action="${path}">
${field({ name: 'to', label: 'Give packages and organisations to', maxLength: 60, hint: html`A user name, or an organisation with its <code>@</code>: its owners get them.` })}
<button type="submit" name="act" value="transfer">Hand over</button></form>`
}
