// SPDX-License-Identifier: Apache-2.0
import type { PackageName } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type { CommunityReads, CommunityWrites, NameTransfer } from '../../community/index.ts'
import type { Schema } from './schema.ts'

const open = ['asked', 'granted', 'waiting']

/** Names that are to change hands. */
export function transferReads(
  db: Kysely<Schema>,
): Pick<CommunityReads, 'findTransfer' | 'findOpenTransfer' | 'listOpenTransfers'> {
  return {
    async findTransfer(id) {
      const row = await db.selectFrom('name_transfer').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toTransfer(row)
    },
    async findOpenTransfer(name) {
      const query = db.selectFrom('name_transfer').selectAll().where('package', '=', name)
      const row = await query.where('state', 'in', open).limit(1).executeTakeFirst()
      return row && toTransfer(row)
    },
    async listOpenTransfers(limit) {
      const query = db.selectFrom('name_transfer').selectAll().where('state', 'in', open)
      return (await query.orderBy('asked_at').orderBy('id').limit(limit).execute()).map(toTransfer)
    },
  }
}

/** Changes to them, inside a transaction. */
export function transferWrites(db: Kysely<Schema>): Pick<CommunityWrites, 'setTransfer'> {
  return {
    async setTransfer({ id, askedBy, askedAt, answerBy, grantedBy, effectAt, ...told }) {
      const row = {
        ...told,
        asked_by: askedBy,
        asked_at: askedAt,
        answer_by: answerBy,
        granted_by: grantedBy.join(' '),
        effect_at: effectAt,
      }
      const query = db.insertInto('name_transfer').values({ id, ...row })
      await query.onConflict(clash => clash.column('id').doUpdateSet(row)).execute()
    },
  }
}

function toTransfer(row: Selectable<Schema['name_transfer']>): NameTransfer {
  return {
    id: row.id,
    package: row.package as PackageName,
    askedBy: row.asked_by,
    askedAt: row.asked_at,
    reason: row.reason,
    state: row.state as NameTransfer['state'],
    answer: row.answer as NameTransfer['answer'],
    answerBy: row.answer_by,
    grantedBy: row.granted_by.split(' ').filter(Boolean),
    effectAt: row.effect_at,
  }
}
