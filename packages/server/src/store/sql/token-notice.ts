// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type { TokenNoticeReads, TokenNoticeWrites } from '../../identity/index.ts'
import type { Schema } from './schema.ts'
import { toToken } from './token.ts'

export function tokenNoticeReads(db: Kysely<Schema>): TokenNoticeReads {
  return {
    async listEndingTokens(now, until, after, limit) {
      const rows = await db
        .selectFrom('token')
        .selectAll('token')
        .select(eb =>
          eb
            .selectFrom('token_notice')
            .select(each => each.fn.min('days').as('told'))
            .whereRef('token_notice.token', '=', 'token.id')
            .as('told'),
        )
        .where('revoked_at', 'is', null)
        .where('origin', '<>', 'login')
        .where('expires_at', '>', now)
        .where('expires_at', '<=', until)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(row => ({
        token: toToken(row),
        told: row.told === null ? undefined : Number(row.told),
      }))
    },
  }
}

export function tokenNoticeWrites(db: Kysely<Schema>): TokenNoticeWrites {
  return {
    async addTokenNotice(token, days) {
      const added = await db
        .insertInto('token_notice')
        .values({ token, days })
        .onConflict(clash => clash.columns(['token', 'days']).doNothing())
        .executeTakeFirst()
      return (added.numInsertedOrUpdatedRows ?? 0n) > 0n
    },
  }
}
