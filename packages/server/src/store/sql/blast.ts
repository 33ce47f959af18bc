// SPDX-License-Identifier: Apache-2.0
import type { PackageName, Version } from '@holdfast/core'
import { type Kysely, sql } from 'kysely'
import type { BlastReads, BlastWrites, HolderMark } from '../../incident/index.ts'
import type { Schema } from './schema.ts'

/** The parts of an incident, each once: of a package as a whole, its versions are not named again. */
const subjectsOf = (incident: string) => sql`
  select s.package, s.version from incident_subject s where s.incident = ${incident} and (s.version = '' or not exists
    (select 1 from incident_subject w where w.incident = s.incident and w.package = s.package and w.version = ''))`

const downloadsOf = (incident: string) => sql`
  (${subjectsOf(incident)}) as subject
  inner join download d on d.package = subject.package and (subject.version = '' or d.version = subject.version)`

const after = (mark: HolderMark | undefined) =>
  mark === undefined
    ? sql`1 = 1`
    : sql`(d.package, d.version, d.account, d.token, d.address, d.client) >
        (${mark.package}, ${mark.version}, ${mark.accountId}, ${mark.tokenId}, ${mark.address}, ${mark.client})`

interface HolderRow {
  readonly package: string
  readonly version: string
  readonly account: string
  readonly token: string
  readonly address: string
  readonly client: string
  readonly login: string | null
  readonly facts: string | null
  readonly count: number
  readonly first_at: number
  readonly last_at: number
}

/** Questions about who has what a case is about. */
export function blastReads(db: Kysely<Schema>): BlastReads {
  const letters = () =>
    db
      .selectFrom('blast_letter')
      .leftJoin('account', 'account.id', 'blast_letter.account')
      .selectAll('blast_letter')
      .select('account.login')
  return {
    async listHolders(incident, mark, limit) {
      const { rows } = await sql<HolderRow>`
        select held.*, account.login, job.facts from (
          select d.package, d.version, d.account, d.token, d.address, d.client,
            sum(d.count) as count, min(d.first_at) as first_at, max(d.last_at) as last_at
          from ${downloadsOf(incident)} where ${after(mark)}
          group by d.package, d.version, d.account, d.token, d.address, d.client
          order by d.package, d.version, d.account, d.token, d.address, d.client limit ${limit}) as held
        left join account on account.id = held.account left join job on job.token = held.token
        order by held.package, held.version, held.account, held.token, held.address, held.client`.execute(db)
      return rows.map(toHolder)
    },
    async sumHolders(incident) {
      const { rows } = await sql<Record<'fetches' | 'accounts' | 'tokens' | 'addresses', number | null>>`
        select sum(d.count) as fetches, count(distinct nullif(d.account, '')) as accounts,
          count(distinct nullif(d.token, '')) as tokens, count(distinct d.address) as addresses
        from ${downloadsOf(incident)}`.execute(db)
      const [row] = rows
      return {
        fetches: Number(row?.fetches ?? 0),
        accounts: Number(row?.accounts ?? 0),
        tokens: Number(row?.tokens ?? 0),
        addresses: Number(row?.addresses ?? 0),
      }
    },
    async listHolderAccounts(incident, limit) {
      const { rows } = await sql<{ account: string }>`
        select distinct d.account from ${downloadsOf(incident)} where d.account <> ''
        order by d.account limit ${limit}`.execute(db)
      return rows.map(row => row.account)
    },
    async listDependentEdges(names, limit) {
      if (names.length === 0) return []
      const query = db
        .selectFrom('dependency')
        .selectAll()
        .where('dependency', 'in', [...names])
      const rows = await query.orderBy('dependency').orderBy('package').limit(limit).execute()
      return rows.map(row => ({
        package: row.package as PackageName,
        dependency: row.dependency as PackageName,
      }))
    },
    async listLetters(incident) {
      const rows = await letters().where('incident', '=', incident).orderBy('account.login').execute()
      return rows.map(toLetter)
    },
    async listLettersTo(accountId) {
      const rows = await letters().where('account', '=', accountId).orderBy('sent_at', 'desc').execute()
      return rows.map(toLetter)
    },
  }
}

/** Changes to the letters of a case, inside a transaction. */
export function blastWrites(db: Kysely<Schema>): BlastWrites {
  return {
    async addLetter(incident, account, at) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('blast_letter')
        .values({ incident, account, sent_at: at, done_at: null })
        .onConflict(clash => clash.columns(['incident', 'account']).doNothing())
        .executeTakeFirst()
      return (numInsertedOrUpdatedRows ?? 0n) > 0n
    },
    async setLetterDone(incident, account, at) {
      const query = db.updateTable('blast_letter').where('incident', '=', incident)
      const mine = query.where('account', '=', account).where('done_at', 'is', null)
      return (await mine.set({ done_at: at }).executeTakeFirst()).numUpdatedRows > 0n
    },
    async forgetLetters(account) {
      await db.deleteFrom('blast_letter').where('account', '=', account).execute()
    },
  }
}

function toHolder(row: HolderRow) {
  const facts = row.facts === null ? undefined : JSON.parse(row.facts)
  return {
    package: row.package as PackageName,
    version: row.version as Version,
    accountId: row.account,
    login: row.login ?? '',
    tokenId: row.token,
    job: facts && { repository: facts.repository, workflow: facts.workflow, run: facts.run },
    address: row.address,
    client: row.client,
    count: Number(row.count),
    firstAt: Number(row.first_at),
    lastAt: Number(row.last_at),
  }
}

interface LetterRow {
  readonly incident: string
  readonly account: string
  readonly login: string | null
  readonly sent_at: number
  readonly done_at: number | null
}

function toLetter({ incident, account, login, sent_at, done_at }: LetterRow) {
  return { incident, accountId: account, login: login ?? '', sentAt: sent_at, doneAt: done_at }
}
