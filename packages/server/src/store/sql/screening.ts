// SPDX-License-Identifier: Apache-2.0
import type { Digest, PackageName, Version } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type { Finding, Screening, ScreeningReads, ScreeningWrites } from '../../catalog/index.ts'
import type { Schema } from './schema.ts'

/** Questions about what screening found. */
export function screeningReads(db: Kysely<Schema>): ScreeningReads {
  const all = () => db.selectFrom('screening').selectAll()
  const outdated = (rules: string) =>
    db.selectFrom('screening').where('rules', '<>', rules).where('state', 'in', ['allow', 'warn', 'hold'])
  return {
    async find(name, version) {
      const row = await all().where('package', '=', name).where('version', '=', version).executeTakeFirst()
      return row && toScreening(row)
    },
    async list(name) {
      return (await all().where('package', '=', name).orderBy('version').execute()).map(toScreening)
    },
    async listHolds(state, limit) {
      const query = all().where('hold', '=', state).orderBy('held_at').orderBy('package')
      return (await query.limit(limit).execute()).map(toScreening)
    },
    async listDue(limit) {
      const query = all().where('state', 'in', ['due', 'failed']).orderBy('screened_at').orderBy('package')
      return (await query.limit(limit).execute()).map(toScreening)
    },
    async listOutdated(rules, limit) {
      const query = outdated(rules).selectAll().orderBy('screened_at', 'desc').orderBy('package')
      return (await query.limit(limit).execute()).map(toScreening)
    },
    async countOutdated(rules) {
      const query = outdated(rules).select(eb => eb.fn.countAll().as('n'))
      return Number((await query.executeTakeFirstOrThrow()).n)
    },
    async countDue() {
      const query = db.selectFrom('screening').where('state', 'in', ['due', 'failed'])
      return Number((await query.select(eb => eb.fn.countAll().as('n')).executeTakeFirstOrThrow()).n)
    },
    async listOverdue(heldBefore, reminders, limit) {
      const open = all().where('hold', '=', 'open').where('held_at', '<', heldBefore)
      const query = open.where('reminders', '<', reminders).orderBy('held_at').orderBy('package')
      return (await query.limit(limit).execute()).map(toScreening)
    },
  }
}

/** Changes to what screening found, inside a transaction. */
export function screeningWrites(db: Kysely<Schema>): ScreeningWrites {
  return {
    async set(screening) {
      const row = fromScreening(screening)
      await db
        .insertInto('screening')
        .values(row)
        .onConflict(clash => clash.columns(['package', 'version']).doUpdateSet(row))
        .execute()
    },
    async noteReminder(name, version, reminders) {
      const query = db.updateTable('screening').set({ reminders }).where('reminders', '<', reminders)
      const open = query.where('package', '=', name).where('version', '=', version).where('hold', '=', 'open')
      return (await open.executeTakeFirst()).numUpdatedRows === 1n
    },
    async settle(name, version, hold, by, at, words) {
      const query = db.updateTable('screening').set({ hold, decided_by: by, decided_at: at, words })
      const open = query.where('package', '=', name).where('version', '=', version).where('hold', '=', 'open')
      return (await open.executeTakeFirst()).numUpdatedRows === 1n
    },
  }
}

function fromScreening(each: Screening): Schema['screening'] {
  const { package: name, version, origin, digest, state, score, rules, fault, hold, words } = each
  return {
    ...{ package: name, version, origin, digest, state, score, rules, fault, hold, words },
    findings: JSON.stringify(each.findings),
    may_hold: each.mayHold ? 1 : 0,
    screened_at: each.screenedAt,
    held_at: each.heldAt,
    reminders: each.reminders,
    decided_by: each.decidedBy,
    decided_at: each.decidedAt,
  }
}

function toScreening(row: Selectable<Schema['screening']>): Screening {
  return {
    package: row.package as PackageName,
    version: row.version as Version,
    origin: row.origin,
    digest: row.digest as Digest,
    state: row.state as Screening['state'],
    score: row.score,
    rules: row.rules,
    findings: JSON.parse(row.findings) as Finding[],
    fault: row.fault,
    mayHold: row.may_hold === 1,
    screenedAt: row.screened_at,
    hold: row.hold as Screening['hold'],
    heldAt: row.held_at,
    reminders: row.reminders,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
    words: row.words,
  }
}
