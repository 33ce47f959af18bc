// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Policy } from '../../catalog/index.ts'
import type { NewEvent, StoredEvent } from '../../integrity/index.ts'
import type { Clock, EventFeed, InstanceFacts, PolicyReads, Store, Tx } from '../../ports.ts'
import { advisoryRows, advisoryWrites } from './advisory.ts'
import { assessmentReads, assessmentWrites } from './assessment.ts'
import { searchEvents } from './audit.ts'
import { blastReads, blastWrites } from './blast.ts'
import { catalogReads, catalogWrites } from './catalog.ts'
import { communityReads, communityWrites } from './community.ts'
import { drillReads, drillWrites } from './drill.ts'
import type { SqlDriver } from './driver.ts'
import { appendEvents, readEvents, readPackageEvents } from './event.ts'
import { gateReads } from './gate.ts'
import { habitReads, habitWrites, rememberPublished } from './habit.ts'
import { hookRows } from './hook.ts'
import { identityReads, identityUpkeep, identityWrites } from './identity.ts'
import { caseReads, caseWrites } from './incident.ts'
import { leafDocumentReads, leafDocumentWrites } from './leaf-document.ts'
import { logRows, logWrites } from './log.ts'
import { measureReads, measureWrites } from './measure.ts'
import { migrations } from './migrations/index.ts'
import { mirrorRows, upstreamWrites } from './mirror.ts'
import { policyReads, policyWrites } from './policy.ts'
import { prepare } from './prepared.ts'
import { projectReads, projectWrites } from './project.ts'
import { provenanceRows } from './provenance.ts'
import { documentRows, downloadRows, leases, mailRows, mailWrites } from './record.ts'
import { reportReads, reportWrites } from './report.ts'
import type { Schema } from './schema.ts'
import { screeningReads, screeningWrites } from './screening.ts'
import { sourceLinks } from './source-link.ts'
import { stageReads, stageWrites } from './stage.ts'
import { trustReads, trustWrites } from './trust.ts'
import { watchRows } from './watch.ts'
import { webhookRows } from './webhook.ts'

const retryMs = 250
const counterRow = prepare(db => db.selectFrom('event_counter').select('position'))

/** Less than the second in which a revocation counts everywhere, by the time an answer takes. */
const currentMs = 900
/** Of the events told last so many are kept. */
const keptEvents = 32
const pageEvents = 1000

/** The Store port over one SQL driver: migrates, then opens. `logOrigin` counts only at the very first start. */
export async function openStore(driver: SqlDriver<Schema>, clock: Clock, logOrigin: string): Promise<Store> {
  await migrate(driver)
  const instance = await instanceFacts(driver, logOrigin)
  const feed = await openFeed(driver)
  const transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => driver.transact(work)
  const derive = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => driver.transactDerived(work)
  return {
    catalog: catalogReads(driver.db),
    identity: identityReads(driver.db),
    upkeep: identityUpkeep(transact, driver.dialect),
    mirrors: mirrorRows(driver.db, derive),
    provenance: provenanceRows(driver.db, derive),
    trust: trustReads(driver.db),
    sourceLinks: sourceLinks(driver.db, derive),
    assessments: assessmentReads(driver.db),
    stages: stageReads(driver.db),
    incident: caseReads(driver.db),
    drills: drillReads(driver.db),
    blast: blastReads(driver.db),
    community: communityReads(driver.db),
    reports: reportReads(driver.db),
    watches: watchRows(driver.db, derive),
    hooks: hookRows(driver.db, derive),
    measures: measureReads(driver.db, clock),
    advisories: advisoryRows(driver.db, derive),
    screening: screeningReads(driver.db),
    habits: rememberPublished(habitReads(driver.db)),
    projects: projectReads(driver.db),
    policy: cachedPolicy(policyReads(driver.db), feed),
    documents: documentRows(driver.db, derive),
    leafDocuments: leafDocumentReads(driver.db),
    gate: gateReads(driver.db),
    mail: mailRows(driver.db, transact),
    webhooks: webhookRows(driver.db, derive),
    downloads: downloadRows(driver.db, derive, driver.dialect),
    leases: leases(driver.db, derive, clock),
    events: feed,
    log: logRows(driver.db, transact, derive),
    instance,
    async commit(grant, event, work) {
      const done = await transact(async tx => {
        const events: NewEvent[] = [event].flat()
        const result = await work(openTx(tx, clock, each => events.push(each)))
        // One commit is one moment: readers of the log tell by it what belongs together.
        return { result, stored: await appendEvents(tx, instance.logOrigin, grant.actor, events, clock()) }
      })
      // A crash here loses nothing: whoever follows reads on from its cursor.
      await feed.committed(done.stored)
      return done.result
    },
    async close() {
      feed.stop()
      await driver.close()
    },
  }
}

