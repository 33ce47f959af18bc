// SPDX-License-Identifier: Apache-2.0
/** Machines of an organisation: robots, and CI jobs that install by their own identity. */
import { type Problem, parseNamePattern, problem } from '@holdfast/core'
import type { CiIssuer } from '../../config.ts'
import {
  addReader,
  addRobot,
  addRobotToken,
  listReaders,
  listRobots,
  type RobotWithTokens,
  removeReader,
  removeRobot,
} from '../../flow/index.ts'
import { may, parseNetwork, type TrustedReader } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { area, choose, field } from '../part/field.ts'
import { ago } from '../part/format.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { snippet } from '../part/snippet.ts'
import { checkFresh } from './confirm.ts'

const dayMs = 24 * 3600_000
const lives = ['30', '90', '180', '365'].map(days => [days, `${days} days`] as const)

/** An organisation's machines, for its members; owners change them. */
export async function machinesPage(c: PageContext): Promise<Response> {
  checkFresh(c, getVisitor(c))
  return show(c)
}

export async function machinesSubmit(c: PageContext): Promise<Response> {
  getVisitor(c)
  const posted = await readForm(c)
  try {
    const secret = await change(c, posted)
    return secret === undefined ? leadTo(c, pathOf(orgOf(c))) : await show(c, undefined, secret)
  } catch (error) {
    return show(c, asNotice(error))
  }
}

/** The secret of a token that was made, undefined for every other change. */
async function change(c: PageContext, posted: Form): Promise<string | undefined> {
  const { ports, call } = c.env
  const [org, id] = [orgOf(c), posted.text('id')]
  switch (posted.text('act')) {
    case 'robot':
      await addRobot(ports, call.actor, org, posted.text('name'))
      return undefined
    case 'remove-robot':
      return removeRobot(ports, call.actor, org, id) as Promise<undefined>
    case 'token':
      return (await addRobotToken(ports, call.actor, org, id, tokenOf(posted))).secret
    case 'reader':
      await addReader(ports, call.actor, org, readerOf(c, posted))
      return undefined
    case 'remove-reader':
      return removeReader(ports, call.actor, org, id) as Promise<undefined>
    default:
      throw problem('invalid-body', { why: 'it says no change that there is' })
  }
}

function tokenOf(posted: Form) {
  return {
    lifeMs: Number(lives.find(([days]) => days === posted.text('days'))?.[0] ?? 30) * dayMs,
    publishes: posted.words('publishes').map(parseNamePattern),
    cidr: posted.words('cidr').map(network => parseNetwork(network, 'Networks')),
  }
}

function readerOf(c: PageContext, posted: Form) {
  const issuer = c.env.ports.config.ciIssuers.find(each => each.issuer === posted.text('issuer'))
  if (issuer === undefined) throw problem('issuer-unknown', { provider: 'CI', issuer: posted.text('issuer') })
  const claims = posted.words('claims').map(line => {
    const [name = '', ...value] = line.split('=')
    return [name, value.join('=')] as const
  })
  return {
    provider: issuer.provider,
    issuer: issuer.issuer,
    ownerId: posted.text('ownerId'),
    repositoryId: posted.text('repositoryId') || undefined,
    claims: Object.fromEntries(claims),
  }
}

async function show(c: PageContext, trouble?: Problem, secret?: string): Promise<Response> {
  const { ports, call } = c.env
  const org = orgOf(c)
  const robots = await listRobots(ports, call.actor, org)
  const readers = await listReaders(ports, call.actor, org)
  const isOwner = await may(ports, call.actor, 'org:own', org)
  const now = ports.clock()
  const main = html`<h1>Machines of <a href="/organisation/${org}">${org}</a></h1>
${problemNotice(trouble)}
${secret === undefined ? nothing : html`${notice('good', 'The token is made', html`Copy it now: it is shown this once.`)}${snippet(secret, 'Token', 'secret')}`}
<h2>CI jobs that install</h2>
<p>Jobs of these owners get a token for an hour by their own identity: they read what anybody may, and <code>@${org}/…</code>. <a href="/use#ci-identity">How they do it</a>.</p>
${readerTable(org, readers, isOwner)}
${isOwner ? readerForm(org, ports.config.ciIssuers) : nothing}
<h2>Robots</h2>
<p>A robot has tokens and nothing else: it signs in nowhere and manages nothing. It stays when people leave. Owners are told 14, 3 and 1 days before a token ends.</p>
${robotTable(org, robots, isOwner, now)}
${isOwner ? robotForms(org, robots) : nothing}`
  return sheet(c, { title: `Machines of ${org}`, main, status: trouble?.status ?? 200 })
}

