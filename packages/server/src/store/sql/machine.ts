// SPDX-License-Identifier: Apache-2.0
import type { PackageName, Version } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type {
  Job,
  JobFacts,
  MachineReads,
  MachineWrites,
  PublisherPermission,
  PublisherRule,
  Robot,
  TrustedPublisher,
  TrustedReader,
} from '../../identity/index.ts'
import type { Schema } from './schema.ts'

/** Questions about jobs and who may publish from where. */
export function machineReads(db: Kysely<Schema>): MachineReads {
  const publishers = () => db.selectFrom('trusted_publisher').selectAll().where('removed_at', 'is', null)
  const readers = () => db.selectFrom('trusted_reader').selectAll().where('removed_at', 'is', null)
  const robots = () => db.selectFrom('robot').selectAll().where('removed_at', 'is', null)
  return {
    async listPublishers(name, now) {
      const rows = await publishers()
        .where('package', '=', name)
        .where(eb => eb.or([eb('pending_until', 'is', null), eb('pending_until', '>', now)]))
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(toPublisher)
    },
    async findPublisher(id) {
      const row = await publishers().where('id', '=', id).executeTakeFirst()
      return row && toPublisher(row)
    },
    async countPending(accountId, now) {
      const row = await publishers()
        .clearSelect()
        .select(eb => eb.fn.countAll().as('n'))
        .where('created_by', '=', accountId)
        .where('pending_until', '>', now)
        .executeTakeFirstOrThrow()
      return Number(row.n)
    },
    async findJob(tokenId) {
      const row = await db.selectFrom('job').selectAll().where('token', '=', tokenId).executeTakeFirst()
      return row && toJob(row)
    },
    async listJobDownloads(name, org, limit) {
      const rows = await db
        .selectFrom('download')
        .innerJoin('job', 'job.token', 'download.token')
        .select(eb => [
          'download.version',
          'job.facts',
          eb.fn.sum('download.count').as('count'),
          eb.fn.max('download.last_at').as('last_at'),
        ])
        .where('download.package', '=', name)
        .where(eb =>
          eb.or([
            eb(
              'job.publisher',
              'in',
              eb.selectFrom('trusted_publisher').select('id').where('package', '=', name),
            ),
            eb('job.publisher', 'in', eb.selectFrom('trusted_reader').select('id').where('org', '=', org)),
          ]),
        )
        .groupBy(['job.token', 'job.facts', 'download.version'])
        .orderBy('last_at', 'desc')
        .orderBy('download.version')
        .limit(limit)
        .execute()
      return rows.map(row => ({
        version: row.version as Version,
        facts: JSON.parse(row.facts) as JobFacts,
        count: Number(row.count),
        lastAt: Number(row.last_at),
      }))
    },
    async listReaders(org) {
      const query = readers().where('org', '=', org)
      return (await query.orderBy('created_at').orderBy('id').execute()).map(toReader)
    },
    async findReader(id) {
      const row = await readers().where('id', '=', id).executeTakeFirst()
      return row && toReader(row)
    },
    async listReadersOfIssuer(issuer) {
      return (await readers().where('issuer', '=', issuer).orderBy('id').execute()).map(toReader)
    },
    async listRobots(org) {
      return (await robots().where('org', '=', org).orderBy('name').execute()).map(toRobot)
    },
    async findRobot(id) {
      const row = await robots().where('id', '=', id).executeTakeFirst()
      return row && toRobot(row)
    },
  }
}

