// SPDX-License-Identifier: Apache-2.0
/** Organisations and teams. An organisation `acme` owns the scope `@acme`. */

import { type PackageName, problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  authorize,
  forbid,
  type Grant,
  hasOwner,
  type IdentityReads,
  may,
  type OrgMember,
  type OrgRole,
  type Person,
  parseLogin,
  randomId,
  type TeamGrant,
  type TeamRight,
} from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { orgEvent, userOf } from './leaf.ts'
import { openPackage } from './package.ts'
import { changeTeamRight, getAccount, type Rights, readable, rightOf } from './people.ts'
import { provePresence } from './presence.ts'

/** Makes an organisation; whoever asks owns it. Throws `org-exists`, `scope-in-use`. */
export async function createOrg(ports: Ports, actor: Actor, name: string): Promise<void> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const grant = await authorize(ports, actor, 'org:create', '')
  const org = parseLogin(name)
  await provePresence(ports, grant)
  const made = orgEvent(org, { op: 'create', subject: userOf(actor.id), role: 'owner' })
  await write(ports, grant, org, made, async tx => {
    // Another user's name is their scope.
    await tx.identity.holdScope(org)
    const namesake = await tx.identity.findAccountByLogin(org)
    if (namesake !== undefined && namesake.id !== actor.id) throw problem('org-exists', { org })
    await checkScopeFree(tx, actor, org)
    await tx.identity.addOrg(org, ports.clock())
    await tx.identity.setOrgMember(org, actor.id, 'owner')
  })
}

/** Whoever owns an organisation owns what lies in its scope: packages of others must not be taken by making one around them. */
async function checkScopeFree(tx: Tx, actor: Person, org: string): Promise<void> {
  if (actor.roles.includes('operator')) return
  const own = await tx.catalog.listPackagesOf(actor.id)
  const names = await tx.catalog.listPackagesOfScope(`@${org}`)
  if (names.some(name => own.get(name) !== 'owner')) throw problem('scope-in-use', { org })
}

/** The members, for members. */
export async function listMembers(ports: Ports, actor: Actor, org: string): Promise<readonly OrgMember[]> {
  await openOrg(ports, actor, 'org:read', org)
  return ports.store.identity.listOrgMembers(org)
}

/** Adds a member or changes a role; owners are made and unmade by owners. Gives the number of members. */
export async function setMember(
  ports: Ports,
  actor: Actor,
  org: string,
  login: string,
  role: OrgRole,
): Promise<number> {
  const { grant, account, members } = await openMember(ports, actor, org, login, role)
  const before = members.find(member => member.accountId === account.id)
  const joined = orgEvent(org, { op: 'member', subject: userOf(account.id), role }, { account: account.id })
  await write(ports, grant, org, joined, async tx => {
    await checkMayTouch(tx, grant, org, account)
    await tx.identity.setOrgMember(org, account.id, role)
    await checkOrgOwned(tx, org, login)
  })
  return members.length + (before === undefined ? 1 : 0)
}

/** Removes a member from the organisation and its teams. Throws `last-owner`. */
export async function removeMember(ports: Ports, actor: Actor, org: string, login: string): Promise<void> {
  const { grant, account, members } = await openMember(ports, actor, org, login, undefined)
  if (!members.some(member => member.accountId === account.id))
    throw problem('not-a-member', { user: login, org })
  const left = orgEvent(org, { op: 'remove', subject: userOf(account.id) }, { account: account.id })
  await write(ports, grant, org, left, async tx => {
    await checkMayTouch(tx, grant, org, account)
    await tx.identity.setOrgMember(org, account.id, undefined)
    await checkOrgOwned(tx, org, login)
  })
}