function openTx(tx: Kysely<Schema>, clock: Clock, record: Tx['record']): Tx {
  return {
    catalog: { ...catalogReads(tx), ...catalogWrites(tx) },
    identity: { ...identityReads(tx), ...identityWrites(tx) },
    upstream: upstreamWrites(tx),
    trust: { ...trustReads(tx), ...trustWrites(tx) },
    stages: { ...stageReads(tx), ...stageWrites(tx) },
    incident: { ...caseReads(tx), ...caseWrites(tx) },
    drills: { ...drillReads(tx), ...drillWrites(tx) },
    blast: blastWrites(tx),
    community: { ...communityReads(tx), ...communityWrites(tx) },
    reports: { ...reportReads(tx), ...reportWrites(tx) },
    measures: { ...measureReads(tx, clock), ...measureWrites(tx) },
    advisories: advisoryWrites(tx),
    screening: { ...screeningReads(tx), ...screeningWrites(tx) },
    assessments: { ...assessmentReads(tx), ...assessmentWrites(tx) },
    habits: { ...habitReads(tx), ...habitWrites(tx) },
    projects: { ...projectReads(tx), ...projectWrites(tx) },
    policy: { ...policyReads(tx), ...policyWrites(tx) },
    leafDocuments: { ...leafDocumentReads(tx), ...leafDocumentWrites(tx) },
    mail: mailWrites(tx, clock),
    log: logWrites(tx),
    record,
  }
}

/** The list in force is asked for with every request: kept until an event says that there is a new one, and while events come. */
function cachedPolicy(reads: PolicyReads, feed: EventFeed): PolicyReads {
  let kept: Promise<Policy | undefined> | undefined
  feed.follow(events => {
    if (events.some(event => event.type === 'policy')) kept = undefined
  })
  return {
    ...reads,
    current() {
      if (!feed.isCurrent()) return reads.current()
      const asked = kept ?? reads.current()
      kept = asked
      asked.catch(() => {
        if (kept === asked) kept = undefined
      })
      return asked
    },
  }
}

interface Feed extends EventFeed {
  committed(events: readonly StoredEvent[]): Promise<void>
  stop(): void
}

