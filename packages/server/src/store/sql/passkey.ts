// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type { Passkey, PasskeyReads, PasskeyUpkeep, PasskeyWrites } from '../../identity/index.ts'
import { isUniqueViolation } from './driver.ts'
import type { Schema } from './schema.ts'

/** Questions about passkeys. */
export function passkeyReads(db: Kysely<Schema>): PasskeyReads {
  return {
    async findPasskey(id) {
      const row = await db.selectFrom('passkey').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toPasskey(row)
    },
    async listPasskeys(accountId) {
      const query = db.selectFrom('passkey').selectAll().where('account', '=', accountId)
      return (await query.orderBy('created_at').orderBy('id').execute()).map(toPasskey)
    },
    async countRecoveryCodes(accountId) {
      const query = db.selectFrom('recovery_code').where('account', '=', accountId)
      return Number((await query.select(eb => eb.fn.countAll().as('n')).executeTakeFirstOrThrow()).n)
    },
  }
}

/** Changes of passkeys, inside a transaction. */
export function passkeyWrites(db: Kysely<Schema>): PasskeyWrites {
  return {
    async holdAccount(accountId) {
      await db
        .updateTable('account')
        .where('id', '=', accountId)
        .set(eb => ({ id: eb.ref('id') }))
        .execute()
    },
    async addPasskey(made) {
      try {
        await db.insertInto('passkey').values(fromPasskey(made)).execute()
        await db.updateTable('account').where('id', '=', made.accountId).set({ has_passkey: 1 }).execute()
      } catch (error) {
        if (!isUniqueViolation(error)) throw error
        throw problem('passkey-refused', { why: 'it is registered here already' })
      }
    },
    async renamePasskey(id, name) {
      await db.updateTable('passkey').where('id', '=', id).set({ name }).execute()
    },
    async removePasskey({ id, accountId }) {
      await db.deleteFrom('passkey').where('id', '=', id).execute()
      const left = await db.selectFrom('passkey').select('id').where('account', '=', accountId).execute()
      await db
        .updateTable('account')
        .where('id', '=', accountId)
        .set({ has_passkey: left.length > 0 ? 1 : 0 })
        .execute()
    },
  }
}

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

/** Uses of passkeys. */
export function passkeyUpkeep(transact: Transact): PasskeyUpkeep {
  return {
    usePasskey: (id, { counter, backedUp }, at) =>
      transact(async tx => {
        const query = tx
          .updateTable('passkey')
          .where('id', '=', id)
          // Of two who bring one counter at once, to whatever replica, one passes.
          .where('counter', counter === 0 ? '=' : '<', counter)
          .set({ counter, backed_up: backedUp ? 1 : 0, last_used_at: at })
        return (await query.executeTakeFirst()).numUpdatedRows > 0n
      }),
    useChallenge: (hash, expiresAt, now) =>
      transact(async tx => {
        await tx.deleteFrom('used_challenge').where('expires_at', '<', now).execute()
        const query = tx
          .insertInto('used_challenge')
          .values({ hash, expires_at: expiresAt })
          .onConflict(clash => clash.column('hash').doNothing())
        return ((await query.executeTakeFirst()).numInsertedOrUpdatedRows ?? 0n) > 0n
      }),
  }
}

function fromPasskey(made: Passkey): Schema['passkey'] {
  return {
    id: made.id,
    account: made.accountId,
    name: made.name,
    rp_id: made.rpId,
    public_key: made.publicKey,
    counter: made.counter,
    transports: JSON.stringify(made.transports),
    backed_up: made.backedUp ? 1 : 0,
    created_at: made.createdAt,
    last_used_at: made.lastUsedAt,
  }
}

function toPasskey(row: Selectable<Schema['passkey']>): Passkey {
  return {
    id: row.id,
    accountId: row.account,
    name: row.name,
    rpId: row.rp_id,
    publicKey: row.public_key,
    counter: row.counter,
    transports: JSON.parse(row.transports) as string[],
    backedUp: row.backed_up === 1,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  }
}
