// SPDX-License-Identifier: Apache-2.0
/** Trusted publishers of a package: which CI jobs publish it without a stored secret. */
import { type PackageName, type Problem, parsePackageName } from '@holdfast/core'
import type { CiIssuer } from '../../config.ts'
import { addPublisher, listPublishers, removePublisher } from '../../flow/index.ts'
import { explainRest, type TrustedPublisher } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { field, radios } from '../part/field.ts'
import { ago, day } from '../part/format.ts'
import { packagePath, publishersPath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { snippet } from '../part/snippet.ts'
import { checkFresh } from './confirm.ts'
import { publisherFields, publisherRule } from './publisher-form.ts'

const providers = {
  github: 'GitHub Actions',
  gitlab: 'GitLab CI/CD',
  circleci: 'CircleCI',
  generic: 'OpenID issuer',
}

/** Asks for the name first, since a publisher may wait for a name that is not there yet. */
export function publisherStartPage(c: PageContext): Response {
  getVisitor(c)
  const name = c.env.call.query.get('name')?.trim() ?? ''
  if (name !== '') return leadTo(c, publishersPath(parsePackageName(name)))
  const main = html`<h1>Publish from CI</h1>
<p>A trusted publisher lets a job of your CI publish a package by its own identity: there is no token to keep, to renew or to lose.
The package need not be there yet: the first publish makes it, and you will own it.</p>
<form class="form" method="get" action="/publishers">
${field({ name: 'name', label: 'Package', hint: 'A package that you own, or a new name that is hosted here.', maxLength: 214, hasFocus: true })}
<button type="submit">Go on</button></form>`
  return sheet(c, { title: 'Publish from CI', main })
}

/** The publishers of a package, and a form for one more. */
export async function publishersPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const name = parsePackageName(c.req.param('name'))
  checkFresh(c, visitor)
  return show(c, name, undefined)
}

/** Adds or removes one. */
export async function publishersSubmit(c: PageContext): Promise<Response> {
  getVisitor(c)
  const name = parsePackageName(c.req.param('name'))
  const posted = await readForm(c)
  try {
    const done = posted.text('act') === 'remove' ? await remove(c, name, posted) : await add(c, name, posted)
    return leadTo(c, `${publishersPath(name)}?done=${done}`)
  } catch (error) {
    return show(c, name, posted, asNotice(error))
  }
}

async function remove(c: PageContext, name: PackageName, posted: Form): Promise<'removed'> {
  await removePublisher(c.env.ports, c.env.call.actor, name, posted.text('id'))
  return 'removed'
}

async function add(c: PageContext, name: PackageName, posted: Form): Promise<'added'> {
  const { provider, issuer } = issuerOf(c, posted.text('issuer'))
  await addPublisher(c.env.ports, c.env.call.actor, name, {
    provider,
    issuer,
    rule: publisherRule(provider, posted),
    permissions:
      posted.text('may') === 'stage' ? ['createStagedPackage'] : ['createPackage', 'createStagedPackage'],
  })
  return 'added'
}

/** The issuer that is chosen, else the first; an instance without any has no such page. */
function issuerOf(c: PageContext, chosen: string): CiIssuer {
  const { ciIssuers } = c.env.ports.config
  const found = ciIssuers.find(each => each.issuer === chosen) ?? ciIssuers[0]
  return found ?? { provider: 'github', issuer: '', claims: [] }
}

async function show(
  c: PageContext,
  name: PackageName,
  posted: Form | undefined,
  trouble?: Problem,
): Promise<Response> {
  const { ports, call } = c.env
  const publishers = await listPublishers(ports, call.actor, name)
  const isThere = (await ports.store.catalog.findPackage(name)) !== undefined
  const issuer = issuerOf(c, posted?.text('issuer') ?? call.query.get('issuer') ?? '')
  const main = html`<h1>Trusted publishers of ${isThere ? html`<a href="${packagePath(name)}">${name}</a>` : name}</h1>
${doneNotice(call.query.get('done'))}
${problemNotice(trouble)}
<p>Jobs that publish by their own identity. Each gets a token for this package alone, for 15 minutes.
${isThere ? nothing : 'This package is not there yet: the first publish of a trusted job makes it, and whoever added the publisher owns it.'}</p>
${table(name, publishers, ports.clock())}
${ports.config.ciIssuers.length === 0 ? html`<p>The operator has configured no CI service here.</p>` : form(c, name, isThere, issuer, posted)}
<h2>In npm’s words</h2>
${snippet(`npm trust list ${name}`, '')}`
  return sheet(c, { title: `Trusted publishers of ${name}`, main, status: trouble?.status ?? 200 })
}

