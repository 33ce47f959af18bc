// SPDX-License-Identifier: Apache-2.0
import { basenameOf, drillScope, type PackageName, scopeOf, type Version } from '@holdfast/core'
import { type Kysely, sql } from 'kysely'
import type { SearchHit, SearchQuery } from '../../catalog/index.ts'
import type { Schema } from './schema.ts'

const weights = { name: 100, part: 40, scope: 30, keyword: 15, description: 5 }
const maxTerms = 60
const maxQueryTerms = 8

/** The words a package is found by, with their weight: its name most, its description least. */
export function termsOf(
  name: PackageName,
  description: string,
  keywords: readonly string[],
): [string, number][] {
  const terms = new Map<string, number>()
  const add = (term: string, weight: number) => {
    if (term !== '' && term.length <= 60) terms.set(term, Math.max(terms.get(term) ?? 0, weight))
  }
  add(name.toLowerCase(), weights.name)
  add(basenameOf(name).toLowerCase(), weights.name)
  for (const word of wordsOf(basenameOf(name))) add(word, weights.part)
  for (const word of wordsOf(scopeOf(name) ?? '')) add(word, weights.scope)
  for (const keyword of keywords)
    for (const word of [keyword.toLowerCase(), ...wordsOf(keyword)]) add(word, weights.keyword)
  for (const word of wordsOf(description)) add(word, weights.description)
  return [...terms].sort((a, b) => b[1] - a[1]).slice(0, maxTerms)
}

/** Packages that have every word of the query, best first. */
export async function search(
  db: Kysely<Schema>,
  query: SearchQuery,
): Promise<{ total: number; hits: SearchHit[] }> {
  const words = queryWords(query.text)
  if (query.text.trim() !== '' && words.length === 0) return { total: 0, hits: [] }
  const found = words.length === 0 ? allPackages(db) : packagesWith(db, words)
  const visible = found.where(visibleTo(query.reader)).where(isReal).where('package.latest', 'is not', null)
  const total = await db
    .selectFrom(visible.as('found'))
    .select(eb => eb.fn.countAll().as('n'))
    .executeTakeFirstOrThrow()
  const rows = await visible
    .orderBy('score', 'desc')
    .orderBy('downloads', 'desc')
    .orderBy('package.name')
    .offset(query.offset)
    .limit(query.limit)
    .execute()
  return { total: Number(total.n), hits: await toHits(db, rows) }
}

/** Names of cached packages of upstreams that have every word of the query, best first. */
export async function searchMirrors(
  db: Kysely<Schema>,
  text: string,
  offset: number,
  limit: number,
): Promise<{ total: number; names: string[] }> {
  const words = queryWords(text)
  if (text.trim() !== '' && words.length === 0) return { total: 0, names: [] }
  const all = db
    .selectFrom('mirror')
    .where('is_gone', '=', 0)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('package').select('package.name').whereRef('package.name', '=', 'mirror.name'))),
    )
  const found =
    words.length === 0
      ? all.select('mirror.name').select(sql<number>`0`.as('score'))
      : all
          .innerJoin(matchesOf('mirror_term', words).as('matched'), 'matched.package', 'mirror.name')
          .select(['mirror.name', 'matched.score'])
  const counted = db.selectFrom(found.as('found')).select(eb => eb.fn.countAll().as('n'))
  const { n } = await counted.executeTakeFirstOrThrow()
  const best = found.orderBy('score', 'desc').orderBy(sql`length(mirror.name)`).orderBy('mirror.name')
  const rows = await best.offset(offset).limit(limit).execute()
  return { total: Number(n), names: rows.map(({ name }) => name) }
}

/** The packages that changed last. */
export async function listNewest(db: Kysely<Schema>, limit: number): Promise<SearchHit[]> {
  const rows = await allPackages(db)
    .where('package.latest', 'is not', null)
    .where('package.access', '=', 'public')
    .where(isReal)
    .orderBy('package.modified_at', 'desc')
    .orderBy('package.name')
    .limit(limit)
    .execute()
  return toHits(db, rows)
}