/** The live feed: this process's events at once, others' when the driver hears of them, each once and in order. */
async function openFeed(driver: SqlDriver<Schema>): Promise<Feed> {
  const { db } = driver
  const listeners = new Set<(events: readonly StoredEvent[]) => void>()
  /** What was told last, in the order of positions without a gap: whoever reads along needs no question to the database. */
  let recent: StoredEvent[] = []
  const head = async () => Number((await counterRow(db)).rows[0]?.position)
  let currentAt = performance.now()
  let seen = await head()
  let catching: Promise<void> | undefined
  const tell = (events: readonly StoredEvent[]) => {
    const fresh = events.filter(event => event.position > seen)
    const last = fresh.at(-1)
    if (last === undefined) return
    seen = last.position
    recent = [...recent, ...fresh].slice(-keptEvents)
    for (const listener of listeners) listener(fresh)
  }
  // A notice that comes while the last, empty read is under way asks for one read more.
  let again = false
  let isBehind = false
  const readOn = async () => {
    while (again) {
      again = false
      const begunAt = performance.now()
      const events = await readEvents(db, seen, pageEvents)
      tell(events)
      if (events.length > 0) again = true
      if (events.length < pageEvents) currentAt = begunAt
    }
    isBehind = false
  }
  const catchUp = (): Promise<void> => {
    again = true
    isBehind = true
    catching ??= readOn().finally(() => {
      catching = undefined
    })
    return catching
  }
  let retry: NodeJS.Timeout | undefined
  let isStopped = false
  // A read that failed comes again: what it would have told may be that a token is revoked.
  const keepUp = (): Promise<void> =>
    catchUp().catch(() => {
      clearTimeout(retry)
      if (!isStopped) retry = setTimeout(() => void keepUp(), retryMs).unref()
    })
  const stopForeign = driver.onForeignCommit(
    () => void keepUp(),
    atMs => {
      if (!isBehind) currentAt = Math.max(currentAt, atMs)
    },
  )
  return {
    head,
    async read(position, limit) {
      // Where all is told that is kept, only the database knows if there is more.
      const isKept = (recent[0]?.position ?? Infinity) <= position + 1 && position < seen
      return isKept
        ? recent.filter(event => event.position > position).slice(0, limit)
        : readEvents(db, position, limit)
    },
    ofPackage: name => readPackageEvents(db, name),
    search: (query, before, limit) => searchEvents(db, query, before, limit),
    follow(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async committed(events) {
      const first = events[0]
      if (first === undefined || first.position <= seen) return
      // A gap means others committed in between: their events come first.
      if (first.position === seen + 1) tell(events)
      else await keepUp()
    },
    isCurrent: () => performance.now() - currentAt < currentMs,
    stop() {
      isStopped = true
      clearTimeout(retry)
      stopForeign()
    },
  }
}

async function migrate(driver: SqlDriver<Schema>): Promise<void> {
  await driver.transact(async tx => {
    // Two processes starting at once: the second waits here and then finds nothing to do.
    if (driver.dialect === 'postgres') {
      // A long migration must not make the replica that waits for it fail.
      await sql`set local statement_timeout = 0`.execute(tx)
      await sql`set local lock_timeout = 0`.execute(tx)
      await sql`select pg_advisory_xact_lock(7021948)`.execute(tx)
    }
    await sql`create table if not exists migration (name text primary key, at bigint not null)`.execute(tx)
    const done = await sql<{ name: string }>`select name from migration`.execute(tx)
    const names = new Set(done.rows.map(row => row.name))
    const unknown = [...names].find(name => !migrations.some(migration => migration.name === name))
    if (unknown !== undefined) {
      throw new Error(
        `The store was made by a newer release (migration ${unknown}). Start that release, or restore a backup.`,
      )
    }
    for (const migration of migrations.filter(each => !names.has(each.name))) {
      await migration.up(tx as unknown as Kysely<unknown>, driver.dialect)
      await sql`insert into migration (name, at) values (${migration.name}, ${Date.now()})`.execute(tx)
    }
  })
}

async function instanceFacts(driver: SqlDriver<Schema>, logOrigin: string): Promise<InstanceFacts> {
  const facts = { id: randomId(8), 'log-origin': logOrigin }
  await driver.transact(async tx => {
    const rows = Object.entries(facts).map(([key, value]) => ({ key, value }))
    await tx
      .insertInto('instance')
      .values(rows)
      .onConflict(clash => clash.column('key').doNothing())
      .execute()
  })
  const rows = await driver.db.selectFrom('instance').selectAll().execute()
  const kept = new Map(rows.map(row => [row.key, row.value]))
  return { id: kept.get('id') ?? facts.id, logOrigin: kept.get('log-origin') ?? logOrigin }
}

function randomId(length: number): string {
  return [...randomBytes(length)].map(byte => 'abcdefghijklmnopqrstuvwxyz0123456789'[byte % 36]).join('')
}
