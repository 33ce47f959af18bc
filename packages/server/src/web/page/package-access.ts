// SPDX-License-Identifier: Apache-2.0
import { type PackageName, type Problem, parsePackageName, problem, revealHidden } from '@holdfast/core'
import type { Package, PackageRole } from '../../catalog/index.ts'
import {
  changeAccess,
  describeJob,
  findCritical,
  listExposed,
  type PackageAccess,
  readPackageAccess,
  setPackageRole,
  setTeamGrant,
} from '../../flow/index.ts'
import type { CriticalPackage, Holder } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { badge } from '../part/badge.ts'
import { checks, choose, field, radios } from '../part/field.ts'
import { ago, day, plural } from '../part/format.ts'
import { accessPath, packagePath } from '../part/link.ts'
import { asNotice, notice, problemNotice } from '../part/notice.ts'
import { checkFresh } from './confirm.ts'
import { changeDemand, demandSection } from './package-demand.ts'
import { careSection } from './package-guidance.ts'

const roles: readonly (readonly [PackageRole, string])[] = [
  ['reader', 'reader: sees it where it is private'],
  ['triager', 'triager: deprecates'],
  ['maintainer', 'maintainer: publishes'],
  ['owner', 'owner: publishes and decides on people'],
]

/** Who may do what to a package, for its owners. */
export async function packageAccessPage(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const name = parsePackageName(c.req.param('name'))
  checkFresh(c, visitor)
  return show(c, name)
}

/** Changes a role, or a setting of the package. */
export async function packageAccessSubmit(c: PageContext): Promise<Response> {
  getVisitor(c)
  const name = parsePackageName(c.req.param('name'))
  const posted = await readForm(c)
  try {
    await change(c, name, posted)
  } catch (error) {
    return show(c, name, asNotice(error))
  }
  return leadTo(c, accessPath(name))
}

async function change(c: PageContext, name: PackageName, posted: Form): Promise<void> {
  const { ports, call } = c.env
  if (await changeDemand(c, name, posted)) return
  const login = posted.text('login')
  const role = roles.find(([each]) => each === posted.text('role'))?.[0]
  if (posted.text('act') === 'remove') return setPackageRole(ports, call.actor, name, login, undefined)
  const [org = '', team = ''] = posted.text('team').split(':')
  if (posted.text('act') === 'drop-team') return setTeamGrant(ports, call.actor, org, team, name, undefined)
  if (posted.text('act') === 'role' && role !== undefined)
    return setPackageRole(ports, call.actor, name, login, role)
  const access = (['public', 'restricted'] as const).find(each => each === posted.text('access'))
  const requiresTfa = (['none', 'unless-bypassed', 'always'] as const).find(
    each => each === posted.text('presence'),
  )
  const approvals = posted.has('approvals') ? Number(posted.text('approvals')) : undefined
  if (access === undefined || requiresTfa === undefined)
    throw problem('invalid-body', { why: 'it says no change that there is' })
  return changeAccess(ports, call.actor, name, {
    access,
    requiresTfa,
    ...(approvals === undefined ? {} : { approvals }),
    mayExpose: posted.text('expose') === 'yes',
  })
}

async function show(c: PageContext, name: PackageName, trouble?: Problem): Promise<Response> {
  const { ports, call } = c.env
  const access = await readPackageAccess(ports, call.actor, name)
  const known = await ports.store.catalog.findPackage(name)
  if (known === undefined) throw problem('package-not-found', { name })
  const main = html`<h1>Access to <a href="${packagePath(name)}">${name}</a></h1>
${criticalNotice(await findCritical(ports, name), ports.clock())}
${problemNotice(trouble)}
${people(name, access)}
${addForm(name)}
${inherited(name, access)}
${exceptions(access)}
${jobDownloads(access, ports.clock())}
${settings(name, known, await listExposed(ports.store, ports, name), ports.clock())}
${await demandSection(c, name)}
${await careSection(c, name)}`
  return sheet(c, { title: `Access to ${name}`, main, status: trouble?.status ?? 200 })
}

function criticalNotice([first]: readonly CriticalPackage[], now: number): Markup {
  if (first === undefined) return nothing
  const from = first.bindsAt > now ? `from ${day(first.bindsAt)} on` : 'now'
  return notice(
    'warn',
    `Critical package: ${first.why}`,
    html`Everybody who changes it needs a <a href="/account/security">passkey</a>, ${from}.`,
  )
}

function people(name: PackageName, { holders }: PackageAccess): Markup {
  const own = holders.filter(each => each.through === '')
  return html`<h2>People</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">User</th><th scope="col">Role</th><th scope="col">Second factor</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
<tbody>${own.map(
    each => html`<tr><td>${each.login} ${each.disabledAt === null ? nothing : badge('switched off', 'bad', '✕')}</td>
<td>${each.role}</td><td>${factorBadge(each)}</td>
<td><form method="post" action="${accessPath(name)}"><input type="hidden" name="login" value="${each.login}"><button class="link" type="submit" name="act" value="remove" aria-label="Remove ${each.login}">Remove</button></form></td></tr>`,
  )}</tbody></table></div>`
}

