// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type { Schema } from './schema.ts'

const key = 'ever-restricted'

/** Notes for ever that there was a restricted package: what names it stays in the log. */
export async function noteRestricted(tx: Kysely<Schema>): Promise<void> {
  await tx
    .insertInto('instance')
    .values({ key, value: 'yes' })
    .onConflict(clash => clash.column('key').doNothing())
    .execute()
}

/** Whether that was noted. */
export async function wasEverRestricted(db: Kysely<Schema>): Promise<boolean> {
  const row = await db.selectFrom('instance').select('key').where('key', '=', key).executeTakeFirst()
  return row !== undefined
}