async function openMember(ports: Ports, actor: Actor, org: string, login: string, role: OrgRole | undefined) {
  const manage = await openOrg(ports, actor, 'org:manage', org)
  const account = await getAccount(ports, login)
  const members = await ports.store.identity.listOrgMembers(org)
  const touchesOwner =
    role === 'owner' || members.some(member => member.accountId === account.id && member.role === 'owner')
  // An admin must not become owner, nor push owners out.
  const grant = touchesOwner ? await authorize(ports, actor, 'org:own', org) : manage
  await provePresence(ports, grant)
  return { grant, account, members }
}

/** Asked while others wait: an admin must not unmake whoever became owner a moment ago. */
async function checkMayTouch(tx: Tx, { operation }: Grant, org: string, account: Account): Promise<void> {
  if (operation !== 'org:own' && (await tx.identity.orgRole(account.id, org)) === 'owner')
    throw forbid('org:own', org)
}

/** Throws `last-owner` when nobody who can act would own the organisation; the login is whose change it was. */
export async function checkOrgOwned(tx: Tx, org: string, login: string): Promise<void> {
  if (!hasOwner(await tx.identity.listOrgMembers(org)))
    throw problem('last-owner', { user: login, subject: org })
}

export async function listTeams(ports: Ports, actor: Actor, org: string): Promise<readonly string[]> {
  await openOrg(ports, actor, 'org:read', org)
  return ports.store.identity.listTeams(org)
}

/** Throws `team-exists`. */
export async function createTeam(ports: Ports, actor: Actor, org: string, name: string): Promise<void> {
  const grant = await openOrg(ports, actor, 'org:manage', org)
  const team = parseLogin(name)
  await provePresence(ports, grant)
  const id = randomId('tm_')
  const made = teamEvent({ org, team, id }, 'create')
  await write(ports, grant, org, made, tx => tx.identity.addTeam(org, team, id))
}

/** Removes a team with its members and grants. Throws `team-not-found`. */
export async function removeTeam(ports: Ports, actor: Actor, org: string, team: string): Promise<void> {
  const grant = await openTeam(ports, actor, 'org:manage', org, team)
  await provePresence(ports, grant)
  await write(ports, grant, org, [], async tx => {
    const about = await checkTeam(tx, org, team)
    for (const { package: name } of await tx.identity.listTeamGrants(org, team))
      await changeTeamRight(tx, about, name, undefined)
    await tx.identity.removeTeam(org, team)
    tx.record(teamEvent(about, 'remove'))
  })
}

export async function listTeamMembers(
  ports: Ports,
  actor: Actor,
  org: string,
  team: string,
): Promise<readonly string[]> {
  await openTeam(ports, actor, 'org:read', org, team)
  return ports.store.identity.listTeamMembers(org, team)
}

/** Adds or removes a member of the organisation. Throws `not-a-member`. */
export async function setTeamMember(
  ports: Ports,
  actor: Actor,
  org: string,
  team: string,
  login: string,
  member: boolean,
): Promise<void> {
  const grant = await openTeam(ports, actor, 'org:manage', org, team)
  const account = await getAccount(ports, login)
  if (member) await checkMember(ports.store.identity, account, org)
  await provePresence(ports, grant)
  await write(ports, grant, org, [], async tx => {
    const about = await checkTeam(tx, org, team)
    if (member) await checkMember(tx.identity, account, org)
    await tx.identity.setTeamMember(org, team, account.id, member)
    tx.record(teamEvent(about, member ? 'add' : 'drop', account))
  })
}

/** Asked while others wait: what is given to a team that just went would wait for the next one of its name. */
async function checkTeam(tx: Tx, org: string, team: string): Promise<Team> {
  const id = await tx.identity.findTeamId(org, team)
  if (id === undefined) throw problem('team-not-found', { team: `${org}:${team}` })
  return { org, team, id }
}

type Team = Pick<TeamRight, 'org' | 'team' | 'id'>

/** The leaf has the team's id alone: its name may say who is in it. */
function teamEvent(
  { org, team, id }: Team,
  op: 'create' | 'remove' | 'add' | 'drop',
  account?: Pick<Account, 'id'>,
): NewEvent {
  const member = account === undefined ? {} : { subject: { ...userOf(account.id) } }
  return {
    type: 'team',
    fields: { scope: `@${org}`, team: id, op, ...member },
    detail: { org, team, op, ...(account === undefined ? {} : { account: account.id }) },
  }
}

