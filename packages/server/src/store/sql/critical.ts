// SPDX-License-Identifier: Apache-2.0
import type { PackageName } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type {
  CriticalPackage,
  CriticalReads,
  CriticalSource,
  CriticalWrites,
  Use,
} from '../../identity/index.ts'
import type { Schema } from './schema.ts'

const dayMs = 24 * 3600_000

/** Questions about critical packages and about use. */
export function criticalReads(db: Kysely<Schema>): CriticalReads {
  return {
    async findCritical(name) {
      const query = db.selectFrom('critical_package').selectAll().where('package', '=', name)
      return (await query.orderBy('source').execute()).map(toCritical)
    },
    async listCritical() {
      const query = db.selectFrom('critical_package').selectAll().orderBy('package').orderBy('source')
      return (await query.execute()).map(toCritical)
    },
    async listMostDownloaded(sinceMs, limit) {
      const query = db
        .selectFrom('download_day')
        .innerJoin('package', 'package.name', 'download_day.package')
        .select(eb => ['package.name', eb.fn.sum('download_day.count').as('uses')])
        .where('download_day.day', '>=', Math.floor(sinceMs / dayMs))
        .where('package.removed_at', 'is', null)
        .groupBy('package.name')
      return (await query.orderBy('uses', 'desc').orderBy('package.name').limit(limit).execute()).map(toUse)
    },
    async listMostDependedOn(limit) {
      const query = db
        .selectFrom('dependency')
        .innerJoin('package', 'package.name', 'dependency.dependency')
        .select(eb => ['package.name', eb.fn.countAll().as('uses')])
        .where('package.removed_at', 'is', null)
        .groupBy('package.name')
      return (await query.orderBy('uses', 'desc').orderBy('package.name').limit(limit).execute()).map(toUse)
    },
  }
}

/** Changes to the list, inside a transaction. */
export function criticalWrites(db: Kysely<Schema>): CriticalWrites {
  return {
    async setCritical(entry) {
      const { why, since } = entry
      const row = { package: entry.package, source: entry.source, why, since, binds_at: entry.bindsAt }
      await db
        .insertInto('critical_package')
        .values(row)
        .onConflict(clash => clash.columns(['package', 'source']).doUpdateSet(row))
        .execute()
    },
    async removeCritical(name, source) {
      const query = db.deleteFrom('critical_package').where('package', '=', name)
      await query.where('source', '=', source).execute()
    },
  }
}

function toCritical(row: Selectable<Schema['critical_package']>): CriticalPackage {
  return {
    package: row.package as PackageName,
    source: row.source as CriticalSource,
    why: row.why,
    since: row.since,
    bindsAt: row.binds_at,
  }
}

function toUse(row: { name: string; uses: string | number | bigint }): Use {
  return { package: row.name as PackageName, count: Number(row.uses) }
}