function readerTable(org: string, readers: readonly TrustedReader[], isOwner: boolean): Markup {
  if (readers.length === 0) return html`<p>There are none.</p>`
  const who = ({ ownerId, repositoryId, claims }: TrustedReader) =>
    [
      ownerId === '' ? '' : `owner ${ownerId}`,
      repositoryId === undefined ? '' : `repository ${repositoryId}`,
      ...Object.entries(claims ?? {}).map(([name, value]) => `${name}=${value}`),
    ].filter(Boolean)
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Service</th><th scope="col">Whose jobs</th><th scope="col"><span class="unseen">Action</span></th></tr></thead>
<tbody>${readers.map(each => html`<tr><td>${each.provider}<br><span class="small">${each.issuer}</span></td><td><code>${who(each).join(', ')}</code></td><td>${isOwner ? removeButton(org, each.id, 'remove-reader', who(each).join(', ')) : nothing}</td></tr>`)}</tbody></table></div>`
}

function removeButton(org: string, id: string, act: string, what: string): Markup {
  return html`<form method="post" action="${pathOf(org)}"><input type="hidden" name="id" value="${id}"><button class="link" type="submit" name="act" value="${act}" aria-label="Remove ${what}">Remove</button></form>`
}

function readerForm(org: string, issuers: readonly CiIssuer[]): Markup {
  const choices = issuers.map(each => [each.issuer, `${each.provider}: ${each.issuer}`] as const)
  if (choices.length === 0) return html`<p>The operator has configured no CI service here.</p>`
  const hasGeneric = issuers.some(each => each.provider === 'generic')
  return html`<form class="form" method="post" action="${pathOf(org)}">
${choose('issuer', 'CI service', choices, choices[0]?.[0] ?? '')}
${field({ name: 'ownerId', label: 'Id of the owner', isOptional: hasGeneric, hint: html`A number at GitHub (<code>repository_owner_id</code>) and GitLab (<code>namespace_id</code>), the organisation at CircleCI. Names can be taken over, ids cannot.`, maxLength: 100 })}
${field({ name: 'repositoryId', label: 'Id of one repository', isOptional: true, hint: 'Empty: all that this owner has.', maxLength: 100 })}
${hasGeneric ? area('claims', 'Claims', html`For other issuers, one a line: <code>name=value</code>.`, '', 2) : nothing}
<button type="submit" name="act" value="reader">Let these jobs read</button></form>`
}

function robotTable(org: string, robots: readonly RobotWithTokens[], isOwner: boolean, now: number): Markup {
  if (robots.length === 0) return html`<p>There are none.</p>`
  const tokens = ({ tokens: held }: RobotWithTokens) =>
    held.length === 0
      ? 'no token'
      : held.map(
          each =>
            html`<code>${each.hint}…</code> <span class="small">${each.limits.permission === 'read-only' ? 'reads' : `publishes ${each.limits.packages?.join(', ')}`}, ends ${each.expiresAt === null ? 'never' : ago(each.expiresAt, now)}, ${each.lastUsedAt === null ? 'never used' : `used ${ago(each.lastUsedAt, now)}`}</span><br>`,
        )
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Robot</th><th scope="col">Tokens</th><th scope="col"><span class="unseen">Action</span></th></tr></thead>
<tbody>${robots.map(each => html`<tr><td>${each.name}</td><td>${tokens(each)}</td><td>${isOwner ? removeButton(org, each.id, 'remove-robot', each.name) : nothing}</td></tr>`)}</tbody></table></div>`
}

function robotForms(org: string, robots: readonly RobotWithTokens[]): Markup {
  const choices = robots.map(each => [each.id, each.name] as const)
  const make = html`<h3>Make a robot</h3><form class="form" method="post" action="${pathOf(org)}">
${field({ name: 'name', label: 'Name', maxLength: 39, hint: 'Where it works, such as build or jenkins.' })}
<button type="submit" name="act" value="robot">Make the robot</button></form>`
  if (choices.length === 0) return make
  return html`${make}<h3>Give a robot a token</h3><form class="form" method="post" action="${pathOf(org)}">
${choose('id', 'Robot', choices, choices[0]?.[0] ?? '')}
${choose('days', 'Ends after', lives, '365')}
${area('publishes', 'May publish', html`Names or patterns such as <code>@${org}/ui-*</code>, one a line; then 90 days at most. Empty: it only reads.`, '', 2)}
${area('cidr', 'Networks', html`Works only from these, such as <code>203.0.113.0/24</code>, one a line. Empty: from anywhere.`, '', 2)}
<button type="submit" name="act" value="token">Make the token</button></form>`
}

function orgOf(c: PageContext): string {
  return c.req.param('org') ?? ''
}

function pathOf(org: string): string {
  return `/organisation/${encodeURIComponent(org)}/machines`
}
