// SPDX-License-Identifier: Apache-2.0
/** Versions that wait for approval, apart from those that are there: what reads versions cannot come upon them. */
import { type Digest, type DistTag, type PackageName, problem, type Version } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type { Staged, StageReads, StageWrites } from '../../catalog/index.ts'
import { isUniqueViolation } from './driver.ts'
import type { Schema } from './schema.ts'

export function stageReads(db: Kysely<Schema>): StageReads {
  return {
    async find(id) {
      const row = await rows(db).where('stage.id', '=', id).executeTakeFirst()
      return row && toStaged(row)
    },
    async findByVersion(name, version) {
      const query = rows(db).where('stage.package', '=', name).where('stage.version', '=', version)
      const row = await query.executeTakeFirst()
      return row && toStaged(row)
    },
    async list(names) {
      if (names.length === 0) return []
      const query = rows(db).where('stage.package', 'in', names).orderBy('staged_at').orderBy('stage.id')
      return (await query.execute()).map(toStaged)
    },
    async count(name) {
      const query = db.selectFrom('stage').select(eb => eb.fn.countAll().as('n'))
      return Number((await query.where('package', '=', name).executeTakeFirstOrThrow()).n)
    },
    async listApprovals(id) {
      const found = await db
        .selectFrom('stage_approval')
        .leftJoin('account', 'account.id', 'stage_approval.account')
        .select(['stage_approval.account', 'stage_approval.at', 'account.login'])
        .where('stage', '=', id)
        .orderBy('stage_approval.at')
        .execute()
      return found.map(row => ({ accountId: row.account, login: row.login ?? '', at: row.at }))
    },
    async listExpired(now, limit) {
      const query = rows(db).where('expires_at', '<=', now).orderBy('expires_at').limit(limit)
      return (await query.execute()).map(toStaged)
    },
  }
}

export function stageWrites(db: Kysely<Schema>): StageWrites {
  return {
    async add(staged) {
      try {
        await db.insertInto('stage').values(fromStaged(staged)).execute()
      } catch (error) {
        if (!isUniqueViolation(error)) throw error
        throw problem('version-staged', { name: staged.package, version: staged.version })
      }
    },
    async hold(id) {
      const query = db.updateTable('stage').set(eb => ({ staged_at: eb.ref('staged_at') }))
      return (await query.where('id', '=', id).executeTakeFirst()).numUpdatedRows === 1n
    },
    async approve(stage, account, at) {
      const made = await db
        .insertInto('stage_approval')
        .values({ stage, account, at })
        .onConflict(clash => clash.columns(['stage', 'account']).doNothing())
        .executeTakeFirst()
      return made.numInsertedOrUpdatedRows === 1n
    },
    async remove(id) {
      await db.deleteFrom('stage_approval').where('stage', '=', id).execute()
      return (await db.deleteFrom('stage').where('id', '=', id).executeTakeFirst()).numDeletedRows === 1n
    },
  }
}

function rows(db: Kysely<Schema>) {
  return db
    .selectFrom('stage')
    .leftJoin('account', 'account.id', 'stage.stager')
    .selectAll('stage')
    .select('account.login as login')
}

function fromStaged(staged: Omit<Staged, 'stagerLogin'>): Schema['stage'] {
  const { id, package: name, version, tag, manifest, readme, digest, shasum, sizeBytes } = staged
  return {
    ...{ id, package: name, version, tag, manifest, readme, digest, shasum },
    size_bytes: sizeBytes,
    staged_at: staged.stagedAt,
    expires_at: staged.expiresAt,
    stager: staged.stagerId,
    stager_kind: staged.stagerKind,
    token: staged.tokenId,
    proof: staged.proof,
  }
}

function toStaged(row: Selectable<Schema['stage']> & { login: string | null }): Staged {
  const { id, manifest, readme, shasum } = row
  return {
    ...{ id, manifest, readme, shasum },
    package: row.package as PackageName,
    version: row.version as Version,
    tag: row.tag as DistTag,
    digest: row.digest as Digest,
    sizeBytes: row.size_bytes,
    stagedAt: row.staged_at,
    expiresAt: row.expires_at,
    stagerId: row.stager,
    stagerKind: row.stager_kind as Staged['stagerKind'],
    stagerLogin: row.login ?? '',
    tokenId: row.token,
    proof: row.proof,
  }
}
