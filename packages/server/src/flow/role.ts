// SPDX-License-Identifier: Apache-2.0
/** Roles of people: on one package, and on the whole instance. */
import { matchesName, type PackageName, problem, scopeOf } from '@holdfast/core'
import { amend, type PackageRole } from '../catalog/index.ts'
import {
  type Actor,
  authorize,
  type Holder,
  type InstanceRole,
  type JobDownload,
  type Token,
} from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { ownerEvent, roleEvents, userOf } from './leaf.ts'
import { addNotice } from './letter.ts'
import { openPackage } from './package.ts'
import { endForeignGrants, getAccount } from './people.ts'
import { provePresence } from './presence.ts'

/** Gives somebody a role of their own on a package, or takes it away. Throws `user-not-found`, `last-owner`. */
export async function setPackageRole(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  login: string,
  role: PackageRole | undefined,
): Promise<void> {
  const { known, grant } = await openPackage(ports, actor, 'package:own', name)
  const account = await getAccount(ports, login)
  const before = (await ports.store.identity.listOwnRoles(account.id)).get(name)
  await provePresence(ports, grant, known.requiresTfa)
  const held = role ?? before
  if (before === role || held === undefined) return
  const op = role === undefined ? 'remove' : before === undefined ? 'add' : 'role'
  const event = ownerEvent(name, op, userOf(account.id), held)
  const told = role === undefined ? `You have no role on ${name} any more` : `You are now ${role} of ${name}`
  const change = async (tx: Tx) => {
    await tx.catalog.setRole(name, account.id, role)
    await addNotice(tx, ports, account, told)
    await checkOwned(tx, name, login)
  }
  await ports.store.commit(grant, event, tx => amend(tx.catalog, name, ports.clock(), () => change(tx)))
}

/** Asked while others wait: of two owners who remove each other one stays, and what the other let in goes. */
export async function checkOwned(tx: Tx, name: PackageName, login: string): Promise<void> {
  const people = await tx.catalog.listPeople(name)
  if (!people.some(person => person.role === 'owner'))
    throw problem('last-owner', { user: login, subject: name })
  await endForeignGrants(tx, name)
}

/** Who may do what to a package, for its owners. */
export interface PackageAccess {
  readonly holders: readonly Holder[]
  /** Tokens of those who may publish that skip the second factor here: exceptions, with their ends. */
  readonly exceptions: readonly (Token & { readonly login: string })[]
  /** What CI jobs fetched that the package or its organisation lets in, newest first. */
  readonly jobs: readonly JobDownload[]
}

const maxJobsShown = 50

/** Everybody with a role on a package, the tokens that skip the second factor on it, and which jobs fetched it. */
export async function readPackageAccess(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<PackageAccess> {
  await openPackage(ports, actor, 'package:own', name)
  const holders = await ports.store.identity.listHolders(name)
  const writers = holders.filter(each => each.role === 'owner' || each.role === 'maintainer')
  const ids = [...new Set(writers.map(each => each.accountId))]
  const tokens = await ports.store.identity.listSkippingTokens(ids, ports.clock())
  const logins = new Map(writers.map(each => [each.accountId, each.login]))
  const exceptions = tokens
    .filter(token => mayWrite(token, name))
    .map(token => ({ ...token, login: logins.get(token.accountId) ?? '' }))
  const org = scopeOf(name)?.slice(1) ?? ''
  const jobs = await ports.store.identity.listJobDownloads(name, org, maxJobsShown)
  return { holders, exceptions, jobs }
}

function mayWrite({ limits }: Token, name: PackageName): boolean {
  if (limits.permission !== 'read-write') return false
  return limits.packages === undefined || limits.packages.some(pattern => matchesName(pattern, name))
}

/** Replaces the roles somebody has on the instance. Throws `user-not-found`, `last-operator`. */
export async function setInstanceRoles(
  ports: Ports,
  actor: Actor,
  login: string,
  roles: readonly InstanceRole[],
): Promise<void> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  const account = await getAccount(ports, login)
  await provePresence(ports, grant)
  const wanted = [...new Set(roles)].sort()
  if (wanted.join() === account.roles.toSorted().join()) return
  await ports.store.commit(grant, roleEvents(account.id, account.roles, wanted), async tx => {
    await tx.identity.holdInstance()
    await tx.identity.setRoles(account.id, wanted)
    if (account.roles.includes('operator')) await checkOperated(tx, login)
    const now = wanted.length === 0 ? 'no role' : wanted.join(', ')
    await addNotice(tx, ports, account, `Your roles were changed: ${now}`)
  })
}

/** Somebody must be able to run this instance from a browser. Call after `holdInstance`. */
export async function checkOperated(tx: Tx, login: string): Promise<void> {
  if (!(await tx.identity.hasOperator())) throw problem('last-operator', { user: login })
}
