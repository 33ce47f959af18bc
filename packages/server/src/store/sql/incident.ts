// SPDX-License-Identifier: Apache-2.0
import type { PackageName, Version } from '@holdfast/core'
import { type Kysely, type Selectable, sql } from 'kysely'
import type { CaseReads, CaseSummary, CaseWrites } from '../../incident/index.ts'
import { findRoom, roomWrites } from './room.ts'
import type { Schema } from './schema.ts'

/** Questions about cases. */
export function caseReads(db: Kysely<Schema>): CaseReads {
  return {
    async findCase(id) {
      const row = await db.selectFrom('incident_case').selectAll().where('id', '=', id).executeTakeFirst()
      if (row === undefined) return undefined
      const subjects = db.selectFrom('incident_subject').selectAll().where('incident', '=', id)
      const notes = db.selectFrom('incident_note').selectAll().where('incident', '=', id)
      return {
        ...toCase(row),
        subjects: (await subjects.orderBy('package').orderBy('version').execute()).map(each => ({
          package: each.package as PackageName,
          version: each.version as Version | '',
        })),
        timeline: (await notes.orderBy('ordinal').execute()).map(({ at, author, words }) => ({
          at,
          by: author,
          words,
        })),
      }
    },
    async findOpenCase(kind, title) {
      const query = db.selectFrom('incident_case').select('id').where('title', '=', title)
      const open = query.where('kind', '=', kind).where('state', '<>', 'closed')
      return (await open.orderBy('opened_at', 'desc').limit(1).executeTakeFirst())?.id
    },
    async findOpenCaseAbout(name) {
      const query = db
        .selectFrom('incident_case')
        .innerJoin('incident_subject', 'incident_subject.incident', 'incident_case.id')
        .select('incident_case.id')
        .where('incident_subject.package', '=', name)
        .where('incident_case.state', '<>', 'closed')
        .where(({ and, eb, or }) =>
          or([
            eb('incident_case.kind', 'in', ['hold-undecided', 'report', 'by-hand', 'malware', 'takedown']),
            and([eb('incident_case.kind', '=', 'upstream-fault'), eb('incident_subject.version', '<>', '')]),
          ]),
        )
      return (await query.orderBy('opened_at', 'desc').limit(1).executeTakeFirst())?.id
    },
    findRoom: id => findRoom(db, id),
    async listSubjects(kind) {
      const query = db
        .selectFrom('incident_subject')
        .innerJoin('incident_case', 'incident_case.id', 'incident_subject.incident')
        .select('incident_subject.package')
        .distinct()
        .where('incident_case.kind', '=', kind)
      const rows = await query.orderBy('incident_subject.package').execute()
      return rows.map(row => row.package as PackageName)
    },
    async listCases(openedBefore, limit) {
      const query = summaries(db).where('opened_at', '<', openedBefore).orderBy('opened_at', 'desc')
      return (await query.orderBy('id').limit(limit).execute()).map(toSummary)
    },
    async listOpenCases(limit) {
      const gravity = sql`case severity when 'critical' then 0 when 'high' then 1 when 'moderate' then 2 else 3 end`
      const query = summaries(db).where('state', '<>', 'closed').orderBy(gravity).orderBy('opened_at')
      return (await query.orderBy('id').limit(limit).execute()).map(toSummary)
    },
    async listLeads() {
      const rows = await db
        .selectFrom('incident_case')
        .select(['id', 'lead'])
        .where('lead', '<>', '')
        .orderBy('opened_at', 'desc')
        .limit(5000)
        .execute()
      return new Map(rows.map(row => [row.id, row.lead]))
    },
  }
}

function summaries(db: Kysely<Schema>) {
  return db
    .selectFrom('incident_case')
    .selectAll()
    .select(eb =>
      eb
        .selectFrom('incident_subject')
        .whereRef('incident', '=', 'incident_case.id')
        .select(sql<number>`count(*)`.as('n'))
        .as('subjects'),
    )
}

/** Changes to cases, inside a transaction. */
export function caseWrites(db: Kysely<Schema>): CaseWrites {
  return {
    async holdCases() {
      const query = db.updateTable('instance').where('key', '=', 'log-origin')
      await query.set(eb => ({ value: eb.ref('value') })).execute()
    },
    async addCase({ id, kind, title, state, severity, openedBy, openedAt }) {
      const row = {
        id,
        kind,
        title,
        state,
        severity,
        opened_by: openedBy,
        opened_at: openedAt,
        lead: '',
        taken_at: null,
        revision: 0,
      }
      await db.insertInto('incident_case').values(row).execute()
    },
    async addCaseSubjects(incident, subjects) {
      if (subjects.length === 0) return
      await db
        .insertInto('incident_subject')
        .values(subjects.map(({ package: name, version }) => ({ incident, package: name, version })))
        .onConflict(clash => clash.columns(['incident', 'package', 'version']).doNothing())
        .execute()
    },
    async addCaseNote(incident, { at, by, words }) {
      const last = await db
        .selectFrom('incident_note')
        .select(eb => eb.fn.max('ordinal').as('ordinal'))
        .where('incident', '=', incident)
        .executeTakeFirst()
      const ordinal = Number(last?.ordinal ?? 0) + 1
      await db.insertInto('incident_note').values({ incident, ordinal, at, author: by, words }).execute()
    },
    ...roomWrites(db),
    async renameCase(id, kind, title) {
      await db.updateTable('incident_case').set({ kind, title }).where('id', '=', id).execute()
    },
    async setCaseState(id, state) {
      await db.updateTable('incident_case').set({ state }).where('id', '=', id).execute()
    },
  }
}

function toCase(row: Selectable<Schema['incident_case']>): Omit<CaseSummary, 'subjectCount'> {
  return {
    id: row.id,
    kind: row.kind as CaseSummary['kind'],
    title: row.title,
    state: row.state as CaseSummary['state'],
    severity: row.severity as CaseSummary['severity'],
    openedBy: row.opened_by,
    openedAt: row.opened_at,
  }
}

function toSummary(row: Selectable<Schema['incident_case']> & { readonly subjects: unknown }): CaseSummary {
  return { ...toCase(row), subjectCount: Number(row.subjects) }
}
