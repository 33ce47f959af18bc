// SPDX-License-Identifier: Apache-2.0
import type { ExpressionBuilder, Kysely } from 'kysely'
import type { EventQuery, StoredEvent } from '../../integrity/index.ts'
import { toEvent } from './event.ts'
import type { Schema } from './schema.ts'

/** What somebody did, and what they were refused: that is written down by the trail. */
function isBy(id: string) {
  return (eb: ExpressionBuilder<Schema, 'event'>) => {
    const own = eb('actor_id', '=', id)
    if (!/^a_[0-9a-f]{16}$/.test(id)) return own
    const refused = eb.and([eb('actor_id', '=', 'trail'), eb('detail', 'like', `%"account":"${id}"%`)])
    return eb.or([own, refused])
  }
}

/** Events that match, newest first, older than `before`: a page whose cost does not grow with how far back it lies. */
export async function searchEvents(
  db: Kysely<Schema>,
  wanted: EventQuery,
  before: number,
  limit: number,
): Promise<StoredEvent[]> {
  let query = db.selectFrom('event').selectAll().where('position', '<', before)
  if (wanted.type !== undefined) query = query.where('type', '=', wanted.type)
  if (wanted.actorId !== undefined) query = query.where(isBy(wanted.actorId))
  if (wanted.package === null) query = query.where('pkg', 'is', null)
  else if (wanted.package !== undefined) query = query.where('pkg', '=', wanted.package)
  if (wanted.since !== undefined) query = query.where('at', '>=', wanted.since)
  if (wanted.until !== undefined) query = query.where('at', '<', wanted.until)
  return (await query.orderBy('position', 'desc').limit(limit).execute()).map(toEvent)
}
