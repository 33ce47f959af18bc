// SPDX-License-Identifier: Apache-2.0
import type { PackageName, Version } from '@holdfast/core'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { BlastReads, BlastWrites, Holder, HolderMark } from '../../incident/index.ts'
import type { Schema } from './schema.ts'

const versionsAtOnce = 200

/** The parts of an incident, each once: of a package as a whole, its versions are not named again. */
const subjectsOf = (incident: string) => sql`
  select s.package, s.version from incident_subject s where s.incident = ${incident} and (s.version = '' or not exists
    (select 1 from incident_subject w where w.incident = s.incident and w.package = s.package and w.version = ''))`

/** What is kept of who fetched it: records, and holders from before these begin. */
const keptOf = (incident: string, table: 'download' | 'holder') => sql`
  (${subjectsOf(incident)}) as subject inner join ${sql.table(table)} d
    on d.package = subject.package and (subject.version = '' or d.version = subject.version)`

type VersionRow = Readonly<Record<'package' | 'version', string>>

interface HolderRow {
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
    listHolders: (incident, mark, limit) => listHolders(db, incident, mark, limit),
    async sumHolders(incident) {
      const { rows } = await sql<Record<'fetches' | 'accounts' | 'tokens' | 'addresses', number | null>>`
        select sum(count) as fetches, count(distinct nullif(account, '')) as accounts,
          count(distinct nullif(token, '')) as tokens, count(distinct nullif(address, '')) as addresses
        from (select d.account, d.token, d.address, d.count from ${keptOf(incident, 'download')}
          union all select d.account, d.token, '' as address, d.count from ${keptOf(incident, 'holder')}) as held`.execute(
        db,
      )
      const [row] = rows
      return {
        fetches: Number(row?.fetches ?? 0),
        accounts: Number(row?.accounts ?? 0),
        tokens: Number(row?.tokens ?? 0),
        addresses: Number(row?.addresses ?? 0),
      }
    },
    async listHolderAccounts(incident, after, limit) {
      const { rows } = await sql<{ account: string }>`
        select d.account from ${keptOf(incident, 'download')} where d.account > ${after}
        union select d.account from ${keptOf(incident, 'holder')} where d.account > ${after}
        order by account limit ${limit}`.execute(db)
      return rows.map(row => row.account)
    },
    listOwn: (accountId, mark, limit) => listOwn(db, accountId, mark, limit),
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

/** A version at a time, each in the order of an index: a page costs what is on it, wherever in a million it lies. */
async function listHolders(
  db: Kysely<Schema>,
  incident: string,
  mark: HolderMark | undefined,
  limit: number,
): Promise<readonly Holder[]> {
  const holders: Holder[] = []
  let from: VersionRow | undefined = mark
  let isFirst = true
  for (;;) {
    const versions = await listFetched(db, incident, from, isFirst)
    for (const each of versions) {
      const isMarked = each.package === mark?.package && each.version === mark.version
      holders.push(...(await holdersOf(db, each, isMarked ? mark : undefined, limit - holders.length)))
      if (holders.length === limit) return holders
    }
    from = versions.at(-1)
    isFirst = false
    if (versions.length < versionsAtOnce) return holders
  }
}

/** Versions that the case is about and that were ever fetched, from one on or after it. */
async function listFetched(
  db: Kysely<Schema>,
  incident: string,
  from: VersionRow | undefined,
  isFirst: boolean,
): Promise<readonly VersionRow[]> {
  const least =
    from === undefined
      ? sql`1 = 1`
      : sql`(u.package, u.version) ${sql.raw(isFirst ? '>=' : '>')} (${from.package}, ${from.version})`
  const { rows } = await sql<VersionRow>`
    select u.package, u.version from (${subjectsOf(incident)}) as subject inner join first_use u
      on u.package = subject.package and (subject.version = '' or u.version = subject.version)
    where ${least} order by u.package, u.version limit ${versionsAtOnce}`.execute(db)
  return rows
}

async function holdersOf(
  db: Kysely<Schema>,
  { package: name, version }: VersionRow,
  mark: HolderMark | undefined,
  limit: number,
): Promise<readonly Holder[]> {
  const isOf = sql`package = ${name} and version = ${version}`
  const { rows } = await sql<HolderRow>`
    select held.*, account.login, job.facts from (
      select account, token, address, client, sum(count) as count, min(first_at) as first_at, max(last_at) as last_at from (
        select * from (
          select account, token, address, client, sum(count) as count, min(first_at) as first_at, max(last_at) as last_at
          from download where ${isOf} and ${after(sql`(account, token, address, client)`, mark)}
          group by account, token, address, client order by account, token, address, client limit ${limit}) as recent
        union all
        select * from (
          select account, token, '' as address, '' as client, count, first_at, last_at
          from holder where ${isOf} and ${after(sql`(account, token, '', '')`, mark)}
          order by account, token limit ${limit}) as earlier) as kept
      group by account, token, address, client order by account, token, address, client limit ${limit}) as held
    left join account on account.id = held.account left join job on job.token = held.token
    order by held.account, held.token, held.address, held.client`.execute(db)
  return rows.map(row => toHolder(name, version, row))
}

async function listOwn(
  db: Kysely<Schema>,
  accountId: string,
  mark: HolderMark | undefined,
  limit: number,
): Promise<readonly Holder[]> {
  const least =
    mark === undefined
      ? sql`1 = 1`
      : sql`(package, version, token, address, client) > (${mark.package}, ${mark.version}, ${mark.tokenId}, ${mark.address}, ${mark.client})`
  const { rows } = await sql<HolderRow & VersionRow>`
    select own.*, account.login, null as facts from (
      select package, version, account, token, address, client, sum(count) as count, min(first_at) as first_at, max(last_at) as last_at from (
        select package, version, account, token, address, client, count, first_at, last_at from download where account = ${accountId}
        union all select package, version, account, token, '' as address, '' as client, count, first_at, last_at
          from holder where account = ${accountId}) as kept
      where ${least} group by package, version, account, token, address, client
      order by package, version, token, address, client limit ${limit}) as own
    left join account on account.id = own.account
    order by own.package, own.version, own.token, own.address, own.client`.execute(db)
  return rows.map(row => toHolder(row.package, row.version, row))
}

async function forgetOwn(
  db: Kysely<Schema>,
  accountId: string,
  table: 'download' | 'holder',
): Promise<number> {
  const result = await sql`delete from ${sql.table(table)} where account = ${accountId} and not exists (
    select 1 from incident_subject s inner join incident_case c on c.id = s.incident
    where c.state <> 'closed' and s.package = ${sql.ref(`${table}.package`)}
      and (s.version = '' or s.version = ${sql.ref(`${table}.version`)}))`.execute(db)
  return Number(result.numAffectedRows ?? 0n)
}

function after(columns: RawBuilder<unknown>, mark: HolderMark | undefined): RawBuilder<unknown> {
  if (mark === undefined) return sql`1 = 1`
  return sql`${columns} > (${mark.accountId}, ${mark.tokenId}, ${mark.address}, ${mark.client})`
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
    forgetOwn: async accountId =>
      (await forgetOwn(db, accountId, 'download')) + (await forgetOwn(db, accountId, 'holder')),
  }
}

function toHolder(name: string, version: string, row: HolderRow): Holder {
  const facts = row.facts === null ? undefined : JSON.parse(row.facts)
  return {
    package: name as PackageName,
    version: version as Version,
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
