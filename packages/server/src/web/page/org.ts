// SPDX-License-Identifier: Apache-2.0
import { type PackageName, type Problem, parsePackageName, problem } from '@holdfast/core'
import {
  createOrg,
  createTeam,
  listMembers,
  listTeamGrants,
  listTeamMembers,
  listTeams,
  type Rights,
  removeMember,
  removeTeam,
  setMember,
  setTeamGrant,
  setTeamMember,
} from '../../flow/index.ts'
import { may, type OrgMember, type OrgRole } from '../../identity/index.ts'
import { leadTo } from '../answer.ts'
import { getVisitor, type PageContext } from '../context.ts'
import { type Form, readForm } from '../form.ts'
import { sheet } from '../layout.ts'
import { html, type Markup, nothing } from '../markup.ts'
import { choose, field } from '../part/field.ts'
import { packagePath } from '../part/link.ts'
import { asNotice, problemNotice } from '../part/notice.ts'
import { accountTabs } from './account-tab.ts'
import { checkFresh } from './confirm.ts'

const roles: readonly (readonly [OrgRole, string])[] = [
  ['developer', 'developer: reads its packages, makes new ones, joins teams'],
  ['admin', 'admin: owns its packages, manages people and teams'],
  ['owner', 'owner: decides on owners too'],
]

/** One's organisations, and how to get one more. */
export async function orgsPage(c: PageContext): Promise<Response> {
  checkFresh(c, getVisitor(c))
  return orgs(c)
}

export async function orgsSubmit(c: PageContext): Promise<Response> {
  const visitor = getVisitor(c)
  const name = (await readForm(c)).text('name').replace(/^@/, '')
  try {
    await createOrg(c.env.ports, visitor, name)
  } catch (error) {
    return orgs(c, asNotice(error), name)
  }
  return leadTo(c, pathOf(name))
}

async function orgs(c: PageContext, trouble?: Problem, typed = ''): Promise<Response> {
  const own = [...(await c.env.ports.store.identity.listOrgsOf(getVisitor(c).id))]
  const main = html`<h1>Organisations</h1>
${accountTabs('orgs')}
${own.length === 0 ? html`<p>You are in none yet.</p>` : html`<ul>${own.map(([org, role]) => html`<li><a href="${pathOf(org)}">${org}</a> <span class="small">${role}</span></li>`)}</ul>`}
<h2>Make one</h2>
<p>An organisation owns the scope of its name: <code>acme</code> owns <code>@acme/…</code>. Its people and robots stay when a person leaves.</p>
${problemNotice(trouble)}
<form class="form" method="post" action="/account/organisations">
${field({ name: 'name', label: 'Name', value: typed, maxLength: 39 })}
<button type="submit">Make the organisation</button></form>`
  return sheet(c, { title: 'Organisations', main, status: trouble?.status ?? 200 })
}

/** One organisation: its people, teams, and what the teams may do. */
export async function orgPage(c: PageContext): Promise<Response> {
  checkFresh(c, getVisitor(c))
  return show(c)
}

export async function orgSubmit(c: PageContext): Promise<Response> {
  getVisitor(c)
  const posted = await readForm(c)
  try {
    await change(c, posted)
  } catch (error) {
    return show(c, asNotice(error))
  }
  return leadTo(c, pathOf(orgOf(c)))
}

function change(c: PageContext, posted: Form): Promise<unknown> {
  const { ports, call } = c.env
  const org = orgOf(c)
  const [login, team] = [posted.text('login'), posted.text('team')]
  switch (posted.text('act')) {
    case 'set-member':
      return setMember(ports, call.actor, org, login, roleOf(posted))
    case 'remove-member':
      return removeMember(ports, call.actor, org, login)
    case 'add-team':
      return createTeam(ports, call.actor, org, team)
    case 'remove-team':
      return removeTeam(ports, call.actor, org, team)
    case 'join':
      return setTeamMember(ports, call.actor, org, team, login, true)
    case 'drop':
      return setTeamMember(ports, call.actor, org, team, login, false)
    case 'grant-write':
      return setTeamGrant(ports, call.actor, org, team, nameOf(posted), 'read-write')
    case 'grant-read':
      return setTeamGrant(ports, call.actor, org, team, nameOf(posted), 'read-only')
    case 'ungrant':
      return setTeamGrant(ports, call.actor, org, team, nameOf(posted), undefined)
    default:
      throw problem('invalid-body', { why: 'it says no act that there is' })
  }
}

function roleOf(posted: Form): OrgRole {
  return roles.find(([role]) => role === posted.text('role'))?.[0] ?? 'developer'
}

function nameOf(posted: Form): PackageName {
  return parsePackageName(posted.text('package'))
}

