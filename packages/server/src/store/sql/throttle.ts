// SPDX-License-Identifier: Apache-2.0
import { type Kysely, sql } from 'kysely'
import type { Budget, ThrottleUpkeep } from '../../identity/index.ts'
import type { Schema } from './schema.ts'

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

const memoryMs = 24 * 3600_000

/** Counters of attempts over one table: a row for each attempt that failed, or is being looked at. */
export function throttleUpkeep(transact: Transact, dialect: 'sqlite' | 'postgres'): ThrottleUpkeep {
  return {
    bookAttempt: (id, budgets, sinceMs, at) =>
      transact(async tx => {
        // Always in one order, so that two that share counters do not wait for each other.
        const sorted = [...budgets].sort((one, other) => (one.counter < other.counter ? -1 : 1))
        // SQLite has one writer at a time; here two could count the same and both pass.
        if (dialect === 'postgres') for (const { counter } of sorted) await holdCounter(tx, counter)
        for (const budget of sorted) {
          const usedUp = await oldestIfUsedUp(tx, budget, sinceMs)
          if (usedUp !== undefined) return usedUp
        }
        await tx
          .deleteFrom('failure')
          .where('at', '<', at - memoryMs)
          .execute()
        const rows = sorted.map(({ counter }) => ({ id, counter, at }))
        await tx.insertInto('failure').values(rows).execute()
        return undefined
      }),
    unbookAttempt: id =>
      transact(async tx => {
        await tx.deleteFrom('failure').where('id', '=', id).execute()
      }),
  }
}

async function holdCounter(tx: Kysely<Schema>, counter: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${counter}, 7021949))`.execute(tx)
}

async function oldestIfUsedUp(
  tx: Kysely<Schema>,
  { counter, allowed }: Budget,
  sinceMs: number,
): Promise<number | undefined> {
  const row = await tx
    .selectFrom('failure')
    .select(eb => [eb.fn.countAll().as('n'), eb.fn.min('at').as('oldest')])
    .where('counter', '=', counter)
    .where('at', '>', sinceMs)
    .executeTakeFirstOrThrow()
  return Number(row.n) >= allowed ? Number(row.oldest ?? sinceMs) : undefined
}
