// SPDX-License-Identifier: Apache-2.0
/** What follows from events, or is counted beside them: documents, letters, downloads, cursors. */
import type { PackageName, Version } from '@holdfast/core'
import { type Kysely, type Selectable, sql } from 'kysely'
import type {
  DocumentRow,
  DocumentRows,
  DownloadCount,
  DownloadRows,
  Leases,
  MailRows,
  MailWrites,
  StoredLetter,
} from '../../ports.ts'
import { dropHolders, rollUp, shortenAddresses } from './download-life.ts'
import { addFirst } from './policy.ts'
import { prepare } from './prepared.ts'
import type { Schema } from './schema.ts'

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

const rowsAtOnce = 50
const dayMs = 24 * 3600_000
/** The use of what came in from an upstream is noted as often. */
const usedMs = 3600_000

export function documentRows(db: Kysely<Schema>, transact: Transact): DocumentRows {
  return {
    async find(name, form) {
      const query = db.selectFrom('document').selectAll().where('package', '=', name).where('form', '=', form)
      const row = await query.executeTakeFirst()
      return row && toDocument(row)
    },
    async save(...rows) {
      await transact(async tx => {
        for (const row of rows) await saveDocument(tx, row)
      })
    },
  }
}

async function saveDocument(tx: Kysely<Schema>, made: DocumentRow): Promise<void> {
  const values = fromDocument(made)
  await tx
    .insertInto('document')
    .values(values)
    .onConflict(clash =>
      clash
        .columns(['package', 'form'])
        .doUpdateSet(values)
        .where(eb =>
          eb.or([eb('document.revision', '<=', made.revision), eb('document.origin', '<>', made.origin)]),
        ),
    )
    .execute()
}

function fromDocument(made: DocumentRow): Schema['document'] {
  return {
    package: made.package,
    form: made.form,
    origin: made.origin,
    revision: made.revision,
    public_url: made.publicUrl,
    policy_version: made.policyVersion,
    valid_until: made.validUntil,
    etag: made.etag,
    identity: made.identity,
    gzip: made.gzip,
    brotli: made.brotli,
    zstd: made.zstd,
  }
}

function toDocument(row: Selectable<Schema['document']>): DocumentRow {
  return {
    package: row.package as PackageName,
    form: row.form as DocumentRow['form'],
    origin: row.origin,
    revision: row.revision,
    publicUrl: row.public_url,
    policyVersion: row.policy_version,
    validUntil: row.valid_until,
    etag: row.etag,
    identity: row.identity,
    gzip: row.gzip,
    brotli: row.brotli,
    zstd: row.zstd,
  }
}

export function mailRows(db: Kysely<Schema>, transact: Transact): MailRows {
  return {
    async listWaiting(limit) {
      const query = db.selectFrom('letter').selectAll().where('sent_at', 'is', null)
      return (await query.orderBy('attempts').orderBy('id').limit(limit).execute()).map(toLetter)
    },
    async listRecent(limit) {
      return (await db.selectFrom('letter').selectAll().orderBy('id', 'desc').limit(limit).execute()).map(
        toLetter,
      )
    },
    markSent: (id, at) =>
      transact(async tx => {
        // A secret link is not kept once it is delivered.
        await tx
          .updateTable('letter')
          .where('id', '=', id)
          .set(eb => ({
            sent_at: at,
            error: null,
            body: eb.case().when('secret', '=', 1).then('').else(eb.ref('body')).end(),
          }))
          .execute()
      }),
    markFailed: (id, error) =>
      transact(async tx => {
        const query = tx.updateTable('letter').where('id', '=', id)
        await query.set(eb => ({ attempts: eb('attempts', '+', 1), error: error.slice(0, 500) })).execute()
      }),
  }
}

export function mailWrites(db: Kysely<Schema>, at: () => number): MailWrites {
  return {
    async add(letter) {
      await db
        .insertInto('letter')
        .values({
          recipient: letter.to,
          subject: letter.subject,
          body: letter.text,
          secret: letter.secret ? 1 : 0,
          created_at: at(),
          sent_at: null,
          attempts: 0,
          error: null,
        } as never)
        .execute()
    },
  }
}