function doneNotice(done: string | null): Markup {
  if (done === 'added')
    return notice(
      'good',
      'The publisher is added',
      html`Where others own the package too it works after a day, in which they can say no.`,
    )
  return done === 'removed' ? notice('good', 'The publisher and its tokens have ended') : nothing
}

function table(name: PackageName, publishers: readonly TrustedPublisher[], now: number): Markup {
  if (publishers.length === 0) return html`<p>There are none.</p>`
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Where</th><th scope="col">Only</th><th scope="col">Bound to</th><th scope="col">Last used</th><th scope="col"><span class="unseen">Action</span></th></tr></thead>
<tbody>${publishers.map(each => row(name, each, now))}</tbody></table></div>`
}

function row(name: PackageName, publisher: TrustedPublisher, now: number): Markup {
  const { id, provider, issuer, rule, pendingUntil, lastUsedAt } = publisher
  const only = [
    publisher.permissions.includes('createPackage') ? '' : 'staging',
    rule.environment === undefined ? '' : `environment ${rule.environment}`,
    rule.ref ?? '',
    rule.protectedRef === true ? 'protected refs' : '',
    rule.ownRunners === true ? 'own runners too' : '',
  ].filter(Boolean)
  const claims = Object.entries(rule.claims ?? {})
  const rest = explainRest(publisher, now)
  return html`<tr><td>${providers[provider]}<br>${provider === 'generic' ? claims.map(([claim, value]) => html`<code>${claim}=${value}</code> `) : html`<code>${rule.repository}</code> <code>${rule.workflow}</code>`}<br><span class="small">${issuer}</span>${rest === undefined ? nothing : html`<br>${badge(rest, 'warn', '…')}`}${pendingUntil === null ? nothing : html`<br>${badge(`waits until ${day(pendingUntil)}`, 'warn', '…')}`}</td>
<td>${only.length === 0 ? 'no more conditions' : only.join(', ')}</td>
<td>${boundTo(publisher)}</td>
<td class="nowrap">${lastUsedAt === null ? 'never' : ago(lastUsedAt, now)}</td>
<td><form method="post" action="${publishersPath(name)}"><input type="hidden" name="id" value="${id}"><button class="link" type="submit" name="act" value="remove" aria-label="Remove ${rule.repository || id}">Remove</button></form></td></tr>`
}

/** Names can be given up and registered anew by others; ids cannot. */
function boundTo({ provider, rule }: TrustedPublisher): Markup | string {
  if (provider === 'generic') return 'its claims'
  if (rule.repositoryId === undefined) return badge('ids of the first job that fits', 'warn', '!')
  return html`repository <code>${rule.repositoryId}</code>${rule.ownerId === undefined ? nothing : html`, owner <code>${rule.ownerId}</code>`}`
}

const publisherRights = [
  ['publish', 'publish versions, and stage them'],
  ['stage', 'only stage them: somebody approves each with a passkey'],
] as const

function form(
  c: PageContext,
  name: PackageName,
  isThere: boolean,
  issuer: CiIssuer,
  posted: Form | undefined,
): Markup {
  const { ciIssuers } = c.env.ports.config
  const tab = (each: CiIssuer) =>
    html`<a href="${publishersPath(name)}?issuer=${encodeURIComponent(each.issuer)}#add" ${each.issuer === issuer.issuer ? html`aria-current="page"` : ''}>${providers[each.provider]}${isPlain(each) ? nothing : html` <span class="small">${new URL(each.issuer).host}</span>`}</a>`
  return html`<h2 id="add">Trust one more</h2>
<nav class="tabs" aria-label="CI services">${ciIssuers.map(tab)}</nav>
<form class="form" method="post" action="${publishersPath(name)}">
<input type="hidden" name="issuer" value="${issuer.issuer}">
${publisherFields(issuer, posted)}
${isThere ? radios('may', 'They may', publisherRights, posted?.text('may') || 'publish') : nothing}
<button type="submit" name="act" value="add">Trust these jobs</button></form>`
}

/** Services that everybody knows by name need no address beside it. */
function isPlain({ issuer }: CiIssuer): boolean {
  return /^https:\/\/(token\.actions\.githubusercontent\.com|gitlab\.com|oidc\.circleci\.com)$/.test(issuer)
}
