// SPDX-License-Identifier: Apache-2.0
import type { Version } from '@holdfast/core'
import { type Kysely, type Selectable, sql } from 'kysely'
import type {
  ClosedVersion,
  MeasureReads,
  MeasureVersion,
  MeasureWrites,
  TakenMeasure,
  VersionQuery,
} from '../../incident/index.ts'
import type { Clock } from '../../ports.ts'
import { prepare } from './prepared.ts'
import type { Schema } from './schema.ts'

/** Of subjects in a range that the index on them answers. */
const blockRows = prepare((db, from: string, to: string, now: number) =>
  db
    .selectFrom('measure')
    .select(['id', 'subject', 'reason', 'words'])
    .where('subject', '>=', from)
    .where('subject', '<', to)
    .where('undone_at', 'is', null)
    .where(eb => eb.or([eb('lapses_at', 'is', null), eb('lapses_at', '>', now)])),
)

/** Questions about measures. */
export function measureReads(db: Kysely<Schema>, clock: Clock): MeasureReads {
  const all = () => db.selectFrom('measure').selectAll()
  return {
    async find(id) {
      const row = await all().where('id', '=', id).executeTakeFirst()
      return row && toMeasure(row)
    },
    async list(limit) {
      const rows = await all()
        .orderBy(sql`case when undone_at is null then 0 else 1 end`)
        .orderBy('made_at', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toMeasure)
    },
    async findFreeze(subjects) {
      const row = await all()
        .where('subject', 'in', subjects)
        .where('undone_at', 'is', null)
        .where('kind', '=', 'freeze')
        .where(eb => eb.or([eb('lapses_at', 'is', null), eb('lapses_at', '>', clock())]))
        .limit(1)
        .executeTakeFirst()
      return row && toMeasure(row)
    },
    async listBlocks(by) {
      const { rows } = await blockRows(db, `${by}:`, `${by};`, clock())
      return rows.map(({ id, subject, reason, words }) => ({
        id,
        value: subject.slice(by.length + 1),
        why: words === '' ? reason : words,
      }))
    },
    async listLapsed(now, limit) {
      const open = all().where('undone_at', 'is', null).where('lapses_at', '<=', now)
      return (await open.orderBy('lapses_at').limit(limit).execute()).map(toMeasure)
    },
    async match(query, limit, besides) {
      const rows = await matching(db, query, besides)
        .select(['version.package', 'version.version'])
        .orderBy('version.package')
        .orderBy('version.ordinal')
        .limit(limit)
        .execute()
      return rows.map(toVersion)
    },
    async countMatches(query) {
      const row = await matching(db, query).select(sql<number>`count(*)`.as('n')).executeTakeFirstOrThrow()
      return Number(row.n)
    },
    async listUnfinished(madeBefore) {
      const open = all().where('undone_at', 'is', null).where('finished_at', 'is', null)
      return (await open.where('made_at', '<', madeBefore).execute()).map(toMeasure)
    },
    async countVersions(ids) {
      if (ids.length === 0) return new Map()
      const rows = await db
        .selectFrom('measure_version')
        .select(eb => ['measure', eb.fn.countAll().as('n')])
        .where('measure', 'in', ids)
        .groupBy('measure')
        .execute()
      return new Map(rows.map(row => [row.measure, Number(row.n)]))
    },
    async listClosing(name) {
      const rows = await db
        .selectFrom('measure_version')
        .innerJoin('measure', 'measure.id', 'measure_version.measure')
        .select(['measure_version.version', 'measure.id'])
        .where('measure_version.package', '=', name)
        .where('undone_at', 'is', null)
        .orderBy('made_at')
        .execute()
      return new Map(rows.map(row => [row.version as Version, row.id]))
    },
    async listVersions(id, limit) {
      const rows = await db
        .selectFrom('measure_version')
        .select(['package', 'version', 'was', 'why'])
        .where('measure', '=', id)
        .orderBy('package')
        .orderBy('version')
        .limit(limit)
        .execute()
      return rows.map(row => ({ ...toVersion(row), was: row.was as ClosedVersion['was'], why: row.why }))
    },
  }
}

