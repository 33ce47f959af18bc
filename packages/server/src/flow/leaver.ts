// SPDX-License-Identifier: Apache-2.0
/** Somebody leaves: everything they could act with ends, and what they owned goes to others. */
import { type PackageName, problem } from '@holdfast/core'
import { amend, type PackageRole } from '../catalog/index.ts'
import {
  type Account,
  type Actor,
  authorize,
  type Grant,
  hasOwner,
  isRoleAtLeast,
  type OrgRole,
  type Session,
  type Token,
  type TrustedPublisher,
} from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { accountEvent, orgEvent, ownerEvent, userOf } from './leaf.ts'
import { addNotice } from './letter.ts'
import { checkOrgOwned } from './organise.ts'
import { endForeignGrants } from './people.ts'
import { provePresence } from './presence.ts'
import { checkOperated } from './role.ts'
import { endTokensOf } from './token.ts'
import { describePublisher, tellOwners, trustEvent } from './trust.ts'

/** Everything somebody can act with, and on what. */
export interface Reach {
  readonly account: Account
  /** Every package with a role, through whatever; publishing takes maintainer or owner. */
  readonly packages: ReadonlyMap<PackageName, PackageRole>
  /** Packages that nobody else owns. */
  readonly alone: readonly PackageName[]
  readonly orgs: ReadonlyMap<string, OrgRole>
  readonly tokens: readonly Token[]
  readonly sessions: readonly Session[]
  /** CI jobs that may publish because this account said so. */
  readonly publishers: readonly TrustedPublisher[]
}

/** What an account can do, for whoever runs the instance. Throws `user-not-found`. */
export async function readReach(ports: Ports, actor: Actor, login: string): Promise<Reach> {
  await authorize(ports, actor, 'instance:operate', '')
  return reachOf(ports, await findAccount(ports, login))
}

/**
 * Switches an account off: sessions, tokens, waiting approvals and the trusted publishers it added end within a second on
 * every replica. Says what it could do until then. Fine to repeat. Throws `user-not-found`, `last-operator`.
 */
export async function disableUser(ports: Ports, actor: Actor, login: string): Promise<Reach> {
  const grant = await openUser(ports, actor)
  const account = await findAccount(ports, login)
  const reach = await reachOf(ports, account)
  const now = ports.clock()
  const events: NewEvent[] = [
    ...(account.disabledAt === null ? [accountEvent(account.id, 'disable')] : []),
    ...reach.publishers.map(each => trustEvent(each, 'remove')),
  ]
  await ports.store.commit(grant, events, async tx => {
    await tx.identity.holdInstance()
    await tx.identity.setDisabled(account.id, account.disabledAt ?? now)
    if (account.roles.includes('operator')) await checkOperated(tx, account.login)
    await endTokensOf(tx, account.id, now)
    await tx.identity.endPresence(account.id)
    await endRecoveries(tx, account, now)
    for (const publisher of reach.publishers) await endPublisher(tx, ports, publisher)
    await addNotice(tx, ports, account, 'Your account was switched off by an operator')
  })
  // Added while this went on, and before it ended: nothing can be added any more.
  if ((await ports.store.identity.listPublisherIdsBy(account.id)).length > 0)
    return disableUser(ports, actor, login)
  return reach
}

/** One that waits would open the account again, should it be switched on for something else. */
async function endRecoveries(tx: Tx, account: Account, now: number): Promise<void> {
  for (const { id, state } of await tx.identity.listOpenRecoveries(now, account.id))
    await tx.identity.moveRecovery(id, state, 'cancelled')
}

/** A leaver's word for a CI job is worth no more than the leaver; other owners may give theirs. */
async function endPublisher(tx: Tx, ports: Ports, publisher: TrustedPublisher): Promise<void> {
  await tx.identity.removePublisher(publisher.id, ports.clock())
  await endTokensOf(tx, publisher.id, ports.clock())
  const what = `A trusted publisher was removed from ${publisher.package}, since whoever added it left`
  await tellOwners(tx, ports, publisher, `${what} (${describePublisher(publisher)})`)
}

/** Lets somebody sign in again; what was ended stays ended. Throws `user-not-found`. */
export async function enableUser(ports: Ports, actor: Actor, login: string): Promise<void> {
  const grant = await openUser(ports, actor)
  const account = await findAccount(ports, login)
  // A deleted account has no address: nothing of it comes back.
  if (account.email === '') throw problem('user-not-found', { user: login })
  if (account.disabledAt === null) return
  await ports.store.commit(grant, accountEvent(account.id, 'enable'), async tx => {
    await tx.identity.setDisabled(account.id, null)
    await addNotice(tx, ports, account, 'Your account was switched on again by an operator')
  })
}

/** What changed hands. */
export interface Transfer {
  readonly packages: readonly PackageName[]
  readonly orgs: readonly string[]
}

/**
 * Gives somebody's own roles on packages and their places in organisations to another account, or to the owners of
 * an organisation (`@acme`). Afterwards they have no role left. Throws `user-not-found`, `org-not-found`, `last-owner`.
 */
