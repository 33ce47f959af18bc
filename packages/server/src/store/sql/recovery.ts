// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable } from 'kysely'
import type { Recovery, RecoveryReads, RecoveryWrites } from '../../identity/index.ts'
import type { Schema } from './schema.ts'

/** Questions about recoveries. */
export function recoveryReads(db: Kysely<Schema>): RecoveryReads {
  const one = async (column: 'id' | 'hash' | 'cancel_hash', value: string) => {
    const row = await db.selectFrom('recovery').selectAll().where(column, '=', value).executeTakeFirst()
    return row && toRecovery(row)
  }
  return {
    findRecovery: hash => one('hash', hash),
    findRecoveryToCancel: hash => one('cancel_hash', hash),
    getRecovery: id => one('id', id),
    async listOpenRecoveries(now, accountId) {
      let query = db.selectFrom('recovery').selectAll().where('state', 'in', ['proposed', 'waiting'])
      if (accountId !== undefined) query = query.where('account', '=', accountId)
      const rows = await query.where('expires_at', '>', now).orderBy('began_at').orderBy('id').execute()
      return rows.map(toRecovery)
    },
  }
}

/** Changes of recoveries, inside a transaction. */
export function recoveryWrites(db: Kysely<Schema>): RecoveryWrites {
  const one = (id: string) => db.updateTable('recovery').where('id', '=', id)
  return {
    async addRecovery(cancelHash, made) {
      await db
        .insertInto('recovery')
        .values({
          id: made.id,
          // Nothing finishes it until a secret is set.
          hash: `none ${made.id}`,
          cancel_hash: cancelHash,
          account: made.accountId,
          way: made.way,
          state: made.state,
          email: made.email,
          drops_factors: made.dropsFactors ? 1 : 0,
          opened_by: made.openedBy,
          began_at: made.beganAt,
          ready_at: made.readyAt,
          expires_at: made.expiresAt,
        })
        .execute()
    },
    async setRecoverySecret(id, hash) {
      await one(id).set({ hash }).execute()
    },
    async setRecoveryTimes(id, readyAt, expiresAt) {
      await one(id).set({ ready_at: readyAt, expires_at: expiresAt }).execute()
    },
    async moveRecovery(id, from, to) {
      const moved = await one(id).where('state', '=', from).set({ state: to }).executeTakeFirst()
      return moved.numUpdatedRows > 0n
    },
  }
}

function toRecovery(row: Selectable<Schema['recovery']>): Recovery {
  return {
    id: row.id,
    accountId: row.account,
    way: row.way as Recovery['way'],
    state: row.state as Recovery['state'],
    email: row.email,
    dropsFactors: row.drops_factors === 1,
    openedBy: row.opened_by,
    beganAt: row.began_at,
    readyAt: row.ready_at,
    expiresAt: row.expires_at,
  }
}
