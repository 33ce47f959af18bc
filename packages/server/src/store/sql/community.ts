// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type {
  Announcement,
  CommunityReads,
  CommunityWrites,
  PolicyPageName,
  PolicyText,
  Review,
} from '../../community/index.ts'
import { hookReads, hookWrites } from './hook.ts'
import { transferReads, transferWrites } from './name-transfer.ts'
import type { Schema } from './schema.ts'
import { watchReads, watchWrites } from './watch.ts'

/** Questions about pages that operators edit, and the register of reviews. */
export function communityReads(db: Kysely<Schema>): CommunityReads {
  const texts = (page: PolicyPageName) =>
    db.selectFrom('policy_text').selectAll().where('page', '=', page).orderBy('version', 'desc')
  return {
    ...watchReads(db),
    ...transferReads(db),
    ...hookReads(db),
    async findPolicyText(page, version) {
      const query = version === undefined ? texts(page) : texts(page).where('version', '=', version)
      const row = await query.limit(1).executeTakeFirst()
      return row && toText(row)
    },
    async listPolicyTexts(page, limit) {
      return (await texts(page).limit(limit).execute()).map(toText)
    },
    async findAnnouncement(id) {
      const row = await db.selectFrom('announcement').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toAnnouncement(row)
    },
    async listAnnouncements(limit) {
      const query = db.selectFrom('announcement').selectAll().orderBy('begun_at', 'desc').orderBy('id')
      return (await query.limit(limit).execute()).map(toAnnouncement)
    },
    async findReview(id) {
      const row = await db.selectFrom('review').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toReview(row)
    },
    async listReviews() {
      const query = db.selectFrom('review').selectAll().orderBy('date', 'desc').orderBy('id')
      return (await query.execute()).map(toReview)
    },
  }
}

/** Changes to them, inside a transaction. */
export function communityWrites(db: Kysely<Schema>): CommunityWrites {
  return {
    ...watchWrites(db),
    ...transferWrites(db),
    ...hookWrites(db),
    async addPolicyText(text) {
      const query = db.insertInto('policy_text').values(text)
      const done = await query
        .onConflict(clash => clash.columns(['page', 'version']).doNothing())
        .executeTakeFirst()
      if (Number(done.numInsertedOrUpdatedRows) === 0) throw problem('policy-page-changed')
    },
    async setAnnouncement({ id, title, lines, isOver }) {
      const row = { title, lines: JSON.stringify(lines), is_over: isOver ? 1 : 0 }
      const query = db.insertInto('announcement').values({ id, ...row, begun_at: lines[0]?.at ?? 0 })
      await query.onConflict(clash => clash.column('id').doUpdateSet(row)).execute()
    },
    async setReview({ id, date, scope, reviewer, findings, changedAt }) {
      const row = { date, scope, reviewer, findings: JSON.stringify(findings), changed_at: changedAt }
      const query = db.insertInto('review').values({ id, ...row })
      await query.onConflict(clash => clash.column('id').doUpdateSet(row)).execute()
    },
  }
}

function toText({ page, ...row }: Selectable<Schema['policy_text']>): PolicyText {
  return { ...row, page: page as PolicyPageName }
}

function toAnnouncement(row: Selectable<Schema['announcement']>): Announcement {
  const lines = JSON.parse(row.lines) as Announcement['lines']
  return { id: row.id, title: row.title, lines, isOver: row.is_over === 1 }
}

function toReview(row: Selectable<Schema['review']>): Review {
  return {
    id: row.id,
    date: row.date,
    scope: row.scope,
    reviewer: row.reviewer,
    findings: JSON.parse(row.findings) as Review['findings'],
    changedAt: row.changed_at,
  }
}