export async function transferUser(ports: Ports, actor: Actor, login: string, to: string): Promise<Transfer> {
  const grant = await openUser(ports, actor)
  const from = await findAccount(ports, login)
  const heirs = await findHeirs(ports, to, from)
  const roles = await ports.store.identity.listOwnRoles(from.id)
  const orgs = await ports.store.identity.listOrgsOf(from.id)
  for (const [name, role] of roles) await handOverPackage(ports, grant, name, role, from, heirs)
  for (const [org, role] of orgs) await handOverOrg(ports, grant, org, role, from, heirs)
  // A crash in between leaves some handed over; running it again does the rest.
  return { packages: [...roles.keys()], orgs: [...orgs.keys()] }
}

async function handOverPackage(
  ports: Ports,
  grant: Grant,
  name: PackageName,
  role: PackageRole,
  from: Account,
  heirs: readonly Account[],
): Promise<void> {
  const known = await ports.store.catalog.findPackage(name)
  const people = await ports.store.catalog.listPeople(name)
  const heldBy = (heir: Account) => people.find(person => person.accountId === heir.id)?.role
  // Nobody loses by a gift: a maintainer who inherits a reader's role stays one.
  const gaining = heirs.filter(heir => !isRoleAtLeast(heldBy(heir), role))
  const events: NewEvent[] = [
    ...gaining.map(heir =>
      ownerEvent(name, heldBy(heir) === undefined ? 'add' : 'role', userOf(heir.id), role),
    ),
    ownerEvent(name, 'remove', userOf(from.id), role),
  ]
  const change = async (tx: Tx) => {
    for (const heir of gaining) {
      await tx.catalog.setRole(name, heir.id, role)
      await addNotice(tx, ports, heir, `You are now ${role} of ${name}`)
    }
    await tx.catalog.setRole(name, from.id, undefined)
    await endForeignGrants(tx, name)
  }
  // Held to the revision that was looked at, so that the events say what really changed.
  await ports.store.commit(grant, events, tx =>
    amend(tx.catalog, name, ports.clock(), () => change(tx), known?.revision),
  )
}

async function handOverOrg(
  ports: Ports,
  grant: Grant,
  org: string,
  role: OrgRole,
  from: Account,
  heirs: readonly Account[],
): Promise<void> {
  const detail = { account: from.id, to: heirs.map(heir => heir.id) }
  const left = orgEvent(org, { op: 'remove', subject: userOf(from.id) }, detail)
  await ports.store.commit(grant, left, async tx => {
    await tx.identity.holdOrg(org)
    const members = await tx.identity.listOrgMembers(org)
    const isOwned = hasOwner(members.filter(each => each.accountId !== from.id))
    // Only an organisation without another owner needs an heir: else its own people go on.
    if (role === 'owner' && !isOwned)
      for (const { id } of heirs) {
        await tx.identity.setOrgMember(org, id, 'owner')
        tx.record(orgEvent(org, { op: 'member', subject: userOf(id), role: 'owner' }, { account: id }))
      }
    await tx.identity.setOrgMember(org, from.id, undefined)
    await checkOrgOwned(tx, org, from.login)
  })
}

/** A named person, or the owners of an organisation; the leaver inherits nothing. */
async function findHeirs(ports: Ports, to: string, from: Account): Promise<readonly Account[]> {
  const accounts = to.startsWith('@') ? await ownersOf(ports, to.slice(1)) : [await findAccount(ports, to)]
  const heirs = accounts.filter(each => each.id !== from.id && each.disabledAt === null)
  if (heirs.length === 0) throw problem('user-not-found', { user: to })
  return heirs
}

async function ownersOf(ports: Ports, org: string): Promise<readonly Account[]> {
  if (!(await ports.store.identity.orgExists(org))) throw problem('org-not-found', { org })
  const owners = (await ports.store.identity.listOrgMembers(org)).filter(
    each => each.role === 'owner' && each.isActive,
  )
  const found = await Promise.all(owners.map(each => ports.store.identity.findAccount(each.accountId)))
  return found.filter(each => each !== undefined)
}

async function reachOf(ports: Ports, account: Account): Promise<Reach> {
  const { identity, catalog } = ports.store
  const own = await identity.listOwnRoles(account.id)
  const owned = [...own].filter(([, role]) => role === 'owner').map(([name]) => name)
  const owners = await identity.listOwnerFacts(owned)
  const isAlone = (name: PackageName) =>
    !owners.some(each => each.package === name && each.accountId !== account.id && each.disabledAt === null)
  const now = ports.clock()
  const ids = await identity.listPublisherIdsBy(account.id)
  const publishers = await Promise.all(ids.map(id => identity.findPublisher(id)))
  return {
    account,
    publishers: publishers.filter(each => each !== undefined),
    packages: await catalog.listPackagesOf(account.id),
    alone: owned.filter(isAlone),
    orgs: await identity.listOrgsOf(account.id),
    tokens: (await identity.listTokens(account.id)).filter(
      each => each.expiresAt === null || each.expiresAt > now,
    ),
    sessions: (await identity.listSessions(account.id)).filter(each => each.expiresAt > now),
  }
}

async function openUser(ports: Ports, actor: Actor): Promise<Grant> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  await provePresence(ports, grant)
  return grant
}

/** Disabled accounts too: they are what leavers become. */
async function findAccount(ports: Ports, login: string): Promise<Account> {
  const account = await ports.store.identity.findAccountByLogin(login)
  if (account === undefined) throw problem('user-not-found', { user: login })
  return account
}
