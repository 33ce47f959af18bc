// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type {
  CommunityReads,
  CommunityWrites,
  WatchKind,
  WatchRows,
  WatchSettings,
} from '../../community/index.ts'
import type { Schema } from './schema.ts'

const noSettings: WatchSettings = { digest: 'at-once', toldAt: 0 }

/** What somebody watches. */
export function watchReads(db: Kysely<Schema>): Pick<CommunityReads, 'listWatches' | 'findWatchSettings'> {
  return {
    async listWatches(accountId) {
      const query = db.selectFrom('watch').selectAll().where('account', '=', accountId)
      const rows = await query.orderBy('kind').orderBy('subject').execute()
      return rows.map(({ account, kind, ...row }) => ({
        accountId: account,
        kind: kind as WatchKind,
        ...row,
      }))
    },
    async findWatchSettings(accountId) {
      const query = db.selectFrom('watcher').selectAll().where('account', '=', accountId)
      const row = await query.executeTakeFirst()
      if (row === undefined) return noSettings
      return { digest: row.digest as WatchSettings['digest'], toldAt: row.told_at }
    },
  }
}

/** Changes to it, inside a transaction. */
export function watchWrites(
  db: Kysely<Schema>,
): Pick<CommunityWrites, 'addWatch' | 'removeWatch' | 'setWatchSettings' | 'removeDue' | 'forgetWatcher'> {
  return {
    async addWatch({ accountId, kind, subject, since }) {
      const query = db.insertInto('watch').values({ account: accountId, kind, subject, since })
      await query.onConflict(clash => clash.columns(['account', 'kind', 'subject']).doNothing()).execute()
    },
    async removeWatch({ accountId, kind, subject }) {
      const query = db.deleteFrom('watch').where('account', '=', accountId)
      await query.where('kind', '=', kind).where('subject', '=', subject).execute()
    },
    async setWatchSettings(account, { digest, toldAt }) {
      const row = { digest, told_at: toldAt }
      const query = db.insertInto('watcher').values({ account, ...row })
      await query.onConflict(clash => clash.column('account').doUpdateSet(row)).execute()
    },
    async removeDue(accountId, positions) {
      if (positions.length === 0) return
      const query = db.deleteFrom('watch_due').where('account', '=', accountId)
      await query.where('position', 'in', [...positions]).execute()
    },
    async forgetWatcher(accountId) {
      const hooks = db.selectFrom('hook').select('id').where('account', '=', accountId)
      await db.deleteFrom('hook_delivery').where('hook', 'in', hooks).execute()
      await db.deleteFrom('hook').where('account', '=', accountId).execute()
      for (const table of ['watch', 'watcher', 'watch_due'] as const)
        await db.deleteFrom(table).where('account', '=', accountId).execute()
    },
  }
}

/** What waits to be told. */
export function watchRows(
  db: Kysely<Schema>,
  transact: <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>,
): WatchRows {
  return {
    async listWatchers(keys) {
      if (keys.length === 0) return []
      const query = db.selectFrom('watch').select('account').distinct()
      const rows = await query
        .where(eb => eb.or(keys.map(({ kind, subject }) => eb.and({ kind, subject }))))
        .orderBy('account')
        .execute()
      return rows.map(row => row.account)
    },
    addDue: (accountIds, position) =>
      transact(async tx => {
        for (const account of accountIds) {
          const query = tx.insertInto('watch_due').values({ account, position })
          await query.onConflict(clash => clash.columns(['account', 'position']).doNothing()).execute()
        }
      }),
    async listDueAccounts(limit, after) {
      const query = db.selectFrom('watch_due').select('account').distinct().where('account', '>', after)
      return (await query.orderBy('account').limit(limit).execute()).map(row => row.account)
    },
    async listDue(accountId, limit) {
      const query = db.selectFrom('watch_due').select('position').where('account', '=', accountId)
      return (await query.orderBy('position').limit(limit).execute()).map(row => row.position)
    },
  }
}
