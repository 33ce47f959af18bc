// SPDX-License-Identifier: Apache-2.0
/** What becomes of records of downloads as they age: addresses become networks, records become holders, holders end. */
import { type Kysely, sql } from 'kysely'
import type { Schema } from './schema.ts'

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

type Dialect = 'sqlite' | 'postgres'

const addressesAtOnce = 250
const holdersAtOnce = 50
const rowOf: Readonly<Record<Dialect, string>> = { sqlite: 'rowid', postgres: 'ctid' }

/** Puts networks in place of the addresses in records of days before this one, some in a transaction: what was cut off is done the next time. */
export async function shortenAddresses(
  db: Kysely<Schema>,
  transact: Transact,
  beforeDay: number,
  shorten: (address: string) => string,
): Promise<void> {
  const days = await db.selectFrom('download').select('day').distinct().where('day', '<', beforeDay).execute()
  for (const { day } of days) {
    const whole = await db
      .selectFrom('download')
      .select('address')
      .distinct()
      .where('day', '=', day)
      .where('address', 'not like', '%/%')
      .execute()
    for (let at = 0; at < whole.length; at += addressesAtOnce)
      await transact(tx => replaceOnDay(tx, day, whole.slice(at, at + addressesAtOnce), shorten))
  }
}

async function replaceOnDay(
  tx: Kysely<Schema>,
  day: number,
  rows: readonly { readonly address: string }[],
  shorten: (address: string) => string,
): Promise<void> {
  const byNetwork = Map.groupBy(
    rows.map(row => row.address),
    shorten,
  )
  for (const [address, from] of byNetwork)
    await tx
      .updateTable('download')
      .where('day', '=', day)
      .where('address', 'in', from)
      .set({ address })
      .execute()
}

type HolderRow = Schema['holder']

/** Moves the oldest records of days before this one to holders, inside a transaction: a record is in one of both, never in none. */
export async function rollUp(
  tx: Kysely<Schema>,
  dialect: Dialect,
  beforeDay: number,
  limit: number,
): Promise<number> {
  const row = sql.raw(rowOf[dialect])
  const { rows } = await sql<HolderRow>`
    delete from download where ${row} in (select ${row} from download where day < ${beforeDay} order by day limit ${limit})
    returning package, version, account, token, count, first_at, last_at`.execute(tx)
  const holders = gather(rows)
  for (let at = 0; at < holders.length; at += holdersAtOnce)
    await addHolders(tx, holders.slice(at, at + holdersAtOnce))
  return rows.length
}

/** Sorted, so that two who move at once take the rows in one order. */
function gather(rows: readonly HolderRow[]): readonly HolderRow[] {
  const holders = new Map<string, HolderRow>()
  for (const row of rows) {
    const key = `${row.package} ${row.version} ${row.account} ${row.token}`
    const found = holders.get(key)
    holders.set(key, found === undefined ? row : join(found, row))
  }
  return [...holders].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, holder]) => holder)
}

function join(one: HolderRow, other: HolderRow): HolderRow {
  return {
    ...one,
    count: one.count + other.count,
    first_at: Math.min(one.first_at, other.first_at),
    last_at: Math.max(one.last_at, other.last_at),
  }
}

async function addHolders(tx: Kysely<Schema>, holders: readonly HolderRow[]): Promise<void> {
  await tx
    .insertInto('holder')
    .values([...holders])
    .onConflict(clash =>
      clash.columns(['package', 'version', 'account', 'token']).doUpdateSet({
        count: sql`holder.count + excluded.count`,
        first_at: sql`case when holder.first_at < excluded.first_at then holder.first_at else excluded.first_at end`,
        last_at: sql`case when holder.last_at > excluded.last_at then holder.last_at else excluded.last_at end`,
      }),
    )
    .execute()
}

/** Ends holders that fetched last before this time. */
export async function dropHolders(
  tx: Kysely<Schema>,
  dialect: Dialect,
  beforeMs: number,
  limit: number,
): Promise<number> {
  const row = sql.raw(rowOf[dialect])
  const { rows } = await sql`delete from holder where ${row} in
    (select ${row} from holder where last_at < ${beforeMs} order by last_at limit ${limit}) returning 1`.execute(
    tx,
  )
  return rows.length
}
