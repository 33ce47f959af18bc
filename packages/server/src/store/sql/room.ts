// SPDX-License-Identifier: Apache-2.0
import { type Kysely, sql } from 'kysely'
import type { CaseWrites, IncidentRoom } from '../../incident/index.ts'
import type { Schema } from './schema.ts'

/** What people do about a case; undefined where there is no such case. */
export async function findRoom(db: Kysely<Schema>, id: string): Promise<IncidentRoom | undefined> {
  const row = await db
    .selectFrom('incident_case')
    .select(['lead', 'taken_at', 'revision'])
    .where('id', '=', id)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const roles = db.selectFrom('incident_role').selectAll().where('incident', '=', id)
  const tasks = db.selectFrom('incident_task').selectAll().where('incident', '=', id)
  const indicators = db.selectFrom('incident_indicator').selectAll().where('incident', '=', id)
  return {
    lead: row.lead,
    takenAt: row.taken_at,
    revision: row.revision,
    roles: (await roles.orderBy('role').orderBy('person').execute()).map(({ role, person }) => ({
      role: role as IncidentRoom['roles'][number]['role'],
      person,
    })),
    tasks: (await tasks.orderBy('ordinal').execute()).map(each => ({
      ordinal: each.ordinal,
      words: each.words,
      playbook: each.playbook,
      doneBy: each.done_by,
      doneAt: each.done_at,
    })),
    indicators: (await indicators.orderBy('at').orderBy('value').execute()).map(each => ({
      kind: each.kind as IncidentRoom['indicators'][number]['kind'],
      value: each.value,
      by: each.author,
      at: each.at,
    })),
  }
}

/** Changes to what people do about a case, inside a transaction. */
export function roomWrites(
  db: Kysely<Schema>,
): Pick<
  CaseWrites,
  'takeCase' | 'changeCase' | 'addRole' | 'removeRole' | 'addTasks' | 'setTask' | 'addIndicator'
> {
  return {
    async takeCase(id, lead, at) {
      await db
        .updateTable('incident_case')
        .set(eb => ({
          state: 'open',
          lead,
          taken_at: sql<number>`coalesce(taken_at, ${at})`,
          revision: eb('revision', '+', 1),
        }))
        .where('id', '=', id)
        .execute()
    },
    async changeCase(id, revision, { severity, lead }) {
      const done = await db
        .updateTable('incident_case')
        .set({ severity, lead, revision: revision + 1 })
        .where('id', '=', id)
        .where('revision', '=', revision)
        .executeTakeFirst()
      return done.numUpdatedRows > 0n
    },
    async addRole(incident, role, person) {
      await db
        .insertInto('incident_role')
        .values({ incident, role, person })
        .onConflict(clash => clash.columns(['incident', 'role', 'person']).doNothing())
        .execute()
    },
    async removeRole(incident, role, person) {
      const query = db.deleteFrom('incident_role').where('incident', '=', incident).where('role', '=', role)
      await query.where('person', '=', person).execute()
    },
    async addTasks(incident, playbook, words) {
      const last = await db
        .selectFrom('incident_task')
        .select(eb => eb.fn.max('ordinal').as('ordinal'))
        .where('incident', '=', incident)
        .executeTakeFirst()
      const first = Number(last?.ordinal ?? 0) + 1
      const rows = words.map((each, i) => ({
        incident,
        ordinal: first + i,
        words: each,
        playbook,
        done_by: '',
        done_at: null,
      }))
      await db.insertInto('incident_task').values(rows).execute()
    },
    async setTask(incident, ordinal, doneBy, at) {
      const query = db
        .updateTable('incident_task')
        .set({ done_by: doneBy, done_at: doneBy === '' ? null : at })
        .where('incident', '=', incident)
        .where('ordinal', '=', ordinal)
        .where('done_at', doneBy === '' ? 'is not' : 'is', null)
      return (await query.executeTakeFirst()).numUpdatedRows > 0n
    },
    async addIndicator(incident, { kind, value, by, at }) {
      await db
        .insertInto('incident_indicator')
        .values({ incident, kind, value, author: by, at })
        .onConflict(clash => clash.columns(['incident', 'kind', 'value']).doNothing())
        .execute()
    },
  }
}
