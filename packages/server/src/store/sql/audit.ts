// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type { EventQuery, StoredEvent } from '../../integrity/index.ts'
import { toEvent } from './event.ts'
import type { Schema } from './schema.ts'

/** Events that match, newest first, older than `before`: a page whose cost does not grow with how far back it lies. */
export async function searchEvents(
  db: Kysely<Schema>,
  wanted: EventQuery,
  before: number,
  limit: number,
): Promise<StoredEvent[]> {
  let query = db.selectFrom('event').selectAll().where('position', '<', before)
  if (wanted.type !== undefined) query = query.where('type', '=', wanted.type)
  if (wanted.actorId !== undefined) query = query.where('actor_id', '=', wanted.actorId)
  if (wanted.package !== undefined) query = query.where('pkg', '=', wanted.package)
  if (wanted.since !== undefined) query = query.where('at', '>=', wanted.since)
  if (wanted.until !== undefined) query = query.where('at', '<', wanted.until)
  return (await query.orderBy('position', 'desc').limit(limit).execute()).map(toEvent)
}