function toLetter(row: Selectable<Schema['letter']>): StoredLetter {
  return {
    id: row.id,
    to: row.recipient,
    subject: row.subject,
    text: row.body,
    secret: row.secret === 1,
    createdAt: row.created_at,
    sentAt: row.sent_at,
    attempts: row.attempts,
    error: row.error,
  }
}

export function downloadRows(
  db: Kysely<Schema>,
  transact: Transact,
  dialect: 'sqlite' | 'postgres',
): DownloadRows {
  return {
    add: batch => transact(tx => addDownloads(tx, batch)),
    async count(name, version, sinceMs) {
      let query = db
        .selectFrom('download_day')
        .select(eb => eb.fn.sum('count').as('n'))
        .where('package', '=', name)
      if (version !== undefined) query = query.where('version', '=', version)
      return Number((await query.where('day', '>=', Math.floor(sinceMs / dayMs)).executeTakeFirst())?.n ?? 0)
    },
    async perDay(name, sinceMs) {
      const rows = await db
        .selectFrom('download_day')
        .select(eb => ['day', eb.fn.sum('count').as('n')])
        .where('package', '=', name)
        .where('day', '>=', Math.floor(sinceMs / dayMs))
        .groupBy('day')
        .orderBy('day')
        .execute()
      return rows.map(row => ({ day: row.day * dayMs, count: Number(row.n) }))
    },
    listUsed: (sinceMs, packages) => listUsed(db, Math.floor(sinceMs / dayMs), packages),
    shortenAddresses: (beforeMs, shorten) =>
      shortenAddresses(db, dialect, transact, Math.floor(beforeMs / dayMs), shorten),
    rollUp: (beforeMs, limit) => transact(tx => rollUp(tx, dialect, Math.floor(beforeMs / dayMs), limit)),
    dropHolders: (beforeMs, limit) => transact(tx => dropHolders(tx, dialect, beforeMs, limit)),
  }
}

async function listUsed(
  db: Kysely<Schema>,
  sinceDay: number,
  packages: number,
): Promise<(readonly [PackageName, ReadonlySet<Version>])[]> {
  const most = db
    .selectFrom('download_day')
    .select(eb => ['package', eb.fn.sum<number>('count').as('uses')])
    .where('day', '>=', sinceDay)
    .groupBy('package')
    .orderBy('uses', 'desc')
    .orderBy('package')
    .limit(packages)
  const rows = await db
    .selectFrom(most.as('most'))
    .innerJoin('download_day', 'download_day.package', 'most.package')
    .select(['download_day.package', 'download_day.version'])
    .where('download_day.day', '>=', sinceDay)
    .groupBy(['most.uses', 'download_day.package', 'download_day.version'])
    .orderBy('most.uses', 'desc')
    .orderBy('download_day.package')
    .execute()
  const used = new Map<PackageName, Set<Version>>()
  for (const row of rows) {
    const versions = used.get(row.package as PackageName) ?? new Set()
    used.set(row.package as PackageName, versions.add(row.version as Version))
  }
  return [...used]
}

async function addDownloads(tx: Kysely<Schema>, batch: readonly DownloadCount[]): Promise<void> {
  const perVersion = new Map<string, Selectable<Schema['download_day']> & { lastAt: number }>()
  const perPackage = new Map<string, number>()
  for (const each of batch) {
    const { package: name, version, lastAt, count } = each
    const day = dayOf(each)
    const key = `${name} ${version} ${day}`
    const sum = perVersion.get(key) ?? { package: name, version, day, count: 0, lastAt: 0 }
    perVersion.set(key, { ...sum, count: sum.count + count, lastAt: Math.max(sum.lastAt, lastAt) })
    perPackage.set(name, (perPackage.get(name) ?? 0) + count)
  }
  await insertMany(batch.map(fromDownload), some => tx.insertInto('download').values(some))
  // Sorted, so that two replicas flushing at once take the rows in one order.
  await addFirst(tx, 'first_use', firstUses(batch))
  const sums = sorted(perVersion).map(([, sum]) => sum)
  await insertMany(
    sums.map(({ lastAt: _, ...sum }) => sum),
    some =>
      tx
        .insertInto('download_day')
        .values(some)
        .onConflict(clash =>
          clash
            .columns(['package', 'version', 'day'])
            .doUpdateSet({ count: sql`download_day.count + excluded.count` }),
        ),
  )
  for (const { package: name, version, lastAt } of sums)
    await markUse(tx, lastAt, name, version, lastAt - usedMs)
  for (const [name, count] of sorted(perPackage)) await countDownloads(tx, count, name)
}

