// SPDX-License-Identifier: Apache-2.0

import { type Problem, parseNamePattern } from '@holdfast/core'
import type { Config } from '../../config.ts'
import { hostNames, listAbandonedDomains, unhostNames } from '../../flow/index.ts'
import { tfaModeOf } from '../../identity/index.ts'
import type { CaseSummary } from '../../incident/index.ts'
import type { StoredLetter } from '../../ports.ts'
import { leadTo } from '../answer.ts'
import { getOperator, type PageContext } from '../context.ts'
import { readForm } from '../form.ts'
import { release, sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { field } from '../part/field.ts'
import { ago, formatBytes, plural } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { operateHead } from './operate-tab.ts'

const lettersShown = 100
const casesLookedAt = 100

/** How the instance is. */
export async function operatePage(c: PageContext): Promise<Response> {
  const operator = getOperator(c)
  const { store, config, mail } = c.env.ports
  const [packages, people, head, hosted, waiting, cases] = await Promise.all([
    store.catalog.countPackages(),
    store.identity.countAccounts(),
    store.events.head(),
    store.catalog.listHosted(),
    store.mail.listWaiting(lettersShown),
    store.incident.listCases(Number.MAX_SAFE_INTEGER, casesLookedAt),
  ])
  const main = html`${operateHead(c, 'overview')}
${tfaModeOf(operator) === 'none' ? notice('warn', 'Your account has a password and nothing else', html`Whoever learns it runs this registry. <a href="/account/security">Add a passkey or an authenticator</a>.`) : nothing}
${openCases(cases)}
${hosted.length === 0 ? notice('warn', 'No names are hosted here yet', html`Nothing can be published until you <a href="/operate/names">say which names belong to you</a>.`) : nothing}
<dl class="counts">${[
    ['Packages', packages],
    ['Accounts', people],
    ['Events', head],
    ['Letters waiting', waiting.length],
  ].map(([word, count]) => html`<div><dt>${word}</dt><dd>${count?.toLocaleString('en')}</dd></div>`)}</dl>
<dl class="facts">
<dt>Store</dt><dd>${badge('answers', 'good', '✓')} ${config.database === undefined ? 'SQLite' : 'PostgreSQL'}</dd>
<dt>Release</dt><dd>Holdfast ${release}, Node ${process.versions.node}</dd>
<dt>Running</dt><dd>since ${ago(c.env.ports.clock() - process.uptime() * 1000, c.env.ports.clock())}, ${formatBytes(process.memoryUsage.rss())} of memory</dd>
<dt>Address</dt><dd><code>${config.publicUrl}</code></dd>
<dt>Reading</dt><dd>${config.read === 'anyone' ? 'anyone may read public packages' : 'only who is signed in'}</dd>
<dt>Sign-up</dt><dd>${config.signUp === 'open' ? 'open to anyone' : 'by invitation'}</dd>
<dt>Second factors</dt><dd>${mfaText(config)}; <a href="/operate/critical">critical packages</a> need passkeys</dd>
<dt>Audit trail</dt><dd>${config.auditPush === undefined ? html`kept <a href="/operate/audit">here</a>, pushed nowhere` : html`kept <a href="/operate/audit">here</a>, pushed to <code>${new URL(config.auditPush).host}</code>`}</dd>
<dt>Mail</dt><dd>${mail.kind === 'smtp' ? 'sent by SMTP' : html`kept in the <a href="/operate/mail">outbox</a>: no SMTP is configured`}</dd>
<dt>Health</dt><dd><a href="/-/health/ready">ready</a> · <a href="/-/metrics">metrics</a></dd>
</dl>`
  return sheet(c, { title: 'Operate', main })
}

function openCases(cases: readonly CaseSummary[]): Markup {
  const open = cases.filter(each => each.state !== 'closed').length
  if (open === 0) return nothing
  return notice(
    'warn',
    `${plural(open, 'case waits', 'cases wait')} for somebody`,
    html`See <a href="/operate/cases">what went wrong</a>.`,
  )
}

/** Whom the rule of second factors lets publish without one. */
function mfaText({ mfa, mfaGraceUntil }: Config): string {
  if (mfa === 'optional') return 'optional: a password alone publishes'
  if (mfaGraceUntil === undefined) return 'needed by everybody who publishes'
  return `needed by everybody who publishes, after ${mfaGraceUntil}`
}

/** The names that can be published here. */
export async function namesPage(c: PageContext): Promise<Response> {
  checkFresh(c, getOperator(c))
  return names(c)
}

export async function namesSubmit(c: PageContext): Promise<Response> {
  const operator = getOperator(c)
  const posted = await readForm(c)
  try {
    const patterns = [...new Set(posted.words('patterns').map(parseNamePattern))]
    const change = posted.text('act') === 'remove' ? unhostNames : hostNames
    if (patterns.length > 0) await change(c.env.ports, operator, patterns)
  } catch (error) {
    return names(c, asNotice(error), posted.text('patterns'))
  }
  return leadTo(c, '/operate/names')
}

async function names(c: PageContext, trouble?: Problem, typed = ''): Promise<Response> {
  const hosted = await c.env.ports.store.catalog.listHosted()
  const main = html`${operateHead(c, 'names')}
<p>Only names under these patterns can be published here. A pattern that is taken away stops new names; what is published stays.</p>
${
  hosted.length === 0
    ? html`<p>There are none yet.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Pattern</th><th scope="col"><span class="unseen">Action</span></th></tr></thead><tbody>${hosted.map(
        pattern =>
          html`<tr><td><code>${pattern}</code></td><td><form method="post" action="/operate/names"><input type="hidden" name="patterns" value="${pattern}"><button class="link" type="submit" name="act" value="remove" aria-label="Remove ${pattern}">Remove</button></form></td></tr>`,
      )}</tbody></table></div>`
}
<h2>Add</h2>
${problemNotice(trouble)}
<form class="form" method="post" action="/operate/names">
${field({ name: 'patterns', label: 'Names or patterns', value: typed, hint: html`Such as <code>@acme/*</code> or <code>acme-*</code>; several with spaces between them.`, maxLength: 2000 })}
<button type="submit">Add</button></form>`
  return sheet(c, { title: 'Names hosted here', main, status: trouble?.status ?? 200 })
}

/** Letters sent and waiting. What holds somebody's secret link is never shown. */
export async function mailPage(c: PageContext): Promise<Response> {
  getOperator(c)
  const letters = await c.env.ports.store.mail.listRecent(lettersShown)
  const isOutbox = c.env.ports.mail.kind === 'outbox'
  const main = html`${operateHead(c, 'mail')}
<p>${isOutbox ? 'No SMTP is configured, so letters stay here. Letters with a secret link keep it to themselves: invite people instead, and hand the link over.' : 'The newest letters, and whether the relay took them.'}</p>
${refusedNotice(letters)}
${await abandonedDomains(c)}
${letters.length === 0 ? html`<p>There are none.</p>` : letters.map(each => letter(each, c.env.ports.clock()))}`
  return sheet(c, { title: 'Mail', main })
}

/** Letters that wait because the relay refuses them: nobody else would notice. */
function refusedNotice(letters: readonly StoredLetter[]): Markup {
  const refused = letters.filter(each => each.sentAt === null && each.error !== null).length
  if (refused === 0) return nothing
  return notice(
    'bad',
    `The relay refuses ${plural(refused, 'letter')}`,
    html`They are tried again for three days; each says below why it waits.`,
  )
}

/** Domains whose addresses recover no account any more. */
async function abandonedDomains(c: PageContext): Promise<Markup> {
  const found = await listAbandonedDomains(c.env.ports, getOperator(c))
  if (found.length === 0) return nothing
  return notice(
    'warn',
    'Mail domains that were abandoned',
    html`<p>Addresses there recover no account; their owners are told by other mailboxes and when they sign in.</p>
<ul>${found.map(({ domain, addresses }) => html`<li><bdi>${domain.domain}</bdi>: ${domain.takesMail ? html`registered anew ${ago(domain.registeredAt ?? 0, c.env.ports.clock())}` : 'takes no mail'}, ${plural(addresses, 'address', 'addresses')}, looked at ${ago(domain.checkedAt, c.env.ports.clock())}</li>`)}</ul>`,
  )
}

function letter(each: StoredLetter, now: number): Markup {
  const state =
    each.sentAt !== null
      ? badge('sent', 'good', '✓')
      : each.error === null
        ? badge('waiting', 'plain', '…')
        : badge('failed', 'bad', '✕')
  return html`<details class="letter"><summary>${each.subject} <span class="small">to <bdi>${each.to}</bdi>, ${ago(each.createdAt, now)}</span> ${state}</summary>
${each.error === null ? nothing : html`<p class="small">After ${each.attempts} attempts: <bdi>${each.error}</bdi></p>`}
${each.secret ? html`<p>This letter holds a secret link for its reader, so it is not shown.</p>` : html`<pre class="text">${each.text}</pre>`}</details>`
}
