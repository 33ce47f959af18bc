// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable } from 'kysely'
import type { SourceLink, SourceLinks } from '../../ports.ts'
import type { Schema } from './schema.ts'

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

export function sourceLinks(db: Kysely<Schema>, transact: Transact): SourceLinks {
  return {
    async listDue(askedBefore, limit) {
      const due = db.selectFrom('source_link').selectAll().where('checked_at', '<', askedBefore)
      return (await due.orderBy('checked_at').limit(limit).execute()).map(toLink)
    },
    async find(repository) {
      const query = db.selectFrom('source_link').selectAll().where('repository', '=', repository)
      const row = await query.executeTakeFirst()
      return row && toLink(row)
    },
    note: link => transact(tx => noteSource(tx, link)),
  }
}

/** Keeps what is known of a repository now. */
export async function noteSource(
  db: Kysely<Schema>,
  { repository, checkedAt, goneSince }: SourceLink,
): Promise<void> {
  const values = { repository, checked_at: checkedAt, gone_since: goneSince }
  await db
    .insertInto('source_link')
    .values(values)
    .onConflict(clash => clash.column('repository').doUpdateSet(values))
    .execute()
}

function toLink(row: Selectable<Schema['source_link']>): SourceLink {
  return { repository: row.repository, checkedAt: row.checked_at, goneSince: row.gone_since }
}