async function checkMember(identity: IdentityReads, account: Account, org: string): Promise<void> {
  if ((await identity.orgRole(account.id, org)) === undefined)
    throw problem('not-a-member', { user: account.login, org })
}

export async function listTeamGrants(ports: Ports, actor: Actor, org: string, team: string): Promise<Rights> {
  await openTeam(ports, actor, 'org:read', org, team)
  const grants = await ports.store.identity.listTeamGrants(org, team)
  return new Map(grants.map(each => [each.package, each.permission === 'read-write' ? 'write' : 'read']))
}

/**
 * Gives a team a right on a package: an admin's act in the organisation, and an owner's on the package. To take it away is
 * up to either.
 */
export async function setTeamGrant(
  ports: Ports,
  actor: Actor,
  org: string,
  team: string,
  name: PackageName,
  permission: TeamGrant['permission'] | undefined,
): Promise<void> {
  const grant = await openGrantChange(ports, actor, org, team, name, permission)
  await write(ports, grant, org, [], async tx => {
    await changeTeamRight(tx, await checkTeam(tx, org, team), name, permission)
  })
}

async function openGrantChange(
  ports: Ports,
  actor: Actor,
  org: string,
  team: string,
  name: PackageName,
  permission: TeamGrant['permission'] | undefined,
): Promise<Grant> {
  const given = await ports.store.identity.listTeamGrants(org, team)
  const isEnd = permission === undefined && given.some(each => each.package === name)
  if (isEnd && (await may(ports, actor, 'org:manage', org))) {
    const grant = await authorize(ports, actor, 'org:manage', org)
    await provePresence(ports, grant)
    return grant
  }
  if (!isEnd) await openTeam(ports, actor, 'org:manage', org, team)
  // An organisation must not help itself to packages of others.
  const { known, grant } = await openPackage(ports, actor, 'package:own', name)
  await provePresence(ports, grant, known.requiresTfa)
  return grant
}

/** Packages of an organisation's scope, with the right that whoever asks has on them. Throws `org-not-found`. */
export async function listPackagesOfOrg(ports: Ports, actor: Actor, org: string): Promise<Rights> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  if (!(await ports.store.identity.orgExists(org))) throw problem('org-not-found', { org })
  const names = await ports.store.catalog.listPackagesOfScope(`@${org}`)
  const own = await ports.store.catalog.listPackagesOf(actor.id)
  return readable(ports, actor, new Map(names.map(name => [name, rightOf(own.get(name))])))
}

/** The right to act in an organisation. Throws `org-not-found`. */
async function openOrg(
  ports: Ports,
  actor: Actor,
  operation: 'org:read' | 'org:manage',
  org: string,
): Promise<Grant> {
  if (actor.kind === 'nobody') throw problem('unauthenticated')
  if (!(await ports.store.identity.orgExists(org))) throw problem('org-not-found', { org })
  return authorize(ports, actor, operation, org)
}

async function openTeam(
  ports: Ports,
  actor: Actor,
  operation: 'org:read' | 'org:manage',
  org: string,
  team: string,
): Promise<Grant> {
  const grant = await openOrg(ports, actor, operation, org)
  if ((await ports.store.identity.findTeamId(org, team)) === undefined)
    throw problem('team-not-found', { team: `${org}:${team}` })
  return grant
}

/** One change to an organisation at a time: of two owners who remove each other one stays. */
function write(
  ports: Ports,
  grant: Grant,
  org: string,
  events: NewEvent | readonly NewEvent[],
  work: (tx: Tx) => Promise<void>,
): Promise<void> {
  return ports.store.commit(grant, events, async tx => {
    await tx.identity.holdOrg(org)
    await work(tx)
  })
}
