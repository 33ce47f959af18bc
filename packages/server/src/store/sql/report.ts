// SPDX-License-Identifier: Apache-2.0
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Report, ReporterRecord, ReportReads, ReportWrites } from '../../incident/index.ts'
import type { Schema } from './schema.ts'

/** Questions about what people reported. */
export function reportReads(db: Kysely<Schema>): ReportReads {
  const all = () => db.selectFrom('report').selectAll()
  return {
    async find(id) {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row && toReport(row)
    },
    async findBySecret(hash) {
      const row = await all().where('secret_hash', '=', hash).executeTakeFirst()
      return row && toReport(row)
    },
    async ofCase(incident) {
      const query = all().where('incident', '=', incident).where('state', '<>', 'waiting')
      return (await query.orderBy('made_at').orderBy('id').limit(1000).execute()).map(toReport)
    },
    async countOpen() {
      const rows = await db
        .selectFrom('report')
        .select(['incident', sql<number>`count(*)`.as('n')])
        .where('state', '=', 'open')
        .groupBy('incident')
        .execute()
      return new Map(rows.map(row => [row.incident, Number(row.n)]))
    },
    async record(reporter) {
      const [row] = await records(db).where('reporter', '=', reporter).execute()
      const isMarked = (await marks(db, [reporter])).has(reporter)
      return row === undefined ? { reporter, confirmed: 0, dismissed: 0, isMarked } : toRecord(row, isMarked)
    },
    async listRecords(limit) {
      const rows = await records(db).orderBy('confirmed', 'desc').orderBy('reporter').limit(limit).execute()
      const marked = await db
        .selectFrom('reporter_mark')
        .select('reporter')
        .where('marked', '=', 1)
        .orderBy('reporter')
        .limit(limit)
        .execute()
      const isMarked = new Set(marked.map(each => each.reporter))
      const known = new Set(rows.map(each => each.reporter))
      const fresh = [...isMarked].filter(each => !known.has(each))
      return [
        ...rows.map(row => toRecord(row, isMarked.has(row.reporter))),
        ...fresh.map(reporter => ({ reporter, confirmed: 0, dismissed: 0, isMarked: true })),
      ]
    },
  }
}

/** Changes to what people reported, inside a transaction. */
export function reportWrites(db: Kysely<Schema>): ReportWrites {
  return {
    async add(report, secretHash) {
      const { madeAt, ...rest } = report
      await db
        .insertInto('report')
        .values({ ...rest, made_at: madeAt, secret_hash: secretHash })
        .execute()
    },
    async count(id, reporter, incident) {
      const done = await db
        .updateTable('report')
        .set({ state: 'open', reporter, incident, secret_hash: '' })
        .where('id', '=', id)
        .where('state', '=', 'waiting')
        .executeTakeFirst()
      return done.numUpdatedRows > 0n
    },
    async settle(id, outcome) {
      const done = await db
        .updateTable('report')
        .set({ state: outcome, mailbox: '' })
        .where('id', '=', id)
        .where('state', '=', 'open')
        .executeTakeFirst()
      return done.numUpdatedRows > 0n
    },
    async setMarked(reporter, isMarked) {
      const marked = isMarked ? 1 : 0
      await db
        .insertInto('reporter_mark')
        .values({ reporter, marked })
        .onConflict(clash => clash.column('reporter').doUpdateSet({ marked }))
        .execute()
    },
    async dropWaiting(madeBefore) {
      await db.deleteFrom('report').where('state', '=', 'waiting').where('made_at', '<', madeBefore).execute()
    },
  }
}

interface RecordRow {
  readonly reporter: string
  readonly confirmed: number
  readonly dismissed: number
}

/** A case counts once for each who reported it. */
function records(db: Kysely<Schema>) {
  return db
    .selectFrom('report')
    .select([
      'reporter',
      sql<number>`count(distinct case when state = 'confirmed' then incident end)`.as('confirmed'),
      sql<number>`count(distinct case when state = 'dismissed' then incident end)`.as('dismissed'),
    ])
    .where('state', 'in', ['confirmed', 'dismissed'])
    .groupBy('reporter')
}

async function marks(db: Kysely<Schema>, reporters: readonly string[]): Promise<ReadonlySet<string>> {
  const query = db.selectFrom('reporter_mark').select('reporter').where('marked', '=', 1)
  return new Set((await query.where('reporter', 'in', reporters).execute()).map(row => row.reporter))
}

function toRecord({ reporter, confirmed, dismissed }: RecordRow, isMarked: boolean): ReporterRecord {
  return { reporter, confirmed: Number(confirmed), dismissed: Number(dismissed), isMarked }
}

function toReport(row: Selectable<Schema['report']>): Report {
  const { made_at, secret_hash: _, ...rest } = row
  return { ...rest, madeAt: made_at } as Report
}
