// SPDX-License-Identifier: Apache-2.0
import type { LockScope, PackageName, Version } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type {
  ProjectEntry,
  ProjectLock,
  ProjectReads,
  ProjectUse,
  ProjectWrites,
} from '../../catalog/index.ts'
import { toAdvisory } from './advisory.ts'
import type { Schema } from './schema.ts'

const atOnce = 400

/** Questions about what projects are made of. */
export function projectReads(db: Kysely<Schema>): ProjectReads {
  const uses = () =>
    db
      .selectFrom('project_entry')
      .innerJoin('project_lock', 'project_lock.id', 'project_entry.lock')
      .selectAll('project_lock')
      .select(['project_entry.package', 'project_entry.version', 'direct', 'scope', 'own', 'path'])
  return {
    async findLock(owner, project, branch) {
      const query = db.selectFrom('project_lock').selectAll().where('owner', '=', owner)
      const row = await query.where('project', '=', project).where('branch', '=', branch).executeTakeFirst()
      return row && toLock(row)
    },
    async listLocks(owners) {
      if (owners.length === 0) return []
      const query = db
        .selectFrom('project_lock')
        .selectAll()
        .where('owner', 'in', [...owners])
      return (await query.orderBy('project').orderBy('branch').orderBy('owner').execute()).map(toLock)
    },
    async listEntries(id) {
      const query = db.selectFrom('project_entry').selectAll().where('lock', '=', id)
      return (await query.orderBy('package').orderBy('version').execute()).map(toEntry)
    },
    async listUses(names, limit) {
      if (names.length === 0) return []
      const query = uses()
        .where('package', 'in', [...names])
        .orderBy('owner')
        .orderBy('project')
      const rows = await query
        .orderBy('branch')
        .orderBy('project_entry.package')
        .orderBy('version')
        .limit(limit)
        .execute()
      return rows.map(toUse)
    },
    async listRisks(owners, limit) {
      if (owners?.length === 0) return []
      const all = uses()
        .innerJoin('advisory', 'advisory.package', 'project_entry.package')
        .select(['advisory.id as advisory', 'advisory.range', 'advisory.fixed', 'advisory.kind'])
        .select(['advisory.severity', 'advisory.aliases', 'advisory.cvss', 'advisory.cwe', 'advisory.title'])
        .select(['advisory.url', 'published_at', 'modified_at', 'withdrawn_at'])
        .where('withdrawn_at', 'is', null)
      const some = owners === undefined ? all : all.where('owner', 'in', [...owners])
      const query = some.orderBy('modified_at', 'desc').orderBy('advisory.id').orderBy('owner')
      const rows = await query.orderBy('project').orderBy('branch').limit(limit).execute()
      return rows.map(row => ({ use: toUse(row), advisory: toAdvisory({ ...row, id: row.advisory }) }))
    },
  }
}

/** Changes to what projects are made of, inside a transaction. */
export function projectWrites(db: Kysely<Schema>): ProjectWrites {
  const remove = async (id: string) => {
    await db.deleteFrom('project_entry').where('lock', '=', id).execute()
    const { numDeletedRows } = await db.deleteFrom('project_lock').where('id', '=', id).executeTakeFirst()
    return numDeletedRows > 0n
  }
  return {
    async setLock(lock, entries) {
      const { owner, project, branch } = lock
      const before = await projectReads(db).findLock(owner, project, branch)
      if (before !== undefined) await remove(before.id)
      await db.insertInto('project_lock').values(fromLock(lock)).execute()
      for (let at = 0; at < entries.length; at += atOnce) {
        const some = entries.slice(at, at + atOnce)
        await db
          .insertInto('project_entry')
          .values(some.map(each => fromEntry(lock.id, each)))
          .execute()
      }
    },
    removeLock: remove,
    async noteTold(owner, project, about, at) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('project_told')
        .values({ owner, project, about, at })
        .onConflict(clash => clash.columns(['owner', 'project', 'about']).doNothing())
        .executeTakeFirst()
      return (numInsertedOrUpdatedRows ?? 0n) > 0n
    },
    async forgetOwner(owner) {
      for (const { id } of await projectReads(db).listLocks([owner])) await remove(id)
      await db.deleteFrom('project_told').where('owner', '=', owner).execute()
    },
  }
}

function toLock(row: Selectable<Schema['project_lock']>): ProjectLock {
  const { id, owner, project, branch, manager, digest } = row
  return {
    ...{ id, owner, project, branch, manager, digest },
    entryCount: row.entries,
    submittedBy: row.submitted_by,
    submittedAt: row.submitted_at,
  }
}

function fromLock(lock: ProjectLock): Schema['project_lock'] {
  const { id, owner, project, branch, manager, digest } = lock
  return {
    ...{ id, owner, project, branch, manager, digest },
    entries: lock.entryCount,
    submitted_by: lock.submittedBy,
    submitted_at: lock.submittedAt,
  }
}

type EntryRow = Omit<Selectable<Schema['project_entry']>, 'lock'>

function toEntry(row: EntryRow): ProjectEntry {
  return {
    package: row.package as PackageName,
    version: row.version as Version,
    isDirect: row.direct === 1,
    scope: row.scope as LockScope,
    isOwn: row.own === null ? undefined : row.own === 1,
    path: JSON.parse(row.path) as string[],
  }
}

function toUse(row: EntryRow & Selectable<Schema['project_lock']>): ProjectUse {
  return { ...toEntry(row), lock: toLock(row) }
}

function fromEntry(lock: string, each: ProjectEntry): Schema['project_entry'] {
  return {
    lock,
    package: each.package,
    version: each.version,
    direct: each.isDirect ? 1 : 0,
    scope: each.scope,
    own: each.isOwn === undefined ? null : each.isOwn ? 1 : 0,
    path: JSON.stringify(each.path),
  }
}
