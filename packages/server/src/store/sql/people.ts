// SPDX-License-Identifier: Apache-2.0
import type { PackageName } from '@holdfast/core'
import { type Kysely, sql } from 'kysely'
import type { PackageRole } from '../../catalog/index.ts'
import type {
  Holder,
  InstanceRole,
  OrgRole,
  PeopleReads,
  PeopleWrites,
  TfaMode,
} from '../../identity/index.ts'
import { ofOrg, ofTeam } from './role.ts'
import type { Schema } from './schema.ts'
import { toToken } from './token.ts'

interface HolderRow {
  readonly id: string
  readonly login: string
  readonly email: string
  readonly tfa: string
  readonly has_passkey: number
  readonly disabled_at: number | null
}

const columns = [
  'account.id',
  'account.login',
  'account.email',
  'account.tfa',
  'account.has_passkey',
  'account.disabled_at',
] as const

/** Questions about people at work. */
export function peopleReads(db: Kysely<Schema>): PeopleReads {
  return {
    async listStaff() {
      const query = db.selectFrom('account').select(['email', 'roles']).where('roles', '<>', '[]')
      const able = query.where('disabled_at', 'is', null).where('email_verified_at', 'is not', null)
      const rows = await able.orderBy('login_key').execute()
      return rows.map(({ email, roles }) => ({ email, roles: JSON.parse(roles) as InstanceRole[] }))
    },
    async listHolders(name) {
      const own = await db
        .selectFrom('package_role')
        .innerJoin('account', 'account.id', 'package_role.account')
        .select([...columns, 'package_role.role'])
        .where('package_role.package', '=', name)
        .orderBy('account.login_key')
        .execute()
      return [
        ...own.map(row => toHolder(row, row.role as PackageRole, '')),
        ...(await teamHolders(db, name)),
        ...(await orgHolders(db, name)),
      ]
    },
    async listOwnRoles(accountId) {
      const query = db.selectFrom('package_role').selectAll().where('account', '=', accountId)
      const rows = await query.orderBy('package').execute()
      return new Map(rows.map(row => [row.package as PackageName, row.role as PackageRole]))
    },
    async listOwnerFacts(names) {
      if (names.length === 0) return []
      const rows = await db
        .selectFrom('package_role')
        .innerJoin('account', 'account.id', 'package_role.account')
        .select([...columns, 'package_role.package'])
        .where('package_role.package', 'in', [...names])
        .where('package_role.role', '=', 'owner')
        .orderBy('package_role.package')
        .orderBy('account.login_key')
        .execute()
      const lastSeen = await lastSeenOf(db, rows)
      return rows.map(row => ({
        ...toHolder(row, 'owner', ''),
        package: row.package as PackageName,
        lastSeenAt: lastSeen.get(row.id) ?? 0,
      }))
    },
    async listOrgOwnerFacts(orgs) {
      if (orgs.length === 0) return []
      const rows = await db
        .selectFrom('org_member')
        .innerJoin('account', 'account.id', 'org_member.account')
        .select([...columns, 'org_member.org', 'org_member.role'])
        .where('org_member.org', 'in', [...orgs])
        .orderBy('account.login_key')
        .execute()
      const owners = rows.filter(row => ofOrg[row.role as OrgRole] === 'owner')
      const lastSeen = await lastSeenOf(db, owners)
      return owners.map(row => ({
        ...toHolder(row, 'owner', row.org),
        lastSeenAt: lastSeen.get(row.id) ?? 0,
      }))
    },
    async listPublisherIdsBy(accountId) {
      const query = db.selectFrom('trusted_publisher').select('id').where('created_by', '=', accountId)
      return (await query.where('removed_at', 'is', null).orderBy('id').execute()).map(row => row.id)
    },
    async listSkippingTokens(accountIds, now) {
      if (accountIds.length === 0) return []
      const query = db
        .selectFrom('token')
        .selectAll()
        .where('account', 'in', [...accountIds])
        .where('revoked_at', 'is', null)
        .where(eb => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
        .where('limits', 'like', '%"bypassTfa":true%')
      return (await query.orderBy('expires_at').orderBy('id').execute()).map(toToken)
    },
  }
}

/** Changes to people at work, inside a transaction. */
export function peopleWrites(db: Kysely<Schema>): PeopleWrites {
  return {
    async holdInstance() {
      const query = db.updateTable('instance').where('key', '=', 'id')
      await query.set(eb => ({ value: eb.ref('value') })).execute()
    },
    async setRoles(accountId, roles) {
      const query = db.updateTable('account').where('id', '=', accountId)
      await query.set({ roles: JSON.stringify(roles) }).execute()
    },
    async setDisabled(accountId, at) {
      await db.updateTable('account').where('id', '=', accountId).set({ disabled_at: at }).execute()
    },
    async endPresence(accountId) {
      await db.deleteFrom('session').where('account', '=', accountId).execute()
      const query = db.updateTable('approval').where('account', '=', accountId)
      await query.set({ state: 'denied', token_sealed: null }).execute()
    },
  }
}

/** By account: the last use of a session or token, or when it was made. */
async function lastSeenOf(
  db: Kysely<Schema>,
  accounts: readonly { readonly id: string }[],
): Promise<ReadonlyMap<string, number>> {
  if (accounts.length === 0) return new Map()
  const rows = await db
    .selectFrom('account')
    .select(eb => [
      'account.id',
      'account.created_at',
      eb
        .selectFrom('session')
        .select(each => each.fn.max('session.last_seen_at').as('at'))
        .whereRef('session.account', '=', 'account.id')
        .as('seen'),
      eb
        .selectFrom('token')
        .select(each => each.fn.max('token.last_used_at').as('at'))
        .whereRef('token.account', '=', 'account.id')
        .as('used'),
    ])
    .where('account.id', 'in', [...new Set(accounts.map(({ id }) => id))])
    .execute()
  return new Map(
    rows.map(row => [row.id, Math.max(row.created_at, Number(row.seen ?? 0), Number(row.used ?? 0))]),
  )
}

async function teamHolders(db: Kysely<Schema>, name: PackageName): Promise<readonly Holder[]> {
  const rows = await db
    .selectFrom('team_grant')
    .innerJoin('team_member', join =>
      join.onRef('team_member.org', '=', 'team_grant.org').onRef('team_member.team', '=', 'team_grant.team'),
    )
    .innerJoin('account', 'account.id', 'team_member.account')
    .select([...columns, 'team_grant.org', 'team_grant.team', 'team_grant.permission'])
    .where('team_grant.package', '=', name)
    .orderBy('account.login_key')
    .execute()
  return rows.map(row => toHolder(row, ofTeam(row.permission), `${row.org}:${row.team}`))
}

async function orgHolders(db: Kysely<Schema>, name: PackageName): Promise<readonly Holder[]> {
  const rows = await db
    .selectFrom('package')
    .innerJoin('org_member', join =>
      join.on(eb => eb('package.scope', '=', sql<string>`'@' || ${eb.ref('org_member.org')}`)),
    )
    .innerJoin('account', 'account.id', 'org_member.account')
    .select([...columns, 'org_member.org', 'org_member.role'])
    .where('package.name', '=', name)
    .orderBy('account.login_key')
    .execute()
  return rows.map(row => toHolder(row, ofOrg[row.role as OrgRole], row.org))
}

function toHolder(row: HolderRow, role: PackageRole, through: string): Holder {
  return {
    accountId: row.id,
    login: row.login,
    email: row.email,
    role,
    through,
    tfa: row.tfa as TfaMode,
    hasPasskey: row.has_passkey === 1,
    disabledAt: row.disabled_at,
  }
}
