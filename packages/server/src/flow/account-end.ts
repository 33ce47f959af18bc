// SPDX-License-Identifier: Apache-2.0
/** Somebody deletes their account. What others build on stays, and stays in somebody's hands. */
import { type PackageName, problem } from '@holdfast/core'
import { amend, type PackageRole } from '../catalog/index.ts'
import {
  type Account,
  type Actor,
  authorize,
  hasOwner,
  type OrgRole,
  type Person,
} from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { proveOwner } from './account.ts'
import { provenOf } from './address.ts'
import { accountEvent, orgEvent, ownerEvent, roleEvents, userOf } from './leaf.ts'
import { addNotice } from './letter.ts'
import { endForeignGrants } from './people.ts'
import { provePresence } from './presence.ts'
import { checkOperated } from './role.ts'
import { endTokensOf } from './token.ts'

/** What happens when an account is deleted, told before it is. */
export interface Deletion {
  /** Roles that end; somebody else owns each of these packages. */
  readonly roles: ReadonlyMap<PackageName, PackageRole>
  readonly orgs: ReadonlyMap<string, OrgRole>
  readonly tokens: number
  /** Packages and organisations that nobody else owns: they must be handed over first. */
  readonly alone: readonly string[]
}

/** The list of what will happen to one's own account. */
export async function planDeletion(ports: Ports, actor: Actor): Promise<Deletion> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  await authorize(ports, actor, 'account:read', actor.id)
  const { identity } = ports.store
  const roles = await identity.listOwnRoles(actor.id)
  const orgs = await identity.listOrgsOf(actor.id)
  const tokens = (await identity.listTokens(actor.id)).length
  return { roles, orgs, tokens, alone: await listAlone(ports, actor.id, roles, orgs) }
}

/**
 * Deletes one's own account. Its name stays taken, so that nobody comes back under it; what it published stays, and says
 * that its publisher is gone; addresses, profile, sessions, tokens and keys are removed. Throws `account-needed` while
 * a package or organisation has no other owner, `bad-credentials`, `last-operator`.
 */
export async function deleteAccount(
  ports: Ports,
  actor: Actor,
  typed: { login: string; password: string },
): Promise<void> {
  const person = personOf(actor)
  const grant = await authorize(ports, person, 'account:delete', person.id)
  await provePresence(ports, grant)
  if (typed.login !== person.login) throw problem('bad-credentials')
  const account = await proveOwner(ports, person, typed.password)
  const { roles, orgs, alone } = await planDeletion(ports, person)
  if (alone.length > 0) throw problem('account-needed', { user: account.login, names: alone.join(', ') })
  const events: NewEvent[] = [
    ...[...roles].map(([name, role]) => ownerEvent(name, 'remove', userOf(account.id), role)),
    ...[...orgs.keys()].map(org =>
      orgEvent(org, { op: 'remove', subject: userOf(account.id) }, { account: account.id }),
    ),
    ...roleEvents(account.id, account.roles, []),
    accountEvent(account.id, 'delete'),
  ]
  await ports.store.commit(grant, events, async tx => {
    for (const name of [...roles.keys()].sort()) await leavePackage(tx, ports, account, name)
    for (const org of [...orgs.keys()].sort()) await leaveOrg(tx, account, org)
    await forget(tx, ports, account)
  })
}

/** Asked while others wait: of two owners who delete their accounts at once one is told to stay. */
async function leavePackage(tx: Tx, ports: Ports, account: Account, name: PackageName): Promise<void> {
  await amend(tx.catalog, name, ports.clock(), async () => {
    await tx.catalog.setRole(name, account.id, undefined)
    const owners = await tx.identity.listOwnerFacts([name])
    if (!owners.some(each => each.disabledAt === null))
      throw problem('account-needed', { user: account.login, names: name })
    await endForeignGrants(tx, name)
  })
}

async function leaveOrg(tx: Tx, account: Account, org: string): Promise<void> {
  await tx.identity.holdOrg(org)
  await tx.identity.setOrgMember(org, account.id, undefined)
  const left = await tx.identity.listOrgMembers(org)
  const isEmpty = left.length === 0 && (await tx.catalog.listPackagesOfScope(`@${org}`)).length === 0
  if (!isEmpty && !hasOwner(left)) throw problem('account-needed', { user: account.login, names: `@${org}` })
}

async function forget(tx: Tx, ports: Ports, account: Account): Promise<void> {
  const now = ports.clock()
  const addresses = await tx.identity.listAddresses(account.id)
  await addNotice(tx, ports, account, 'Your account was deleted', provenOf(addresses))
  await tx.identity.holdAccount(account.id)
  await tx.identity.holdInstance()
  await tx.identity.setDisabled(account.id, now)
  await tx.identity.setRoles(account.id, [])
  if (account.roles.includes('operator')) await checkOperated(tx, account.login)
  await tx.identity.setPassword(account.id, null)
  await tx.identity.setTfa(account.id, 'none', null)
  await tx.identity.setRecoveryCodes(account.id, [])
  await tx.identity.setProfile(account.id, {})
  for (const passkey of await tx.identity.listPasskeys(account.id)) await tx.identity.removePasskey(passkey)
  await endTokensOf(tx, account.id, now)
  for (const { email } of addresses) await tx.identity.removeAddress(account.id, email)
  await tx.identity.setPrimaryAddress(account.id, { email: '', verifiedAt: null, createdAt: now })
  await tx.identity.endPresence(account.id)
  await tx.habits.forgetHabits(account.id)
  await tx.projects.forgetOwner(account.id)
  await tx.blast.forgetLetters(account.id)
  await tx.blast.forgetOwn(account.id)
  await tx.community.forgetWatcher(account.id)
}

async function listAlone(
  ports: Ports,
  id: string,
  roles: Deletion['roles'],
  orgs: Deletion['orgs'],
): Promise<string[]> {
  const { identity, catalog } = ports.store
  const owned = [...roles].filter(([, role]) => role === 'owner').map(([name]) => name)
  const others = (await identity.listOwnerFacts(owned)).filter(
    each => each.accountId !== id && each.disabledAt === null,
  )
  const alone: string[] = owned.filter(name => !others.some(each => each.package === name))
  for (const [org, role] of orgs) {
    const left = (await identity.listOrgMembers(org)).filter(each => each.accountId !== id)
    const isEmpty = left.length === 0 && (await catalog.listPackagesOfScope(`@${org}`)).length === 0
    if (role === 'owner' && !isEmpty && !hasOwner(left)) alone.push(`@${org}`)
  }
  return alone
}

function personOf(actor: Actor): Person {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  return actor
}