const markUse = prepare((db, lastAt: number, name: string, version: string, before: number) =>
  db
    .updateTable('ingested')
    .where('package', '=', name)
    .where('version', '=', version)
    .where('last_used_at', '<', before)
    .set({ last_used_at: lastAt }),
)

const countDownloads = prepare((db, count: number, name: string) =>
  db
    .updateTable('package')
    .where('name', '=', name)
    .set(eb => ({ downloads: eb('downloads', '+', count) })),
)

/** Both engines bound the parameters of a statement. */
async function insertMany<Row>(
  rows: readonly Row[],
  insert: (some: readonly Row[]) => { execute(): Promise<unknown> },
): Promise<void> {
  for (let at = 0; at < rows.length; at += rowsAtOnce) await insert(rows.slice(at, at + rowsAtOnce)).execute()
}

function dayOf({ lastAt }: DownloadCount): number {
  return Math.floor(lastAt / dayMs)
}

function fromDownload(each: DownloadCount): Schema['download'] {
  return {
    day: dayOf(each),
    package: each.package,
    version: each.version,
    account: each.accountId,
    token: each.tokenId,
    address: each.address,
    client: each.client,
    count: each.count,
    first_at: each.firstAt,
    last_at: each.lastAt,
  }
}

function sorted<T>(rows: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
}

function firstUses(batch: readonly DownloadCount[]): Schema['first_use'][] {
  const first = new Map<string, Schema['first_use']>()
  for (const { package: name, version, firstAt } of batch) {
    const at = Math.min(firstAt, first.get(`${name} ${version}`)?.at ?? firstAt)
    first.set(`${name} ${version}`, { package: name, version, at })
  }
  return sorted(first).map(([, use]) => use)
}

export function leases(db: Kysely<Schema>, transact: Transact, clock: () => number): Leases {
  return {
    async position(consumer) {
      const query = db.selectFrom('cursor').select('position').where('consumer', '=', consumer)
      return (await query.executeTakeFirst())?.position ?? 0
    },
    async owner(consumer) {
      const query = db.selectFrom('cursor').select('owner').where('consumer', '=', consumer)
      return (await query.executeTakeFirst())?.owner ?? ''
    },
    acquire: (consumer, owner, durationMs) =>
      transact(async tx => {
        const now = clock()
        await tx
          .insertInto('cursor')
          .values({ consumer, position: 0, owner: '', until: 0, fence: 0 })
          .onConflict(clash => clash.column('consumer').doNothing())
          .execute()
        const row = await tx
          .updateTable('cursor')
          .where('consumer', '=', consumer)
          .where(eb => eb.or([eb('owner', '=', owner), eb('until', '<', now)]))
          .set(eb => ({
            until: now + durationMs,
            fence: eb
              .case()
              .when('owner', '=', owner)
              .then(eb.ref('fence'))
              .else(eb('fence', '+', 1))
              .end(),
            owner,
          }))
          .returning(['position', 'fence'])
          .executeTakeFirst()
        return row && { position: row.position, fence: row.fence }
      }),
    advance: (consumer, fence, position) =>
      transact(async tx => {
        const query = tx.updateTable('cursor').where('consumer', '=', consumer).where('fence', '=', fence)
        return (await query.set({ position }).executeTakeFirst()).numUpdatedRows > 0n
      }),
    release: (consumer, owner) =>
      transact(async tx => {
        await tx
          .updateTable('cursor')
          .where('consumer', '=', consumer)
          .where('owner', '=', owner)
          .set({ until: 0 })
          .execute()
      }),
  }
}