/** Changes to trusted publishers, and what one exchange leaves behind. */
export function machineWrites(db: Kysely<Schema>): MachineWrites {
  const publisher = (id: string) => db.updateTable('trusted_publisher').where('id', '=', id)
  return {
    async addPublisher(made) {
      await db.insertInto('trusted_publisher').values(fromPublisher(made)).execute()
    },
    async removePublisher(id, at) {
      const query = publisher(id).where('removed_at', 'is', null).set({ removed_at: at })
      return (await query.executeTakeFirst()).numUpdatedRows > 0n
    },
    async setPublisherRule(id, rule) {
      await publisher(id)
        .set({ rule: JSON.stringify(rule) })
        .execute()
    },
    async setPublisherUsed(id, at) {
      await publisher(id).set({ last_used_at: at }).execute()
    },
    async settlePublisher(id) {
      await publisher(id).set({ pending_until: null }).execute()
    },
    async useNonce(issuer, nonce, until, now) {
      await db.deleteFrom('used_nonce').where('until', '<', now).execute()
      const query = db
        .insertInto('used_nonce')
        .values({ issuer, nonce, until })
        .onConflict(clash => clash.columns(['issuer', 'nonce']).doNothing())
      return Number((await query.executeTakeFirst()).numInsertedOrUpdatedRows ?? 0n) > 0
    },
    async addJob(job) {
      const { tokenId, publisherId, facts, at } = job
      await db
        .insertInto('job')
        .values({ token: tokenId, publisher: publisherId, facts: JSON.stringify(facts), at })
        .execute()
    },
    async addReader({ id, org, provider, issuer, ownerId, repositoryId, claims, createdAt, createdBy }) {
      const rule = JSON.stringify({ ownerId, repositoryId, claims })
      await db
        .insertInto('trusted_reader')
        .values({
          id,
          org,
          provider,
          issuer,
          rule,
          created_at: createdAt,
          created_by: createdBy,
          removed_at: null,
        })
        .execute()
    },
    removeReader: (id, at) => end(db, 'trusted_reader', id, at),
    async addRobot({ id, org, name, createdAt, createdBy }) {
      await db
        .insertInto('robot')
        .values({ id, org, name, created_at: createdAt, created_by: createdBy, removed_at: null })
        .execute()
    },
    removeRobot: (id, at) => end(db, 'robot', id, at),
  }
}

async function end(
  db: Kysely<Schema>,
  table: 'trusted_reader' | 'robot',
  id: string,
  at: number,
): Promise<boolean> {
  const query = db.updateTable(table).where('id', '=', id).where('removed_at', 'is', null)
  return (await query.set({ removed_at: at }).executeTakeFirst()).numUpdatedRows > 0n
}

function toReader(row: Selectable<Schema['trusted_reader']>): TrustedReader {
  const rule = JSON.parse(row.rule) as Pick<TrustedReader, 'ownerId' | 'repositoryId' | 'claims'>
  return {
    ...rule,
    id: row.id,
    org: row.org,
    provider: row.provider as TrustedReader['provider'],
    issuer: row.issuer,
    createdAt: row.created_at,
    createdBy: row.created_by,
  }
}

function toRobot(row: Selectable<Schema['robot']>): Robot {
  const { id, org, name } = row
  return { id, org, name, createdAt: row.created_at, createdBy: row.created_by }
}

function fromPublisher(made: TrustedPublisher): Schema['trusted_publisher'] {
  return {
    id: made.id,
    package: made.package,
    provider: made.provider,
    issuer: made.issuer,
    rule: JSON.stringify(made.rule),
    permissions: JSON.stringify(made.permissions),
    created_at: made.createdAt,
    created_by: made.createdBy,
    starts_at: made.startsAt,
    pending_until: made.pendingUntil,
    last_used_at: made.lastUsedAt,
    removed_at: null,
  }
}

function toPublisher(row: Selectable<Schema['trusted_publisher']>): TrustedPublisher {
  return {
    id: row.id,
    package: row.package as PackageName,
    provider: row.provider as TrustedPublisher['provider'],
    issuer: row.issuer,
    rule: JSON.parse(row.rule) as PublisherRule,
    permissions: JSON.parse(row.permissions) as PublisherPermission[],
    createdAt: row.created_at,
    createdBy: row.created_by,
    startsAt: row.starts_at,
    pendingUntil: row.pending_until,
    lastUsedAt: row.last_used_at,
  }
}

function toJob(row: Selectable<Schema['job']>): Job {
  return {
    tokenId: row.token,
    publisherId: row.publisher,
    facts: JSON.parse(row.facts) as JobFacts,
    at: row.at,
  }
}
