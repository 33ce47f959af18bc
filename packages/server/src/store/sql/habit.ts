// SPDX-License-Identifier: Apache-2.0
import type { PackageName, Version } from '@holdfast/core'
import type { Kysely } from 'kysely'
import type { Habit, HabitReads, HabitWrites, PastPublish } from '../../ports.ts'
import type { Schema } from './schema.ts'

/** What was not seen for so long is forgotten. */
const keptMs = 400 * 24 * 3600_000
/** So many publishes of one identity are looked at. */
const mostPublishes = 1000
/** Of so many identities what they published is in memory. */
const mostRemembered = 50

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
    async listPublished(actor, after) {
      const query = db
        .selectFrom('event')
        .select(['position', 'at', 'pkg', 'ver', 'detail'])
        .where('actor_id', '=', actor)
        .where('position', '>', after)
        .where('type', '=', 'publish')
      return (await query.orderBy('position', 'desc').limit(mostPublishes).execute()).map(row => ({
        position: row.position,
        at: row.at,
        name: row.pkg as PackageName,
        version: row.ver as Version,
        news: (JSON.parse(row.detail) as { news?: readonly string[] }).news ?? [],
      }))
    },
  }
}

/** What was published does not change: of who publishes often only what is new is read. */
export function rememberPublished(reads: HabitReads): HabitReads {
  const kept = new Map<string, readonly PastPublish[]>()
  return {
    ...reads,
    async listPublished(actor, after) {
      const known = kept.get(actor) ?? []
      const fresh = await reads.listPublished(actor, known[0]?.position ?? 0)
      const all = [...fresh, ...known].slice(0, mostPublishes)
      kept.delete(actor)
      kept.set(actor, all)
      const [oldest] = kept.keys()
      if (kept.size > mostRemembered && oldest !== undefined) kept.delete(oldest)
      return all.filter(each => each.position > after)
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
