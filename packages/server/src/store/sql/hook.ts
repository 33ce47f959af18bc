// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable } from 'kysely'
import type { CommunityReads, CommunityWrites, Delivery, Hook, HookRows } from '../../community/index.ts'
import type { Schema } from './schema.ts'

/** People's own webhooks. */
export function hookReads(db: Kysely<Schema>): Pick<CommunityReads, 'findHook' | 'listHooks'> {
  return {
    async findHook(id) {
      const row = await db.selectFrom('hook').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toHook(row)
    },
    async listHooks(accountId) {
      const query = db.selectFrom('hook').selectAll().where('account', '=', accountId)
      return (await query.orderBy('created_at').orderBy('id').execute()).map(toHook)
    },
  }
}

/** Changes to them, inside a transaction. */
export function hookWrites(
  db: Kysely<Schema>,
): Pick<CommunityWrites, 'setHook' | 'removeHook' | 'dropWaiting'> {
  return {
    async setHook({ id, accountId, url, secretSealed, createdAt, failingSince, isDead }) {
      const row = {
        account: accountId,
        url,
        secret: secretSealed,
        created_at: createdAt,
        failing_since: failingSince,
        is_dead: isDead ? 1 : 0,
      }
      const query = db.insertInto('hook').values({ id, ...row })
      await query.onConflict(clash => clash.column('id').doUpdateSet(row)).execute()
    },
    async removeHook(id) {
      await db.deleteFrom('hook_delivery').where('hook', '=', id).execute()
      await db.deleteFrom('hook').where('id', '=', id).execute()
    },
    async dropWaiting(hookId) {
      const query = db.deleteFrom('hook_delivery').where('hook', '=', hookId)
      await query.where('state', '=', 'waiting').execute()
    },
  }
}

/** What they are told. */
export function hookRows(
  db: Kysely<Schema>,
  transact: <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>,
): HookRows {
  const waiting = () => db.selectFrom('hook_delivery').where('state', '=', 'waiting')
  return {
    async addDeliveries(accountIds, position, at) {
      if (accountIds.length === 0) return
      const query = db
        .selectFrom('hook')
        .select('id')
        .where('account', 'in', [...accountIds])
      const hooks = await query.where('is_dead', '=', 0).execute()
      if (hooks.length === 0) return
      const rows = hooks.map(({ id }) => ({
        hook: id,
        position,
        state: 'waiting',
        attempts: 0,
        at,
        why: '',
      }))
      await transact(tx =>
        tx
          .insertInto('hook_delivery')
          .values(rows)
          .onConflict(clash => clash.columns(['hook', 'position']).doNothing())
          .execute(),
      )
    },
    async listDueDeliveries(now, limit) {
      const first = waiting()
        .select(['hook', eb => eb.fn.min('position').as('position')])
        .groupBy('hook')
      const query = db
        .selectFrom('hook_delivery as due')
        .innerJoin(first.as('first'), join =>
          join.onRef('first.hook', '=', 'due.hook').onRef('first.position', '=', 'due.position'),
        )
        .selectAll('due')
        .where('due.at', '<=', now)
      return (await query.orderBy('due.at').orderBy('due.hook').limit(limit).execute()).map(toDelivery)
    },
    async listDeliveries(hookId, limit) {
      const query = db.selectFrom('hook_delivery').selectAll().where('hook', '=', hookId)
      return (await query.orderBy('position', 'desc').limit(limit).execute()).map(toDelivery)
    },
    setDelivery: ({ hookId, position, ...row }) =>
      transact(async tx => {
        const query = tx.updateTable('hook_delivery').set(row)
        await query.where('hook', '=', hookId).where('position', '=', position).execute()
      }),
    removeDelivery: ({ hookId, position }) =>
      transact(async tx => {
        const query = tx.deleteFrom('hook_delivery').where('hook', '=', hookId)
        await query.where('position', '=', position).execute()
      }),
    setFailing: (hookId, since) =>
      transact(async tx => {
        await tx.updateTable('hook').set({ failing_since: since }).where('id', '=', hookId).execute()
      }),
    removeOldDeliveries: before =>
      transact(async tx => {
        const query = tx.deleteFrom('hook_delivery').where('state', '=', 'done')
        await query.where('at', '<', before).execute()
      }),
  }
}

function toHook(row: Selectable<Schema['hook']>): Hook {
  return {
    id: row.id,
    accountId: row.account,
    url: row.url,
    secretSealed: row.secret,
    createdAt: row.created_at,
    failingSince: row.failing_since,
    isDead: row.is_dead === 1,
  }
}

function toDelivery({ hook, state, ...row }: Selectable<Schema['hook_delivery']>): Delivery {
  return { ...row, hookId: hook, state: state as Delivery['state'] }
}
