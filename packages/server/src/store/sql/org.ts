// SPDX-License-Identifier: Apache-2.0
import { type PackageName, problem } from '@holdfast/core'
import type { Kysely } from 'kysely'
import type { IdentityReads, IdentityWrites, OrgRole, TeamGrant } from '../../identity/index.ts'
import { isUniqueViolation } from './driver.ts'
import type { Schema } from './schema.ts'

type OrgReads = Pick<
  IdentityReads,
  | 'orgExists'
  | 'listOrgsOf'
  | 'orgRole'
  | 'listOrgMembers'
  | 'findTeamId'
  | 'listTeams'
  | 'listTeamMembers'
  | 'listTeamGrants'
  | 'listTeamsOn'
>

/** Questions about organisations and teams. */
export function orgReads(db: Kysely<Schema>): OrgReads {
  return {
    async orgExists(org) {
      return (
        (await db.selectFrom('org').select('name').where('name', '=', org).executeTakeFirst()) !== undefined
      )
    },
    async listOrgsOf(accountId) {
      const rows = await db
        .selectFrom('org_member')
        .selectAll()
        .where('account', '=', accountId)
        .orderBy('org')
        .execute()
      return new Map(rows.map(row => [row.org, row.role as OrgRole]))
    },
    async orgRole(accountId, org) {
      const query = db
        .selectFrom('org_member')
        .select('role')
        .where('org', '=', org)
        .where('account', '=', accountId)
      return (await query.executeTakeFirst())?.role as OrgRole | undefined
    },
    async listOrgMembers(org) {
      const rows = await db
        .selectFrom('org_member')
        .innerJoin('account', 'account.id', 'org_member.account')
        .select(['account.id', 'account.login', 'account.disabled_at', 'org_member.role'])
        .where('org_member.org', '=', org)
        .orderBy('account.login')
        .execute()
      return rows.map(row => ({
        accountId: row.id,
        login: row.login,
        role: row.role as OrgRole,
        isActive: row.disabled_at === null,
      }))
    },
    async findTeamId(org, team) {
      const query = db.selectFrom('team').select('id').where('org', '=', org).where('name', '=', team)
      return (await query.executeTakeFirst())?.id
    },
    async listTeams(org) {
      return (
        await db.selectFrom('team').select('name').where('org', '=', org).orderBy('name').execute()
      ).map(row => row.name)
    },
    async listTeamMembers(org, team) {
      const rows = await db
        .selectFrom('team_member')
        .innerJoin('account', 'account.id', 'team_member.account')
        .select('account.login')
        .where('team_member.org', '=', org)
        .where('team_member.team', '=', team)
        .orderBy('account.login')
        .execute()
      return rows.map(row => row.login)
    },
    async listTeamsOn(name) {
      const rows = await db
        .selectFrom('team_grant')
        .innerJoin('team', join =>
          join.onRef('team.org', '=', 'team_grant.org').onRef('team.name', '=', 'team_grant.team'),
        )
        .select(['team_grant.org', 'team', 'id', 'permission'])
        .where('package', '=', name)
        .orderBy('team_grant.org')
        .orderBy('team')
        .execute()
      return rows.map(row => ({ ...row, permission: row.permission as TeamGrant['permission'] }))
    },
    async listTeamGrants(org, team) {
      const query = db.selectFrom('team_grant').selectAll().where('org', '=', org).where('team', '=', team)
      const rows = await query.orderBy('package').execute()
      return rows.map(row => ({
        package: row.package as PackageName,
        permission: row.permission as TeamGrant['permission'],
      }))
    },
  }
}

type OrgWrites = Pick<
  IdentityWrites,
  | 'holdScope'
  | 'addOrg'
  | 'holdOrg'
  | 'setOrgMember'
  | 'addTeam'
  | 'removeTeam'
  | 'setTeamMember'
  | 'setTeamGrant'
>

/** Changes to organisations and teams. */
export function orgWrites(db: Kysely<Schema>): OrgWrites {
  return {
    async holdScope(name) {
      await db
        .insertInto('scope_name')
        .values({ name: name.toLowerCase() })
        .onConflict(clash => clash.column('name').doUpdateSet(eb => ({ name: eb.ref('excluded.name') })))
        .execute()
    },
    async addOrg(org, at) {
      try {
        await db.insertInto('org').values({ name: org, created_at: at }).execute()
      } catch (error) {
        if (!isUniqueViolation(error)) throw error
        throw problem('org-exists', { org })
      }
    },
    async holdOrg(org) {
      await db
        .updateTable('org')
        .where('name', '=', org)
        .set(eb => ({ created_at: eb.ref('created_at') }))
        .execute()
    },
    async setOrgMember(org, id, role) {
      await db.deleteFrom('org_member').where('org', '=', org).where('account', '=', id).execute()
      if (role === undefined)
        await db.deleteFrom('team_member').where('org', '=', org).where('account', '=', id).execute()
      else await db.insertInto('org_member').values({ org, account: id, role }).execute()
    },
    async addTeam(org, name, id) {
      try {
        await db.insertInto('team').values({ org, name, id }).execute()
      } catch (error) {
        if (!isUniqueViolation(error)) throw error
        throw problem('team-exists', { org, team: name })
      }
    },
    async removeTeam(org, team) {
      await db.deleteFrom('team_member').where('org', '=', org).where('team', '=', team).execute()
      await db.deleteFrom('team_grant').where('org', '=', org).where('team', '=', team).execute()
      await db.deleteFrom('team').where('org', '=', org).where('name', '=', team).execute()
    },
    async setTeamMember(org, team, id, member) {
      const query = db.deleteFrom('team_member').where('org', '=', org).where('team', '=', team)
      await query.where('account', '=', id).execute()
      if (member) await db.insertInto('team_member').values({ org, team, account: id }).execute()
    },
    async setTeamGrant(org, team, name, permission) {
      const query = db.deleteFrom('team_grant').where('org', '=', org).where('team', '=', team)
      await query.where('package', '=', name).execute()
      if (permission !== undefined)
        await db.insertInto('team_grant').values({ org, team, package: name, permission }).execute()
    },
  }
}