const shown = [
  'package.name as name',
  'package.latest as latest',
  'package.description as description',
  'package.keywords as keywords',
  'package.modified_at as modified_at',
  'package.downloads as downloads',
] as const

function allPackages(db: Kysely<Schema>) {
  return db
    .selectFrom('package')
    .select([...shown])
    .select(sql<number>`0`.as('score'))
}

/** The packages whose terms begin with every word, each with the sum of their weights. */
function matchesOf(table: 'search_term' | 'mirror_term', words: readonly string[]) {
  const branches = words.map(
    (word, which) => sql`select package, ${sql.lit(which)} as which,
      max(case when term = ${word} then weight * 4 else weight end) as weight
      from ${sql.table(table)} where ${word.length > 1 ? sql`term >= ${word} and term < ${`${word}\u{10ffff}`}` : sql`term = ${word}`}
      group by package`,
  )
  return sql<{ package: string; score: number }>`(select package, sum(weight) as score from
    (${sql.join(branches, sql` union all `)}) each_word group by package having count(*) = ${sql.lit(words.length)})`
}

function packagesWith(db: Kysely<Schema>, words: readonly string[]) {
  return db
    .selectFrom('package')
    .innerJoin(matchesOf('search_term', words).as('matched'), 'matched.package', 'package.name')
    .select([...shown])
    .select(eb => eb.ref('matched.score').$castTo<number>().as('score'))
}

/** What drills play with is found by nobody. */
const isReal = sql<boolean>`package.name not like ${sql.lit(`${drillScope}/%`)}`

function visibleTo(reader: SearchQuery['reader']) {
  if (reader.kind === 'everything') return sql<boolean>`1 = 1`
  if (reader.kind !== 'account') return sql<boolean>`package.access = 'public'`
  return sql<boolean>`(package.access = 'public'
    or exists (select 1 from package_role r where r.package = package.name and r.account = ${reader.id})
    or exists (select 1 from team_grant g join team_member m on m.org = g.org and m.team = g.team
               where g.package = package.name and m.account = ${reader.id})
    or exists (select 1 from org_member o where o.account = ${reader.id} and package.scope = '@' || o.org))`
}

interface FoundRow {
  name: string
  latest: string | null
  description: string
  keywords: string
  modified_at: number
  downloads: number
  score: number
}

async function toHits(db: Kysely<Schema>, rows: readonly FoundRow[]): Promise<SearchHit[]> {
  if (rows.length === 0) return []
  const people = await db
    .selectFrom('package_role')
    .innerJoin('account', 'account.id', 'package_role.account')
    .select(['package_role.package', 'account.login', 'account.email'])
    .where(
      'package_role.package',
      'in',
      rows.map(row => row.name),
    )
    .execute()
  const publishers = await db
    .selectFrom('version')
    .innerJoin('package', join =>
      join.onRef('package.name', '=', 'version.package').onRef('package.latest', '=', 'version.version'),
    )
    .innerJoin('account', 'account.id', 'version.publisher')
    .select(['version.package', 'account.login'])
    .where(
      'version.package',
      'in',
      rows.map(row => row.name),
    )
    .execute()
  return rows.map(row => ({
    name: row.name as PackageName,
    origin: 'hosted',
    version: row.latest as Version,
    description: row.description,
    keywords: JSON.parse(row.keywords) as string[],
    modifiedAt: row.modified_at,
    publisherLogin: publishers.find(each => each.package === row.name)?.login ?? '',
    score: Number(row.score),
    downloads: row.downloads,
    maintainers: people
      .filter(each => each.package === row.name)
      .map(({ login, email }) => ({ login, email })),
  }))
}

/** Words people type: names stay whole (`@acme/ui`, `left-pad`), the rest is split. */
function queryWords(text: string): string[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .flatMap(word => (/^[@a-z0-9][\w./@-]*$/.test(word) ? [word] : wordsOf(word)))
  return [...new Set(words.filter(word => word.length <= 60))].slice(0, maxQueryTerms)
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(word => word.length > 1)
}