/** Changes to measures, inside a transaction. */
export function measureWrites(db: Kysely<Schema>): MeasureWrites {
  const change = async (
    id: string,
    set: Partial<Schema['measure']>,
    unset?: 'confirmed_by' | 'undo_asked_by',
  ) => {
    const open = db.updateTable('measure').set(set).where('id', '=', id).where('undone_at', 'is', null)
    const done = await (unset === undefined ? open : open.where(unset, '=', '')).executeTakeFirst()
    return done.numUpdatedRows > 0n
  }
  return {
    async add({ madeAt, lapsesAt, confirmedBy, undoAskedBy, undoneBy, undoneAt, finishedAt, ...rest }) {
      const times = { made_at: madeAt, lapses_at: lapsesAt, undone_at: undoneAt, finished_at: finishedAt }
      const people = { confirmed_by: confirmedBy, undo_asked_by: undoAskedBy, undone_by: undoneBy }
      await db
        .insertInto('measure')
        .values({ ...rest, ...times, ...people })
        .execute()
    },
    confirm: (id, by) => change(id, { confirmed_by: by, lapses_at: null }, 'confirmed_by'),
    askUndo: (id, by) => change(id, { undo_asked_by: by }, 'undo_asked_by'),
    end: (id, by, at) => change(id, { undone_by: by, undone_at: at }),
    async hold(id) {
      const open = db.updateTable('measure').where('id', '=', id).where('undone_at', 'is', null)
      const held = open.set(eb => ({ made_at: eb.ref('made_at') })).returningAll()
      const row = await held.executeTakeFirst()
      return row && toMeasure(row)
    },
    async finish(id, at) {
      const open = db.updateTable('measure').set({ finished_at: at }).where('id', '=', id)
      await open.where('finished_at', 'is', null).execute()
    },
    async addVersions(measure, versions) {
      const rows = versions.map(({ name, version, was, why }) => ({
        measure,
        package: name,
        version,
        was,
        why,
      }))
      if (rows.length === 0) return
      const added = db.insertInto('measure_version').values(rows)
      await added.onConflict(clash => clash.columns(['measure', 'package', 'version']).doNothing()).execute()
    },
    async dropVersions(measure, name, versions) {
      const listed = db.deleteFrom('measure_version').where('measure', '=', measure)
      await listed.where('package', '=', name).where('version', 'in', versions).execute()
    },
    async passOn(id, name, versions) {
      if (versions.length === 0) return new Set()
      const rows = await db
        .selectFrom('measure_version')
        .innerJoin('measure', 'measure.id', 'measure_version.measure')
        .select(['measure.id', 'measure_version.version'])
        .where('measure_version.package', '=', name)
        .where(
          'measure_version.version',
          'in',
          versions.map(each => each.version),
        )
        .where('measure.id', '<>', id)
        .where('measure.undone_at', 'is', null)
        .execute()
      const heirs = new Map(rows.map(row => [row.version as Version, row.id]))
      for (const { version, was, why } of versions) {
        const heir = heirs.get(version)
        if (heir === undefined) continue
        const listed = db.updateTable('measure_version').set({ was, why }).where('measure', '=', heir)
        await listed.where('package', '=', name).where('version', '=', version).execute()
      }
      return new Set(heirs.keys())
    },
  }
}

/** Also what other measures have closed: each keeps its own list, so that undoing one opens nothing of another. */
function matching(db: Kysely<Schema>, query: VersionQuery, besides?: string) {
  const { package: name, version, publisher, token, since, until, digest, indicator } = query
  let found = db
    .selectFrom('version')
    .where('version.status', 'in', ['live', 'yanked', 'held', 'quarantined'])
  if (besides !== undefined)
    found = found.where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('measure_version')
            .select('measure_version.measure')
            .where('measure_version.measure', '=', besides)
            .whereRef('measure_version.package', '=', 'version.package')
            .whereRef('measure_version.version', '=', 'version.version'),
        ),
      ),
    )
  if (name !== undefined) found = found.where('version.package', '=', name)
  if (version !== undefined) found = found.where('version.version', '=', version)
  if (publisher !== undefined) found = found.where('version.publisher', '=', publisher)
  if (token !== undefined) found = found.where('version.token', '=', token)
  if (since !== undefined) found = found.where('version.published_at', '>=', since)
  if (until !== undefined) found = found.where('version.published_at', '<', until)
  if (digest !== undefined) found = found.where('version.digest', '=', digest)
  if (indicator !== undefined)
    found = found.where(
      sql<boolean>`lower(version.manifest) like ${`%${escapeLike(indicator.toLowerCase())}%`} escape '!'`,
    )
  return found
}

function escapeLike(text: string): string {
  return JSON.stringify(text).slice(1, -1).replace(/[!%_]/g, '!$&')
}

function toVersion(row: { readonly package: string; readonly version: string }): MeasureVersion {
  return { name: row.package, version: row.version } as MeasureVersion
}

function toMeasure(row: Selectable<Schema['measure']>): TakenMeasure {
  const { made_at, lapses_at, confirmed_by, undo_asked_by, undone_by, undone_at, finished_at, ...rest } = row
  return {
    ...rest,
    madeAt: Number(made_at),
    lapsesAt: lapses_at === null ? null : Number(lapses_at),
    confirmedBy: confirmed_by,
    undoAskedBy: undo_asked_by,
    undoneBy: undone_by,
    undoneAt: undone_at === null ? null : Number(undone_at),
    finishedAt: finished_at === null ? null : Number(finished_at),
  } as TakenMeasure
}
