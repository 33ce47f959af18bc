// SPDX-License-Identifier: Apache-2.0
/** The transparency log's rows: which event is which entry, where the tree stands, and what of it is published. */
import { type PackageName, problem, type Version } from '@holdfast/core'
import type { Kysely } from 'kysely'
import type { LogEntry, LogHead, LogRows, LogWrites, PublishedLog } from '../../ports.ts'
import { insertLeaf } from './event.ts'
import { prepare } from './prepared.ts'
import type { Schema } from './schema.ts'

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

const hashBytes = 32
/** Both engines bound the parameters of a statement. */
const rowsAtOnce = 1000
const packagesAtOnce = 20
const publishesAtOnce = 50

/** Asked for each package of a lock file. */
const headRow = prepare(db => db.selectFrom('log_head').selectAll())
const publishedRow = prepare(db => db.selectFrom('log_published').selectAll())
const publishRow = prepare((db, name: string, version: string) =>
  entries(db)
    .where('event.pkg', '=', name)
    .where('event.ver', '=', version)
    .where('event.type', 'in', ['publish', 'ingest'])
    .orderBy('event.type', 'desc')
    .orderBy('log_leaf.idx')
    .limit(1),
)

/** `transact` is the durable one; `derive` spares the sync for places, which follow from the order of events. */
export function logRows(db: Kysely<Schema>, transact: Transact, derive: Transact): LogRows {
  return {
    head: () => readHead(db),
    published: () => readPublished(db),
    async countWaiting(most) {
      const head = await readHead(db)
      // What comes between the two reads is counted, and nothing twice: places are given in the order of positions.
      const row = await db
        .selectFrom(waitingAfter(db, head.position).select('event.at').limit(most).as('waiting'))
        .select(eb => [eb.fn.countAll().as('count'), eb.fn.min('waiting.at').as('oldest')])
        .executeTakeFirstOrThrow()
      return { size: head.size, count: Number(row.count), oldestAt: row.oldest }
    },
    sequence: (limit, extend) => derive(tx => sequence(tx, limit, extend)),
    recover: leaves => transact(tx => recover(tx, leaves)),
    async findRecovery() {
      const query = db.selectFrom('instance').select('value').where('key', '=', recovering)
      const row = await query.executeTakeFirst()
      return row && Number(row.value)
    },
    endRecovery: () =>
      transact(async tx => {
        await tx.deleteFrom('instance').where('key', '=', recovering).execute()
      }),
    async readEntries(from, to) {
      const query = entries(db).where('log_leaf.idx', '>=', from).where('log_leaf.idx', '<', to)
      return (await query.orderBy('log_leaf.idx').execute()).map(toEntry)
    },
    async findTime(index) {
      const row = await entries(db).select('event.at').where('log_leaf.idx', '=', index).executeTakeFirst()
      return row?.at
    },
    async findById(id) {
      const row = await entries(db).where('event.id', '=', id).executeTakeFirst()
      return row && toEntry(row)
    },
    findPublishes: wanted => findPublishes(db, wanted),
    async findPublish(name, version) {
      const [row] = (await publishRow(db, name, version)).rows
      return row && toEntry(row)
    },
    async ofPackage(name) {
      const query = entries(db).where('event.pkg', '=', name).orderBy('log_leaf.idx')
      return (await query.execute()).map(toEntry)
    },
    ofPackages: (names, most) => readPackages(db, names, most),
  }
}

/** A few names and versions at once: what comes of one with the version of another is left out again. */
async function findPublishes(
  db: Kysely<Schema>,
  wanted: Parameters<LogRows['findPublishes']>[0],
): Promise<readonly (LogEntry | undefined)[]> {
  const found = new Map<string, LogEntry>()
  for (let at = 0; at < wanted.length; at += publishesAtOnce) {
    const some = wanted.slice(at, at + publishesAtOnce)
    // By nothing else, or an engine without statistics takes another index.
    const rows = await entries(db)
      .select(['event.pkg', 'event.ver', 'event.type'])
      .where('event.pkg', 'in', [...new Set(some.map(({ name }) => name))])
      .where('event.ver', 'in', [...new Set(some.map(({ version }) => version))])
      .execute()
    for (const type of ['publish', 'ingest'])
      for (const row of rows.filter(each => each.type === type).sort((one, other) => one.idx - other.idx)) {
        const key = `${row.pkg}@${row.ver}`
        // As `findPublish` has it: what comes first counts.
        if (!found.has(key)) found.set(key, toEntry(row))
      }
  }
  return wanted.map(({ name, version }) => found.get(`${name}@${version}`))
}

async function readPackages(
  db: Kysely<Schema>,
  names: readonly PackageName[],
  most: number,
): Promise<ReadonlyMap<PackageName, readonly LogEntry[]>> {
  const read = new Map<PackageName, readonly LogEntry[]>()
  let left = most
  for (let at = 0; at < names.length && left > 0; at += packagesAtOnce) {
    const some = names.slice(at, at + packagesAtOnce)
    const rows = await entries(db)
      .select('event.pkg')
      .where('event.pkg', 'in', some)
      .orderBy('log_leaf.idx')
      .execute()
    const byName = Map.groupBy(rows, row => row.pkg)
    for (const name of some) {
      if (left <= 0) break
      const found = (byName.get(name) ?? []).map(toEntry)
      read.set(name, found)
      left -= found.length
    }
  }
  return read
}

