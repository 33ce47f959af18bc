// SPDX-License-Identifier: Apache-2.0
/** Who stands by a package, and who may see it. */
import { type PackageName, problem, scopeOf } from '@holdfast/core'
import { type Access, amend, type PackagePerson, type PackageRole, type TfaDemand } from '../catalog/index.ts'
import {
  type Account,
  type Actor,
  type Grant,
  may,
  type TeamGrant,
  type TeamRight,
  tfaModeOf,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { applyApprovals, planApprovals } from './approvals.ts'
import { checkMayOpen } from './exposure.ts'
import { ownerEvent, userOf } from './leaf.ts'
import { addNotice } from './letter.ts'
import { factorMissing } from './mfa-rule.ts'
import { checkRevision, openPackage } from './package.ts'
import { provePresence } from './presence.ts'

/** People with a role of their own on a package. */
export async function listPeople(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<readonly PackagePerson[]> {
  if (actor.kind === 'nobody') throw problem('unauthenticated')
  await openPackage(ports, actor, 'package:read', name)
  return ports.store.catalog.listPeople(name)
}

/** Replaces those whom the document shows as maintainers: new ones become owners, missing ones go. */
export async function setOwners(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  revision: number | undefined,
  logins: readonly string[],
): Promise<void> {
  const { known, grant } = await openPackage(ports, actor, 'package:own', name)
  checkRevision(known, revision)
  const people = (await ports.store.catalog.listPeople(name)).filter(isMaintainer)
  const wanted = await Promise.all(
    [...new Set(logins.map(login => login.toLowerCase()))].map(login => getAccount(ports, login)),
  )
  const added = wanted.filter(account => !people.some(person => person.accountId === account.id))
  const removed = people.filter(person => !wanted.some(account => account.id === person.accountId))
  await provePresence(ports, grant, known.requiresTfa)
  await changeOwners(ports, grant, name, added, removed, known.revision)
}

/** Makes somebody an owner. Throws `user-not-found`. */
export async function addOwner(ports: Ports, actor: Actor, name: PackageName, login: string): Promise<void> {
  const { known, grant } = await openPackage(ports, actor, 'package:own', name)
  const account = await getAccount(ports, login)
  const isOwner = (await ports.store.catalog.listPeople(name)).some(
    person => person.accountId === account.id && person.role === 'owner',
  )
  await provePresence(ports, grant, known.requiresTfa)
  await changeOwners(ports, grant, name, isOwner ? [] : [account], [])
}

/** Takes somebody's role away. Throws `user-not-found`, `last-owner`. */
export async function removeOwner(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  login: string,
): Promise<void> {
  const { known, grant } = await openPackage(ports, actor, 'package:own', name)
  const person = (await ports.store.catalog.listPeople(name)).find(each => each.login === login.toLowerCase())
  if (person === undefined) throw problem('user-not-found', { user: login })
  await provePresence(ports, grant, known.requiresTfa)
  await changeOwners(ports, grant, name, [], [person])
}

async function changeOwners(
  ports: Ports,
  grant: Grant,
  name: PackageName,
  added: readonly Account[],
  removed: readonly PackagePerson[],
  expected?: number,
): Promise<void> {
  if (added.length === 0 && removed.length === 0) return
  const before = new Set((await ports.store.catalog.listPeople(name)).map(person => person.accountId))
  const events = [
    ...added.map(account =>
      ownerEvent(name, before.has(account.id) ? 'role' : 'add', userOf(account.id), 'owner'),
    ),
    ...removed.map(person => ownerEvent(name, 'remove', userOf(person.accountId), person.role)),
  ]
  const change = async (tx: Tx) => {
    for (const account of added) {
      await tx.catalog.setRole(name, account.id, 'owner')
      await addNotice(tx, ports, account, `You are now an owner of ${name}`)
    }
    for (const person of removed) {
      await tx.catalog.setRole(name, person.accountId, undefined)
      await addNotice(tx, ports, person, `You are no longer an owner of ${name}`)
    }
    // Asked while others wait: of two owners who remove each other one stays.
    const left = (await tx.catalog.listPeople(name)).filter(person => person.role === 'owner')
    if (left.length === 0)
      throw problem('last-owner', { user: removed.map(person => person.login).join(', '), subject: name })
    await endForeignGrants(tx, name)
  }
  await ports.store.commit(grant, events, tx =>
    amend(tx.catalog, name, ports.clock(), () => change(tx), expected),
  )
}

/**
 * Asked while others wait, when an owner goes: a team's right on a package outside its organisation's scope was the word
 * of an owner who runs that organisation, and ends with the last of those.
 */
export async function endForeignGrants(tx: Tx, name: PackageName): Promise<void> {
  const owners = (await tx.catalog.listPeople(name)).filter(person => person.role === 'owner')
  for (const right of await tx.identity.listTeamsOn(name)) {
    if (scopeOf(name) === `@${right.org}`) continue
    const roles = await Promise.all(owners.map(owner => tx.identity.orgRole(owner.accountId, right.org)))
    if (roles.some(role => role === 'owner' || role === 'admin')) continue
    await changeTeamRight(tx, right, name, undefined)
  }
}

/** A team's right on a package becomes another or ends, with its event; the same again changes nothing. */
export async function changeTeamRight(
  tx: Tx,
  { org, team, id }: Pick<TeamRight, 'org' | 'team' | 'id'>,
  name: PackageName,
  permission: TeamGrant['permission'] | undefined,
): Promise<void> {
  const before = (await tx.identity.listTeamsOn(name)).find(each => each.id === id)?.permission
  const role = permission ?? before
  if (role === undefined || permission === before) return
  await tx.identity.setTeamGrant(org, team, name, permission)
  const op = permission === undefined ? 'remove' : before === undefined ? 'add' : 'role'
  const detail = { org, team, permission: permission ?? 'none' }
  tx.record(ownerEvent(name, op, { kind: 'team', id }, role, detail))
}

/** Whether everybody may read a package, or only those with a role. */
export async function readAccess(ports: Ports, actor: Actor, name: PackageName): Promise<Access> {
  const { known } = await openPackage(ports, actor, 'package:read', name)
  return known.access
}

/** What an owner may change of who sees and who changes a package. */
export interface AccessChange {
  readonly access?: Access
  readonly requiresTfa?: TfaDemand
  /** How many people approve a version before it is published; 0 where one may also publish alone. */
  readonly approvals?: number
  /** Opens it though everybody then sees sources that are not public. */
  readonly mayExpose?: boolean
}

/**
 * Changes who reads a package and how it is changed. Throws `provenance-exposed` where that would show what nobody else sees.
 */
export async function changeAccess(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  wanted: AccessChange,
): Promise<void> {
  const { known, grant } = await openPackage(ports, actor, 'package:access', name)
  await provePresence(ports, grant, known.requiresTfa)
  const { access = known.access, requiresTfa = known.requiresTfa } = wanted
  // Who has no second factor would lock themselves out.
  if (requiresTfa !== 'none' && actor.kind === 'person' && tfaModeOf(actor) === 'none')
    throw factorMissing(ports, name)
  const { approvals = known.approvals } = wanted
  const isOther = approvals !== known.approvals
  if (access === known.access && requiresTfa === known.requiresTfa && !isOther) return
  const planned = isOther ? await planApprovals(ports, actor, known, approvals) : undefined
  const isOpened = access === 'public' && known.access !== 'public'
  const change = async (tx: Tx) => {
    if (isOpened && wanted.mayExpose !== true) await checkMayOpen(tx, ports, name)
    await tx.catalog.setAccess(name, access)
    await tx.catalog.setRequiresTfa(name, requiresTfa)
    if (planned !== undefined) await applyApprovals(tx, ports, known, planned)
  }
  const event = {
    type: 'access',
    pkg: name,
    fields: { access, tfa: requiresTfa, approvals },
    detail: { access, requiresTfa, ...planned },
  } as const
  await ports.store.commit(grant, event, tx => amend(tx.catalog, name, ports.clock(), () => change(tx)))
}

/** Names with the right an account has on them. */
export type Rights = ReadonlyMap<PackageName, 'read' | 'write'>

/** What a user has a role on, as far as whoever asks may read it. Throws `user-not-found`. */
export async function listPackagesOfUser(ports: Ports, actor: Actor, login: string): Promise<Rights> {
  if (actor.kind === 'nobody') throw problem('unauthenticated')
  const account = await getAccount(ports, login)
  const roles = await ports.store.catalog.listPackagesOf(account.id)
  return readable(ports, actor, new Map([...roles].map(([name, role]) => [name, rightOf(role)])))
}

/** Leaves out what whoever asks may not read. */
export async function readable(ports: Ports, actor: Actor, rights: Rights): Promise<Rights> {
  const shown = new Map<PackageName, 'read' | 'write'>()
  for (const [name, right] of rights)
    if (await may(ports, actor, 'package:read', name)) shown.set(name, right)
  return shown
}

export function rightOf(role: PackageRole | undefined): 'read' | 'write' {
  return role === 'owner' || role === 'maintainer' ? 'write' : 'read'
}

/** The account of a name somebody gave. Throws `user-not-found`. */
export async function getAccount(ports: Ports, login: string): Promise<Account> {
  const account = await ports.store.identity.findAccountByLogin(login)
  if (account === undefined || account.disabledAt !== null) throw problem('user-not-found', { user: login })
  return account
}

function isMaintainer(person: PackagePerson): boolean {
  return rightOf(person.role) === 'write'
}
