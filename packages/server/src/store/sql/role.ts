// SPDX-License-Identifier: Apache-2.0
import type { PackageName } from '@holdfast/core'
import { type Kysely, sql } from 'kysely'
import type { PackageRole } from '../../catalog/index.ts'
import type { OrgRole } from '../../identity/index.ts'
import type { Schema } from './schema.ts'

const strength: readonly PackageRole[] = ['reader', 'triager', 'maintainer', 'owner']
/** What a role in the scope's organisation is worth on its packages. */
export const ofOrg: Readonly<Record<OrgRole, PackageRole>> = {
  owner: 'owner',
  admin: 'owner',
  developer: 'reader',
}

/** What a team's right on a package is worth. */
export function ofTeam(permission: string): PackageRole {
  return permission === 'read-write' ? 'maintainer' : 'reader'
}

/**
 * All packages an account has a role on, with the strongest: its own, a team's grant, or its scope's organisation.
 * With `name` only that package is asked for.
 */
export async function rolesOf(
  db: Kysely<Schema>,
  accountId: string,
  name?: PackageName,
): Promise<ReadonlyMap<PackageName, PackageRole>> {
  const roles = new Map<PackageName, PackageRole>()
  const add = (found: string, role: PackageRole) => {
    const known = roles.get(found as PackageName)
    if (known === undefined || strength.indexOf(role) > strength.indexOf(known))
      roles.set(found as PackageName, role)
  }
  for (const row of await ownRoles(db, accountId, name)) add(row.package, row.role as PackageRole)
  for (const row of await teamRoles(db, accountId, name)) add(row.package, ofTeam(row.permission))
  for (const row of await orgRoles(db, accountId, name)) add(row.name, ofOrg[row.role as OrgRole])
  return roles
}

function ownRoles(db: Kysely<Schema>, accountId: string, name?: PackageName) {
  const query = db.selectFrom('package_role').select(['package', 'role']).where('account', '=', accountId)
  return (name === undefined ? query : query.where('package', '=', name)).execute()
}

function teamRoles(db: Kysely<Schema>, accountId: string, name?: PackageName) {
  const query = db
    .selectFrom('team_member')
    .innerJoin('team_grant', join =>
      join.onRef('team_grant.org', '=', 'team_member.org').onRef('team_grant.team', '=', 'team_member.team'),
    )
    .select(['team_grant.package', 'team_grant.permission'])
    .where('team_member.account', '=', accountId)
  return (name === undefined ? query : query.where('team_grant.package', '=', name)).execute()
}

function orgRoles(db: Kysely<Schema>, accountId: string, name?: PackageName) {
  const query = db
    .selectFrom('org_member')
    .innerJoin('package', join =>
      join.on(eb => eb('package.scope', '=', sql<string>`'@' || ${eb.ref('org_member.org')}`)),
    )
    .select(['package.name', 'org_member.role'])
    .where('org_member.account', '=', accountId)
  return (name === undefined ? query : query.where('package.name', '=', name)).execute()
}
