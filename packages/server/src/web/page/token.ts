// SPDX-License-Identifier: Apache-2.0
import type { Problem } from '@holdfast/core'
import { createToken, listOwnTokens, readAccount, revokeToken } from '../../flow/index.ts'
import { type Token, tfaModeOf } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { tokenVariable } from '../client-setup.ts'
import { getVisitor, type PageContext, type Visitor } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { area, choose, field, radios } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { snippet } from '../part/snippet.ts'
import { accountTabs } from './account-tab.ts'
import { checkFresh } from './confirm.ts'
import { lives, tokenRequest } from './token-request.ts'

/** The tokens that work now, each with what it may do. */
export async function tokensPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const tokens = await listOwnTokens(c.env.ports, visitor)
  const now = c.env.ports.clock()
  const main = html`<h1>${visitor.login}</h1>
${accountTabs('tokens')}
${c.env.call.query.get('done') === 'revoked' ? notice('good', 'The token is revoked: it works nowhere any more') : nothing}
<p>Command lines and CI use tokens. <a class="button" href="/account/tokens/new">Make a token</a> <a href="/policy/tokens">Rules for tokens</a></p>
<p>Jobs that publish need none: <a href="/publishers">publish from CI</a> by the job’s own identity.</p>
${
  tokens.length === 0
    ? html`<p>You have none. <code>npm login</code> makes one too.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Name</th><th scope="col">May</th><th scope="col">Only from</th><th scope="col">Last used</th><th scope="col">Ends</th><th scope="col"><span class="unseen">Action</span></th></tr></thead>
<tbody>${tokens.map(each => row(each, now))}</tbody></table></div>`
}`
  return sheet(c, { title: 'Tokens', main })
}

function row(token: Token, now: number): Markup {
  const { limits } = token
  return html`<tr><td><bdi>${token.name}</bdi><br><code class="small">${token.hint}…</code>${token.origin === 'operator' ? html`<br>${badge('made by the operator', 'warn', '!')}` : nothing}${token.description === '' ? nothing : html`<br><span class="small"><bdi>${token.description}</bdi></span>`}</td>
<td>${badge(rights[limits.permission])}<br><span class="small">${packagesText(token)}${limits.bypassTfa ? '; needs no second factor' : ''}</span></td>
<td>${limits.cidr === undefined ? 'anywhere' : html`<code>${limits.cidr.join(', ')}</code>`}</td>
<td class="nowrap">${token.lastUsedAt === null ? 'never' : ago(token.lastUsedAt, now)}</td>
<td class="nowrap">${token.expiresAt === null ? 'never' : ago(token.expiresAt, now)}</td>
<td><form method="post" action="/account/tokens"><input type="hidden" name="token" value="${token.id}"><button class="link" type="submit" aria-label="Revoke ${token.name}">Revoke</button></form></td></tr>`
}

const rights = {
  'read-only': 'read only',
  'stage-only': 'stage only',
  'read-write': 'read and write',
} as const

function packagesText({ limits }: Token): string {
  if (limits.packages === undefined) return 'all your packages'
  return limits.packages.length === 0 ? 'no packages' : limits.packages.join(', ')
}

export async function tokensSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  await revokeToken(c.env.ports, visitor, posted.text('token'))
  return leadTo(c, '/account/tokens?done=revoked')
}

/** What a new token shall be allowed: the narrow choice comes first. */
export function newTokenPage(c: PageContext): Response {
  const visitor = getVisitor(c)
  checkFresh(c, visitor)
  return form(c, visitor, undefined)
}

/** Makes it, and shows its secret this once. */
export async function newTokenSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const posted = await readForm(c)
  const { ports } = c.env
  try {
    const request = tokenRequest(posted)
    const { secret, token } = await createToken(ports, visitor, await readAccount(ports, visitor), request)
    return made(c, visitor, secret, token)
  } catch (error) {
    return form(c, visitor, posted, asNotice(error))
  }
}

function made(c: PageContext, visitor: Visitor, secret: string, token: Token): Response {
  const main = html`<h1>${visitor.login}</h1>
${accountTabs('tokens')}
${notice('good', `Token ${token.name} is made`, html`Copy it now: it is shown this once, and only its fingerprint is kept.`)}
${snippet(secret, 'Token', 'secret')}
<p>Put it into the environment as <code>${tokenVariable}</code>; <a href="/use">the snippets</a> read it from there. Anybody who has it can use it.</p>
<p><a href="/account/tokens">Back to your tokens</a></p>`
  return sheet(c, { title: 'The new token', main, path: '/account/tokens' })
}

function form(c: PageContext, visitor: Visitor, posted: Form | undefined, trouble?: Problem): Response {
  const typed = (name: string) => posted?.text(name) ?? ''
  const main = html`<h1>${visitor.login}</h1>
${accountTabs('tokens')}
<h2>Make a token</h2>
${problemNotice(trouble)}
<form class="form" method="post" action="/account/tokens/new">
${field({ name: 'name', label: 'Name', value: typed('name'), hint: 'Where it will be used, such as “CI of acme/shop”.', maxLength: 100, hasFocus: true })}
${radios(
  'permission',
  'It may',
  [
    ['read-only', 'Only read: install, view, search'],
    ['stage-only', 'Read, and stage versions that somebody else approves'],
    ['read-write', 'Read and write: publish, tag, deprecate'],
  ],
  typed('permission') || 'read-only',
)}
${area('packages', 'Packages', html`Names or patterns such as <code>@acme/*</code>, one a line. Empty: all that you may.`, typed('packages'))}
${choose('expires', 'Ends after', lives, typed('expires') || '30')}
${area('cidr', 'Networks', html`Works only from these, such as <code>203.0.113.0/24</code>, one a line. Empty: from anywhere.`, typed('cidr'), 2)}
${tfaModeOf(visitor) === 'none' ? nothing : html`<fieldset><legend>Second factor</legend><div class="choice"><input type="checkbox" id="bypass" name="bypass" value="yes" ${posted?.has('bypass') === true ? html`checked` : ''}><label for="bypass">Publishes without a one-time code (for machines)</label></div></fieldset>`}
<button type="submit">Make the token</button>
</form>`
  return sheet(c, { title: 'Make a token', main, trouble })
}
