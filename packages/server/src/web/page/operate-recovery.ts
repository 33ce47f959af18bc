// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import { confirmRecovery, listRecoveries, proposeRecovery } from '../../flow/index.ts'
import type { Account, Recovery } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { field } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { snippet } from '../part/snippet.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

const path = '/operate/recovery'

/** For responders and operators: recoveries under way, and vouching for somebody who lost everything. */
export async function staffRecoveryPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  checkFresh(c, visitor)
  return page(c, visitor)
}

export async function staffRecoverySubmit(c: PageContext): Promise<Response> {
  const { ports } = c.env
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  try {
    if (posted.text('act') === 'agree') {
      const link = await confirmRecovery(ports, visitor, posted.text('recovery'))
      return link === undefined ? leadTo(c, path) : page(c, visitor, undefined, link)
    }
    await proposeRecovery(ports, visitor, posted.text('login'), posted.text('email'))
    return leadTo(c, path)
  } catch (error) {
    return page(c, visitor, asNotice(error))
  }
}

async function page(c: PageContext, visitor: Visitor, trouble?: Problem, link?: string): Promise<Response> {
  const open = await listRecoveries(c.env.ports, visitor)
  const now = c.env.ports.clock()
  const main = html`${operateHead(c, 'recovery')}
<p>Whoever lost mailbox, password and second factor gets back in when two of you vouch for them. <a href="/policy/recovery">The policy</a> says the rest; every mailbox of the account is told and can stop it.</p>
${link === undefined ? nothing : html`${notice('warn', 'This registry sends no mail', html`Hand this link over yourself. It is shown this once, and works when the wait is over.`)}${snippet(link, 'Link', 'link')}`}
${problemNotice(trouble)}
${open.length === 0 ? html`<p>None is under way.</p>` : table(open, visitor, now)}
<h2>Vouch for somebody</h2>
<form class="form" method="post" action="${path}">
${field({ name: 'login', label: 'User name', maxLength: 39 })}
${field({ name: 'email', label: 'Their new e-mail address', type: 'email', maxLength: 254, hint: 'Make sure by other means that it is really theirs: a call, a meeting, a signature.' })}
<button type="submit" name="act" value="propose">Propose</button></form>`
  return sheet(c, { title: 'Recoveries', main, status: trouble?.status ?? 200 })
}

function table(
  open: readonly { recovery: Recovery; account: Account }[],
  visitor: Visitor,
  now: number,
): Markup {
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">User</th><th scope="col">By</th><th scope="col">Begun</th><th scope="col">State</th></tr></thead>
<tbody>${open.map(({ recovery, account }) => row(recovery, account, visitor, now))}</tbody></table></div>`
}

function row(recovery: Recovery, account: Account, visitor: Visitor, now: number): Markup {
  const mayAgree =
    recovery.state === 'proposed' && recovery.openedBy !== visitor.id && account.id !== visitor.id
  const form = html`<form method="post" action="${path}"><input type="hidden" name="recovery" value="${recovery.id}"><button class="link" type="submit" name="act" value="agree" aria-label="Agree to the recovery of ${account.login}">I know ${account.login}, and this is their address: agree</button></form>`
  return html`<tr><td>${account.login}</td><td>${recovery.way === 'staff' ? html`staff, for <bdi>${recovery.email}</bdi>` : recovery.way}</td><td class="nowrap">${ago(recovery.beganAt, now)}</td>
<td>${recovery.state === 'proposed' ? html`${badge('waits for a second one', 'warn', '!')} ${mayAgree ? form : nothing}` : html`ready ${ago(recovery.readyAt, now)}`}</td></tr>`
}
