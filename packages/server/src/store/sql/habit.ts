// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type { Habit, HabitReads, HabitWrites } from '../../ports.ts'
import { toEvent } from './event.ts'
import type { Schema } from './schema.ts'

/** What was not seen for so long is forgotten. */
const keptMs = 400 * 24 * 3600_000

/** Questions about how identities publish. */
export function habitReads(db: Kysely<Schema>): HabitReads {
  return {
    async listHabits(actor) {
      const query = db.selectFrom('habit').selectAll().where('actor', '=', actor).where('kind', '<>', 'turn')
      return (await query.execute()).map(row => ({
        kind: row.kind as Habit['kind'],
        value: row.value,
        firstAt: row.first_at,
        lastAt: row.last_at,
      }))
    },
    async listPublished(actor, after, limit) {
      const query = db
        .selectFrom('event')
        .selectAll()
        .where('actor_id', '=', actor)
        .where('position', '>', after)
        .where('type', '=', 'publish')
      return (await query.orderBy('position', 'desc').limit(limit).execute()).map(toEvent)
    },
  }
}

/** Changes to how identities publish, inside a transaction. */
export function habitWrites(db: Kysely<Schema>): HabitWrites {
  const note = async (actor: string, kind: Habit['kind'] | 'turn', value: string, at: number) => {
    await db
      .insertInto('habit')
      .values({ actor, kind, value, first_at: at, last_at: at })
      .onConflict(clash => clash.columns(['actor', 'kind', 'value']).doUpdateSet({ last_at: at }))
      .execute()
  }
  return {
    holdActor: actor => note(actor, 'turn', '', 0),
    async noteHabit(actor, kind, value, at) {
      await note(actor, kind, value, at)
      await db
        .deleteFrom('habit')
        .where('actor', '=', actor)
        .where('kind', '<>', 'turn')
        .where('last_at', '<', at - keptMs)
        .execute()
    },
    async forgetHabits(actor) {
      await db.deleteFrom('habit').where('actor', '=', actor).execute()
    },
  }
}
