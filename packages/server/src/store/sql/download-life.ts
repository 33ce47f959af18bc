// SPDX-License-Identifier: Apache-2.0
/** What becomes of records of downloads as they age: addresses become networks, records become holders, holders end. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Schema } from './schema.ts'

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

type Dialect = 'sqlite' | 'postgres'

const addressesAtOnce = 1000
const rowOf: Readonly<Record<Dialect, string>> = { sqlite: 'rowid', postgres: 'ctid' }

/** Puts networks in place of the addresses in records of days before this one, some in a transaction: what was cut off is done the next time. */
export async function shortenAddresses(
  db: Kysely<Schema>,
  dialect: Dialect,
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
      // Those of one network lie together in the index too.
      .orderBy('address')
      .execute()
    for (let at = 0; at < whole.length; at += addressesAtOnce) {
      const some = whole.slice(at, at + addressesAtOnce).map(row => row.address)
      await transact(tx => replaceOnDay(tx, dialect, day, some, shorten))
      await nextTurn()
    }
  }
}

/** Networks for addresses that lie together in the index, as one statement over the records between the first and the last. */
async function replaceOnDay(
  tx: Kysely<Schema>,
  dialect: Dialect,
  day: number,
  addresses: readonly string[],
  shorten: (address: string) => string,
): Promise<void> {
  const text = JSON.stringify(Object.fromEntries(addresses.map(each => [each, shorten(each)])))
  const listed = dialect === 'sqlite' ? sql`json_each(${text})` : sql`json_each_text(${text}::json)`
  await sql`with network as materialized (select key, value from ${listed})
    update download set address = network.value from network
    where download.day = ${day} and download.address between ${addresses[0]} and ${addresses.at(-1)}
      and download.address = network.key`.execute(tx)
}

/** Moves the oldest records of days before this one to holders, inside a transaction: a record is in one of both, never in none. */
export async function rollUp(
  tx: Kysely<Schema>,
  dialect: Dialect,
  beforeDay: number,
  limit: number,
): Promise<number> {
  const row = sql.raw(rowOf[dialect])
  const oldest = sql`select ${row} from download where day < ${beforeDay} order by day, ${row} limit ${limit}`
  if (dialect === 'sqlite') {
    await holdersOf(sql`download where rowid in (${oldest})`).execute(tx)
    const { numAffectedRows = 0n } = await sql`delete from download where rowid in (${oldest})`.execute(tx)
    return Number(numAffectedRows)
  }
  // One statement: what it deletes is what it adds.
  const { rows } = await sql<{
    n: number
  }>`with gone as (delete from download where ctid in (${oldest}) returning *),
    added as (${holdersOf(sql`gone where true`)})
    select count(*) as n from gone`.execute(tx)
  return Number(rows[0]?.n ?? 0)
}

/** Sorted, so that two who move at once take the rows in one order. */
function holdersOf(from: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`insert into holder (package, version, account, token, count, first_at, last_at)
    select package, version, account, token, sum(count), min(first_at), max(last_at) from ${from}
    group by package, version, account, token order by package, version, account, token
    on conflict (package, version, account, token) do update set
      count = holder.count + excluded.count,
      first_at = case when holder.first_at < excluded.first_at then holder.first_at else excluded.first_at end,
      last_at = case when holder.last_at > excluded.last_at then holder.last_at else excluded.last_at end`
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
