// SPDX-License-Identifier: Apache-2.0
/** Advisories: records as they came, a row for each package they are about, and the feeds that brought them. */
import type { PackageName } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type {
  Advisory,
  AdvisoryRows,
  AdvisoryWrites,
  Feed,
  OsvRecord,
  WaitingRecord,
} from '../../catalog/index.ts'
import type { Schema } from './schema.ts'

/** Both engines bound the parameters of a statement. */
const atOnce = 500

type Derive = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

/** The questions about advisories, and notes on who brings them. */
export function advisoryRows(db: Kysely<Schema>, derive: Derive): AdvisoryRows {
  return {
    listRecords: ids => listRecords(db, ids),
    async listByPrefix(prefix, limit) {
      const query = db.selectFrom('osv_record').selectAll().where('id', '>=', prefix)
      const rows = query.where('id', '<', `${prefix}~`).orderBy('id').limit(limit)
      return (await rows.execute()).map(toRecord)
    },
    async listSubjects(ids) {
      const found = new Map<string, PackageName[]>()
      for (const some of inParts(ids)) {
        const rows = await db
          .selectFrom('advisory')
          .select(['id', 'package'])
          .where('id', 'in', some)
          .orderBy('package')
          .execute()
        for (const { id, package: name } of rows)
          found.set(id, [...(found.get(id) ?? []), name as PackageName])
      }
      return found
    },
    async listRecordIds(name, after, limit) {
      const query = db.selectFrom('advisory').select('id').where('package', '=', name).where('id', '>', after)
      return (await query.orderBy('id').limit(limit).execute()).map(({ id }) => id)
    },
    async pageShown(after, limit) {
      const query = shown(db).where('id', '>', after).orderBy('id').limit(limit)
      return (await query.execute()).map(toRecord)
    },
    async listNewest(limit) {
      const query = shown(db).orderBy('modified_at', 'desc').orderBy('id').limit(limit)
      return (await query.execute()).map(toRecord)
    },
    async listWaiting(ids) {
      const query = db.selectFrom('advisory_wait').selectAll().orderBy('at').orderBy('id')
      if (ids === undefined) return (await query.execute()).map(toWaiting)
      const found: WaitingRecord[] = []
      for (const some of inParts(ids))
        found.push(...(await query.where('id', 'in', some).execute()).map(toWaiting))
      return found
    },
    async listFeeds() {
      return (await db.selectFrom('feed').selectAll().orderBy('name').execute()).map(toFeed)
    },
    noteFeed: feed =>
      derive(async tx => {
        const { name, ...values } = fromFeed(feed)
        await tx
          .insertInto('feed')
          .values({ name, ...values })
          .onConflict(clash => clash.column('name').doUpdateSet(values))
          .execute()
      }),
  }
}

async function listRecords(db: Kysely<Schema>, ids: readonly string[]): Promise<OsvRecord[]> {
  const found: OsvRecord[] = []
  for (const some of inParts(ids)) {
    const rows = await db.selectFrom('osv_record').selectAll().where('id', 'in', some).execute()
    found.push(...rows.map(toRecord))
  }
  return found
}

/** A record that names a package which only some may read is shown to nobody in a list for all. */
function shown(db: Kysely<Schema>) {
  return db
    .selectFrom('osv_record')
    .selectAll()
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('advisory')
            .innerJoin('package', 'package.name', 'advisory.package')
            .select('package.name')
            .whereRef('advisory.id', '=', 'osv_record.id')
            .where('package.access', '!=', 'public'),
        ),
      ),
    )
}

/** The changes of advisories, inside a transaction. */
export function advisoryWrites(db: Kysely<Schema>): AdvisoryWrites & Pick<AdvisoryRows, 'listRecords'> {
  return {
    listRecords: ids => listRecords(db, ids),
    async setWaiting({ id, ...values }) {
      await db
        .insertInto('advisory_wait')
        .values({ id, ...values })
        .onConflict(clash => clash.column('id').doUpdateSet(values))
        .execute()
    },
    async dropWaiting(id) {
      await db.deleteFrom('advisory_wait').where('id', '=', id).execute()
    },
    async setRecords(told) {
      const ids = told.map(each => each.record.id)
      for (const some of inParts(ids)) {
        await db.deleteFrom('advisory').where('id', 'in', some).execute()
        await db.deleteFrom('osv_record').where('id', 'in', some).execute()
      }
      for (const some of inParts(told.map(each => fromRecord(each.record))))
        await db.insertInto('osv_record').values(some).execute()
      for (const some of inParts(told.flatMap(each => each.advisories.map(fromAdvisory))))
        await db.insertInto('advisory').values(some).execute()
    },
  }
}

function inParts<T>(all: readonly T[]): readonly T[][] {
  return Array.from({ length: Math.ceil(all.length / atOnce) }, (_, at) =>
    all.slice(at * atOnce, (at + 1) * atOnce),
  )
}

/** What a row of the table says. */
export function toAdvisory(row: Selectable<Schema['advisory']>): Advisory {
  return {
    id: row.id,
    package: row.package as PackageName,
    range: row.range,
    fixed: JSON.parse(row.fixed) as Advisory['fixed'],
    kind: row.kind as Advisory['kind'],
    severity: row.severity as Advisory['severity'],
    aliases: JSON.parse(row.aliases) as string[],
    cvss: JSON.parse(row.cvss) as Advisory['cvss'],
    cwe: JSON.parse(row.cwe) as string[],
    title: row.title,
    url: row.url,
    publishedAt: row.published_at,
    modifiedAt: row.modified_at,
    withdrawnAt: row.withdrawn_at,
  }
}

/** The row of the table that says the same. */
export function fromAdvisory(advisory: Advisory): Schema['advisory'] {
  return {
    package: advisory.package,
    id: advisory.id,
    range: advisory.range,
    fixed: JSON.stringify(advisory.fixed),
    kind: advisory.kind,
    severity: advisory.severity,
    aliases: JSON.stringify(advisory.aliases),
    cvss: JSON.stringify(advisory.cvss),
    cwe: JSON.stringify(advisory.cwe),
    title: advisory.title,
    url: advisory.url,
    published_at: advisory.publishedAt,
    modified_at: advisory.modifiedAt,
    withdrawn_at: advisory.withdrawnAt,
  }
}

function toRecord(row: Selectable<Schema['osv_record']>): OsvRecord {
  const { id, text, feed } = row
  return { id, text, feed, modifiedAt: row.modified_at, withdrawnAt: row.withdrawn_at }
}

function fromRecord({ id, text, feed, modifiedAt, withdrawnAt }: OsvRecord): Schema['osv_record'] {
  return { id, text, feed, modified_at: modifiedAt, withdrawn_at: withdrawnAt }
}

function toWaiting(row: Selectable<Schema['advisory_wait']>): WaitingRecord {
  return { ...row, state: row.state as WaitingRecord['state'] }
}

function toFeed(row: Selectable<Schema['feed']>): Feed {
  const { name, records, faults, fault } = row
  return { name, records, faults, fault, takenAt: row.taken_at, changedAt: row.changed_at }
}

function fromFeed({ name, records, faults, fault, takenAt, changedAt }: Feed): Schema['feed'] {
  return { name, records, faults, fault, taken_at: takenAt, changed_at: changedAt }
}
