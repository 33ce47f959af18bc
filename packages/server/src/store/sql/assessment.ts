// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type { AssessmentReads, AssessmentWrites } from '../../community/index.ts'
import type { Schema } from './schema.ts'

const kept = 100

export function assessmentReads(db: Kysely<Schema>): AssessmentReads {
  return {
    async list(limit) {
      const query = db.selectFrom('assessment').select(['at', 'release', 'passed', 'key_id', 'signature'])
      return (await query.orderBy('at', 'desc').limit(limit).execute()).map(withKeyId)
    },
    async find(at) {
      const row = await db.selectFrom('assessment').selectAll().where('at', '=', at).executeTakeFirst()
      return row && withKeyId(row)
    },
  }
}

export function assessmentWrites(db: Kysely<Schema>): AssessmentWrites {
  return {
    async add({ keyId, ...row }) {
      const values = { ...row, key_id: keyId }
      await db
        .insertInto('assessment')
        .values(values)
        .onConflict(clash => clash.column('at').doUpdateSet(values))
        .execute()
      const newest = db.selectFrom('assessment').select('at').orderBy('at', 'desc').limit(kept)
      await db.deleteFrom('assessment').where('at', 'not in', newest).execute()
    },
  }
}

function withKeyId<T extends { readonly key_id: string }>({ key_id, ...row }: T) {
  return { ...row, keyId: key_id }
}