function orgOf(c: PageContext): string {
  return c.req.param('org') ?? ''
}

function pathOf(org: string): string {
  return `/organisation/${encodeURIComponent(org)}`
}

/** A team as its page shows it. */
interface TeamShown {
  readonly name: string
  readonly logins: readonly string[]
  readonly rights: Rights
}

async function show(c: PageContext, trouble?: Problem): Promise<Response> {
  const { ports, call } = c.env
  const org = orgOf(c)
  const members = await listMembers(ports, call.actor, org)
  const isManager = await may(ports, call.actor, 'org:manage', org)
  const teams: TeamShown[] = []
  for (const name of await listTeams(ports, call.actor, org)) {
    const logins = await listTeamMembers(ports, call.actor, org, name)
    teams.push({ name, logins, rights: await listTeamGrants(ports, call.actor, org, name) })
  }
  const main = html`<h1>${org}</h1>
<p><a href="${pathOf(org)}/machines">Machines</a>: robots, and CI jobs that install.</p>
<p>Owns the scope <code>@${org}</code>.</p>
${problemNotice(trouble)}
<h2>People</h2>${people(org, members, isManager)}
<h2>Teams</h2>${teams.length === 0 ? html`<p>There are none yet.</p>` : teams.map(team => teamPart(org, team, isManager))}
${isManager ? html`<h3>Make a team</h3>` : nothing}
${isManager ? form(org, html`${field({ name: 'team', label: 'Name', maxLength: 39 })}<button type="submit" name="act" value="add-team">Make the team</button>`) : nothing}`
  return sheet(c, { title: org, main, status: trouble?.status ?? 200 })
}

function people(org: string, members: readonly OrgMember[], isManager: boolean): Markup {
  return html`<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">User</th><th scope="col">Role</th>${isManager ? html`<th scope="col"><span class="unseen">Action</span></th>` : nothing}</tr></thead>
<tbody>${members.map(({ login, role }) => html`<tr><td>${login}</td><td>${role}</td>${isManager ? html`<td>${act(org, { login }, 'remove-member', `Remove ${login}`)}</td>` : nothing}</tr>`)}</tbody></table></div>
${isManager ? form(org, html`${field({ name: 'login', label: 'User name', maxLength: 39, hint: 'Whoever is in it already gets this role instead.' })}${choose('role', 'Role', roles, 'developer')}<button type="submit" name="act" value="set-member">Add to the organisation</button>`) : nothing}`
}

function teamPart(org: string, { name, logins, rights }: TeamShown, isManager: boolean): Markup {
  const hidden = html`<input type="hidden" name="team" value="${name}">`
  return html`<section><h3>${name} ${isManager ? act(org, { team: name }, 'remove-team', `Remove team ${name}`) : nothing}</h3>
<ul>${logins.map(login => html`<li>${login} ${isManager ? act(org, { team: name, login }, 'drop', `Take ${login} out of ${name}`) : nothing}</li>`)}</ul>
<ul>${[...rights].map(([pkg, right]) => html`<li><a href="${packagePath(pkg)}">${pkg}</a> <span class="small">${right === 'write' ? 'publishes' : 'reads'}</span> ${isManager ? act(org, { team: name, package: pkg }, 'ungrant', `Take ${pkg} from ${name}`) : nothing}</li>`)}</ul>
${
  isManager
    ? html`${form(org, html`${hidden}${labelled(`${name}-login`, 'login', 'Add a member')}<button type="submit" name="act" value="join">Add to ${name}</button>`)}
${form(org, html`${hidden}${labelled(`${name}-package`, 'package', 'Give a right on a package')}<button type="submit" name="act" value="grant-write">To publish</button> <button type="submit" name="act" value="grant-read">To read</button>`)}`
    : nothing
}</section>`
}

/** A field whose id is its own, since each team has one of the same name. */
function labelled(id: string, name: string, label: string): Markup {
  return html`<div class="field"><label for="${id}">${label}</label><input id="${id}" name="${name}" type="text" maxlength="214" autocomplete="off" autocapitalize="none" spellcheck="false" required></div>`
}

function form(org: string, fields: Markup): Markup {
  return html`<form class="form" method="post" action="${pathOf(org)}">${fields}</form>`
}

/** A button that says in full what it does to whoever does not see where it stands. */
function act(org: string, fields: Readonly<Record<string, string>>, value: string, label: string): Markup {
  return html`<form class="inline" method="post" action="${pathOf(org)}">${Object.entries(fields).map(([name, text]) => html`<input type="hidden" name="${name}" value="${text}">`)}<button class="link" type="submit" name="act" value="${value}" aria-label="${label}">Remove</button></form>`
}
