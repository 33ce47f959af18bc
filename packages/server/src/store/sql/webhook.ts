// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type { WebhookRows } from '../../ports.ts'
import type { Schema } from './schema.ts'

const whyLength = 300

/** How webhooks have been doing. */
export function webhookRows(
  db: Kysely<Schema>,
  transact: <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>,
): WebhookRows {
  const find = (tx: Kysely<Schema>, id: string) =>
    tx.selectFrom('webhook').select('begun_at').where('id', '=', id).executeTakeFirst()
  return {
    async begin(id, at) {
      const known = await find(db, id)
      if (known !== undefined) return known.begun_at
      return transact(async tx => {
        await tx
          .insertInto('webhook')
          .values({ id, begun_at: at, delivered_at: null, failures: 0, failed_at: null, why: '' })
          .onConflict(clash => clash.column('id').doNothing())
          .execute()
        return (await find(tx, id))?.begun_at ?? at
      })
    },
    noteDelivered: (id, at) =>
      transact(async tx => {
        const query = tx.updateTable('webhook').where('id', '=', id)
        await query.set({ delivered_at: at, failures: 0, why: '' }).execute()
      }),
    noteFailed: (id, at, why) =>
      transact(async tx => {
        const query = tx.updateTable('webhook').where('id', '=', id)
        await query
          .set(eb => ({ failures: eb('failures', '+', 1), failed_at: at, why: why.slice(0, whyLength) }))
          .execute()
      }),
    async list() {
      const rows = await db.selectFrom('webhook').selectAll().orderBy('id').execute()
      return rows.map(row => ({
        id: row.id,
        begunAt: row.begun_at,
        deliveredAt: row.delivered_at,
        failures: row.failures,
        failedAt: row.failed_at,
        why: row.why,
      }))
    },
  }
}
