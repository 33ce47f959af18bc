// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable } from 'kysely'
import type {
  Drill,
  DrillMark,
  DrillPath,
  DrillPlaybook,
  DrillReads,
  DrillReport,
  DrillState,
  DrillWrites,
} from '../../incident/index.ts'
import type { Schema } from './schema.ts'

const columns = {
  attackAt: 'attack_at',
  detectedAt: 'detected_at',
  containedAt: 'contained_at',
  notifiedAt: 'notified_at',
} as const satisfies Record<DrillMark, keyof Schema['drill']>

/** Questions about drills. */
export function drillReads(db: Kysely<Schema>): DrillReads {
  const newest = () => db.selectFrom('drill').selectAll().orderBy('started_at', 'desc').orderBy('id')
  return {
    async find(id) {
      const row = await db.selectFrom('drill').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toDrill(row)
    },
    async findOpen() {
      const row = await newest().where('ended_at', 'is', null).limit(1).executeTakeFirst()
      return row && toDrill(row)
    },
    async list(limit) {
      return (await newest().limit(limit).execute()).map(toDrill)
    },
    async findLast(playbook) {
      let done = newest().where('state', '=', 'done')
      if (playbook !== undefined) done = done.where('playbook', '=', playbook)
      const row = await done.limit(1).executeTakeFirst()
      return row && toDrill(row)
    },
  }
}

/** Changes to drills, inside a transaction. */
export function drillWrites(db: Kysely<Schema>): DrillWrites {
  return {
    async add({ id, playbook, path, packages, state, startedBy, startedAt, report }) {
      const times = { attack_at: null, detected_at: null, contained_at: null, notified_at: null }
      const begun = { id, playbook, path, packages, state, started_by: startedBy, started_at: startedAt }
      await db
        .insertInto('drill')
        .values({ ...begun, ...times, ended_at: null, report: JSON.stringify(report) })
        .execute()
    },
    async setState(id, state) {
      await db
        .updateTable('drill')
        .set({ state })
        .where('id', '=', id)
        .where('ended_at', 'is', null)
        .execute()
    },
    async mark(id, mark, at) {
      const column = columns[mark]
      const open = db
        .updateTable('drill')
        .set({ [column]: at })
        .where('id', '=', id)
      return (await open.where(column, 'is', null).executeTakeFirst()).numUpdatedRows > 0n
    },
    async end(id, state, at, report) {
      const set = { state, ended_at: at, report: JSON.stringify(report) }
      await db.updateTable('drill').set(set).where('id', '=', id).execute()
    },
  }
}

function toDrill(row: Selectable<Schema['drill']>): Drill {
  return {
    id: row.id,
    playbook: row.playbook as DrillPlaybook,
    path: row.path as DrillPath,
    packages: row.packages,
    state: row.state as DrillState,
    startedBy: row.started_by,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    attackAt: row.attack_at,
    detectedAt: row.detected_at,
    containedAt: row.contained_at,
    notifiedAt: row.notified_at,
    report: JSON.parse(row.report) as DrillReport,
  }
}