/** The one change of the log that comes with others: what becomes visible. */
export function logWrites(db: Kysely<Schema>): LogWrites {
  return {
    async publish(before, next) {
      const isMoved =
        before === undefined ? await addPublished(db, next) : await movePublished(db, before, next)
      if (!isMoved) throw problem('log-moved')
      return listPublished(db, before?.size ?? 0, next.size)
    },
    async show(name, versions) {
      for (let at = 0; at < versions.length; at += rowsAtOnce)
        await db
          .updateTable('version')
          .where('package', '=', name)
          .where('version', 'in', versions.slice(at, at + rowsAtOnce))
          .set({ logged: 1 })
          .execute()
    },
  }
}

function waitingAfter(db: Kysely<Schema>, position: number) {
  return db
    .selectFrom('event')
    .where('event.position', '>', position)
    .where('event.leaf', 'is not', null)
    .orderBy('event.position')
}

async function sequence(
  tx: Kysely<Schema>,
  limit: number,
  extend: Parameters<LogRows['sequence']>[1],
): Promise<LogHead | undefined> {
  const head = await readHead(tx)
  const rows = await waitingAfter(tx, head.position)
    .select(['event.position', 'event.leaf_hash'])
    .limit(limit)
    .execute()
  const last = rows.at(-1)
  if (last === undefined) return undefined
  const leafHashes = rows.map(row => new Uint8Array(Buffer.from(row.leaf_hash ?? '', 'base64')))
  const next: LogHead = { ...(await extend(head, leafHashes)), position: last.position }
  // Whoever comes second waits here, finds another head, and leaves without a trace.
  const moved = await tx
    .updateTable('log_head')
    .where('size', '=', head.size)
    .where('root', '=', head.root)
    .set({ size: next.size, root: next.root, hashes: joinHashes(next.hashes), position: next.position })
    .executeTakeFirst()
  if (moved.numUpdatedRows !== 1n) return undefined
  const places = rows.map((row, at) => ({ idx: head.size + at, position: row.position }))
  for (let at = 0; at < places.length; at += rowsAtOnce)
    await tx
      .insertInto('log_leaf')
      .values(places.slice(at, at + rowsAtOnce))
      .execute()
  return next
}

/** Names where the log ended before events were put back, until what protects was done again. */
const recovering = 'log-recovering'

async function recover(tx: Kysely<Schema>, leaves: readonly string[]): Promise<void> {
  const head = await readHead(tx)
  const waiting = await waitingAfter(tx, head.position).select('event.leaf').execute()
  if (waiting.some(({ leaf }, at) => leaf !== leaves[at]))
    throw problem('log-damaged', { why: 'something happened in this database that the log does not have' })
  for (const leaf of leaves.slice(waiting.length)) await insertLeaf(tx, leaf)
  await tx
    .insertInto('instance')
    .values({ key: recovering, value: String(head.size) })
    .onConflict(clash => clash.column('key').doNothing())
    .execute()
}

async function readHead(db: Kysely<Schema>): Promise<LogHead> {
  const [row] = (await headRow(db)).rows
  if (row === undefined) throw new Error('the log has no head')
  return { size: row.size, root: row.root, hashes: splitHashes(row.hashes), position: row.position }
}

async function readPublished(db: Kysely<Schema>): Promise<PublishedLog | undefined> {
  const [row] = (await publishedRow(db)).rows
  return row && { size: row.size, root: row.root, note: row.note, at: row.at }
}

async function addPublished(db: Kysely<Schema>, { size, root, note, at }: PublishedLog): Promise<boolean> {
  const made = await db
    .insertInto('log_published')
    .values({ one: 1, size, root, note, at })
    .onConflict(clash => clash.column('one').doNothing())
    .executeTakeFirst()
  return made.numInsertedOrUpdatedRows === 1n
}

async function movePublished(
  db: Kysely<Schema>,
  before: PublishedLog,
  { size, root, note, at }: PublishedLog,
): Promise<boolean> {
  const moved = await db
    .updateTable('log_published')
    .where('size', '=', before.size)
    .where('note', '=', before.note)
    .set({ size, root, note, at })
    .executeTakeFirst()
  return moved.numUpdatedRows === 1n
}

/** The versions whose publication lies between two sizes. */
async function listPublished(db: Kysely<Schema>, from: number, to: number) {
  const rows = await db
    .selectFrom('log_leaf')
    .innerJoin('event', 'event.position', 'log_leaf.position')
    .select(['event.pkg', 'event.ver'])
    .where('log_leaf.idx', '>=', from)
    .where('log_leaf.idx', '<', to)
    .where('event.type', '=', 'publish')
    .orderBy('event.pkg')
    .execute()
  return rows.map(row => ({ package: row.pkg as PackageName, version: row.ver as Version }))
}

function entries(db: Kysely<Schema>) {
  return db
    .selectFrom('log_leaf')
    .innerJoin('event', 'event.position', 'log_leaf.position')
    .select(['log_leaf.idx', 'event.leaf'])
}

function toEntry(row: { readonly idx: number; readonly leaf: string | null }): LogEntry {
  return { index: row.idx, entry: new Uint8Array(Buffer.from(row.leaf ?? '', 'utf8')) }
}

function joinHashes(hashes: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(hashes))
}

function splitHashes(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / hashBytes }, (_, at) =>
    bytes.slice(at * hashBytes, (at + 1) * hashBytes),
  )
}