/** The second factor in words. */
export function factorBadge(who: Pick<Holder, 'tfa' | 'hasPasskey'>): Markup {
  if (who.hasPasskey) return badge('passkey', 'good', '✓')
  return who.tfa === 'none' ? badge('none', 'warn', '!') : badge('codes', 'plain', '✓')
}

function addForm(name: PackageName): Markup {
  return html`<h3>Give a role</h3><form class="form" method="post" action="${accessPath(name)}">
${field({ name: 'login', label: 'User name', maxLength: 39, hint: 'Whoever has a role already gets this one instead.' })}
${choose('role', 'Role', roles, 'maintainer')}
<button type="submit" name="act" value="role">Give the role</button></form>`
}

function inherited(name: PackageName, { holders }: PackageAccess): Markup {
  const through = holders.filter(each => each.through !== '')
  if (through.length === 0) return nothing
  const teams = [...new Set(through.map(each => each.through))].filter(each => each.includes(':'))
  return html`<h2>Through organisations and teams</h2>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">User</th><th scope="col">Role here</th><th scope="col">Through</th><th scope="col">Second factor</th></tr></thead>
<tbody>${through.map(each => html`<tr><td>${each.login}</td><td>${each.role}</td><td><code>${each.through}</code></td><td>${factorBadge(each)}</td></tr>`)}</tbody></table></div>
<p class="small">Their organisation changes these: <code>npm org</code>, <code>npm team</code>, <code>npm access</code>.</p>
${teams.map(team => html`<form method="post" action="${accessPath(name)}"><input type="hidden" name="team" value="${team}"><button class="link" type="submit" name="act" value="drop-team">Take the right of ${team} away</button></form>`)}`
}

function exceptions({ exceptions: tokens }: PackageAccess): Markup {
  return html`<h2>Tokens that skip the second factor</h2>
${
  tokens.length === 0
    ? html`<p>There are none that may write here.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Token</th><th scope="col">Of</th><th scope="col">Ends</th></tr></thead>
<tbody>${tokens.map(each => html`<tr><td><code>${each.hint}…</code> ${each.name}</td><td>${each.login}</td><td>${each.expiresAt === null ? 'never' : day(each.expiresAt)}</td></tr>`)}</tbody></table></div>`
}`
}

function jobDownloads({ jobs }: PackageAccess, now: number): Markup {
  return html`<h2>Fetched by CI jobs</h2>
${
  jobs.length === 0
    ? html`<p>By none that this package or its organisation lets in.</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Job</th><th scope="col">Run</th><th scope="col">Version</th><th scope="col" class="number">Times</th><th scope="col">Last</th></tr></thead>
<tbody>${jobs.map(each => html`<tr><td><bdi>${describeJob(each.facts)}</bdi></td><td><bdi>${each.facts.run}</bdi></td><td>${each.version}</td><td class="number">${each.count}</td><td class="nowrap">${ago(each.lastAt, now)}</td></tr>`)}</tbody></table></div>`
}`
}

const approvalChoices = [
  ['0', 'one person or job alone, or staged and approved by one'],
  ...[1, 2, 3, 4, 5].map(
    each =>
      [String(each), `staging, and ${plural(each, 'other person', 'other people')} with a passkey`] as const,
  ),
] as const

/** Fewer people count from later on: one stolen account alone must not do away with the others. */
function approvalsNote(known: Package, now: number): Markup {
  if (now >= known.approvalsFrom || known.approvalsBefore <= known.approvals) return nothing
  return html`<p class="hint">Until ${ago(known.approvalsFrom, now)} it takes ${plural(known.approvalsBefore, 'approval')}.</p>`
}

/** What opening it shows, to be said yes to. */
function exposeCheck(sources: readonly string[]): Markup {
  return checks('expose', 'What everybody would see then', [
    [
      'yes',
      html`Its versions were built from ${sources.map(each => html`<bdi>${revealHidden(each)}</bdi> `)}, which is not public: names, workflows and commits may be seen`,
    ],
  ])
}

function settings(name: PackageName, known: Package, exposed: readonly string[], now: number): Markup {
  return html`<h2>Settings</h2><form class="form" method="post" action="${accessPath(name)}">
${radios(
  'access',
  'Who may read it',
  [
    ['public', 'whoever may read this registry'],
    ['restricted', 'only people with a role'],
  ],
  known.access,
)}
${known.access === 'public' || exposed.length === 0 ? nothing : exposeCheck(exposed)}
${radios(
  'presence',
  'Second factor with each change',
  [
    ['none', 'as each account has it; tokens of owners may skip it'],
    ['unless-bypassed', 'asked for; tokens of maintainers may skip it too'],
    ['always', 'asked for, and no token skips it'],
  ],
  known.requiresTfa,
)}
${choose('approvals', 'Versions are published by', approvalChoices, String(known.approvals))}
${approvalsNote(known, now)}
<button type="submit" name="act" value="settings">Save</button></form>`
}
