// SPDX-License-Identifier: Apache-2.0
/** What upstreams said, and which of their bytes came in. The facts of all versions of a package lie in one row. */
import { promisify } from 'node:util'
import { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { type Digest, type DistTag, type PackageName, problem, type Version } from '@holdfast/core'
import { type ExpressionBuilder, type Kysely, type Selectable, sql } from 'kysely'
import type { Ingested, Mirror, UpstreamMeasure, UpstreamVersion } from '../../catalog/index.ts'
import type { CachedPackage, MirrorRows, OriginSummary, OwnSignatures, UpstreamWrites } from '../../ports.ts'
import { FactsCache } from './facts-cache.ts'
import { formatFacts, parseFacts } from './mirror-facts.ts'
import { prepare } from './prepared.ts'
import { noteAttestations } from './provenance.ts'
import type { Schema } from './schema.ts'
import { searchMirrors, termsOf } from './search.ts'

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

/** Both engines bound the parameters of a statement. */
const atOnce = 500
const compress = promisify(zstdCompress)
const inflate = promisify(zstdDecompress)
/** Of facts that are kept in memory, as JSON text; as objects they take about as much again. */
const rememberedBytes = 8 * 1024 * 1024
const head = [
  ...([
    'name',
    'origin',
    'revision',
    'etag',
    'last_modified',
    'checked_at',
    'read_whole_at',
    'changed_at',
    'used_at',
  ] as const),
  ...(['is_gone', 'description', 'created_at', 'modified_at', 'tags', 'left_out'] as const),
] as const
const summary = ['name', 'origin', 'checked_at', 'used_at', 'is_gone', 'description', 'modified_at'] as const

const headRow = prepare((db, name: string) => db.selectFrom('mirror').select(head).where('name', '=', name))
const mirrorRow = prepare((db, name: string) => db.selectFrom('mirror').selectAll().where('name', '=', name))
const sourceRow = prepare((db, name: string) =>
  db.selectFrom('mirror_source').select('source').where('name', '=', name),
)
const ingestedRow = prepare((db, name: string, version: string) =>
  db.selectFrom('ingested').selectAll().where('package', '=', name).where('version', '=', version),
)
const ingestedRows = prepare((db, name: string) =>
  db.selectFrom('ingested').selectAll().where('package', '=', name).orderBy('ingested_at').orderBy('version'),
)
const measureRows = prepare((db, name: string) =>
  db.selectFrom('upstream_measure').selectAll().where('package', '=', name).orderBy('version'),
)
const signatureRow = prepare((db, name: string, keyId: string) =>
  db.selectFrom('mirror_signature').select('signatures').where('name', '=', name).where('key_id', '=', keyId),
)

/** The mirrors, over a connection; what they keep could be asked for again, so its changes are no events. */
export function mirrorRows(db: Kysely<Schema>, transact: Transact): MirrorRows {
  const setOne = (name: PackageName, values: Partial<Schema['mirror']>) =>
    transact(async tx => {
      await tx.updateTable('mirror').where('name', '=', name).set(values).execute()
    })
  const remembered = new FactsCache(rememberedBytes)
  const remember = (
    name: PackageName,
    revision: number,
    versions: readonly UpstreamVersion[],
    bytes: number,
  ) => remembered.add(name, { revision, versions, bytes })
  return {
    async find(name) {
      const [known] = (await headRow(db, name)).rows
      const versions = known && remembered.get(name, known.revision)
      if (known === undefined || versions !== undefined) return known && toMirror(known, versions ?? [])
      // Facts and their revision together: they may have moved meanwhile.
      const [row] = (await mirrorRow(db, name)).rows
      if (row === undefined) return undefined
      const text = await inflate(row.facts)
      const read = parseFacts(text.toString())
      remember(name, row.revision, read, text.length)
      return toMirror(row, read)
    },
    async findSource(name) {
      return (await sourceRow(db, name)).rows[0]?.source
    },
    async weigh(name) {
      const query = db.selectFrom('mirror').select(sql<number>`length(facts)`.as('bytes'))
      return Number((await query.where('name', '=', name).executeTakeFirst())?.bytes ?? 0)
    },
    async save(mirror, source) {
      const text = formatFacts(mirror.versions)
      const facts = await compress(text)
      const isSaved = await save(transact, { ...fromMirror(mirror), facts }, source)
      if (isSaved) remember(mirror.name, mirror.revision, mirror.versions, text.length)
      return isSaved
    },
    noteSignature: (name, checked, found) =>
      transact(async tx => {
        // Written before it is read: of two processes the second waits, and reads what the first one wrote.
        const row = await tx
          .updateTable('mirror')
          .where('name', '=', name)
          .set(eb => ({ revision: eb('revision', '+', 1) }))
          .returning('facts')
          .executeTakeFirst()
        if (row === undefined) return
        const told = parseFacts(zstdDecompressSync(row.facts).toString())
        const isChecked = (each: UpstreamVersion) =>
          each.version === checked.version &&
          each.digest === checked.digest &&
          each.upstreamSignatures === checked.upstreamSignatures
        const noted = told.map(each => (isChecked(each) ? { ...each, signature: found } : each))
        const facts = zstdCompressSync(formatFacts(noted))
        await tx.updateTable('mirror').where('name', '=', name).set({ facts }).execute()
      }),
    confirm: (name, checkedAt) => setOne(name, { checked_at: checkedAt }),
    confirmWhole: (name, at) => setOne(name, { checked_at: at, read_whole_at: at }),
    markUsed: (name, at) => setOne(name, { used_at: at }),
    async markDue(names) {
      for (let at = 0; at < names.length; at += atOnce) {
        const some = names.slice(at, at + atOnce)
        await transact(async tx => {
          const due = { checked_at: 0, read_whole_at: 0 }
          await tx.updateTable('mirror').set(due).where('name', 'in', some).execute()
        })
      }
    },
    async listStale(origin, checkedBefore, usedSince, limit) {
      const query = db.selectFrom('mirror').select('name').where('origin', '=', origin)
      const stale = query.where('checked_at', '<', checkedBefore).where('used_at', '>=', usedSince)
      const rows = await stale.orderBy('used_at', 'desc').limit(limit).execute()
      return rows.map(row => row.name as PackageName)
    },
    async listDoubted(limit) {
      const query = db.selectFrom('mirror').select(['name', 'origin', 'left_out'])
      const rows = await query.where('left_out', '<>', '[]').orderBy('name').limit(limit).execute()
      return rows.map(({ name, origin, left_out }) => ({
        name: name as PackageName,
        origin,
        leftOut: JSON.parse(left_out) as Mirror['leftOut'],
      }))
    },
    async listUnasked(origin, checkedBefore, limit) {
      const query = db.selectFrom('mirror').select('name').where('origin', '=', origin)
      const unasked = query.where('checked_at', '<', checkedBefore)
      const rows = await unasked.orderBy('checked_at').orderBy('name').limit(limit).execute()
      return rows.map(row => row.name as PackageName)
    },
    async listChanged(origin, changedSince, after, limit) {
      const query = db.selectFrom('mirror').select('name').where('changed_at', '>=', changedSince)
      const named = origin === undefined ? query : query.where('origin', '=', origin)
      const rows = await named.where('name', '>', after).orderBy('name').limit(limit).execute()
      return rows.map(row => row.name as PackageName)
    },
    async listKnown(names) {
      const known = new Set<PackageName>()
      for (let at = 0; at < names.length; at += atOnce) {
        const some = names.slice(at, at + atOnce)
        const rows = await db.selectFrom('mirror').select('name').where('name', 'in', some).execute()
        for (const { name } of rows) known.add(name as PackageName)
      }
      return known
    },
    async search(text, offset, limit) {
      const { total, names } = await searchMirrors(db, text, offset, limit)
      if (names.length === 0) return { total, found: [] }
      const rows = await db.selectFrom('mirror').select(summary).where('name', 'in', names).execute()
      const byName = new Map(rows.map(row => [row.name, toSummary(row)]))
      return { total, found: names.flatMap(name => byName.get(name) ?? []) }
    },
    list: (beginning, after, limit) => listCached(db, beginning, after, limit),
    async count(beginning) {
      const query = db.selectFrom('mirror').select(eb => eb.fn.countAll().as('n'))
      return Number((await query.where(beginsWith(beginning)).executeTakeFirstOrThrow()).n)
    },
    async findIngested(name, version) {
      const [row] = (await ingestedRow(db, name, version)).rows
      return row && toIngested(row)
    },
    async listIngested(name) {
      return (await ingestedRows(db, name)).rows.map(toIngested)
    },
    async filterIngested(names) {
      if (names.length === 0) return []
      const query = db.selectFrom('ingested').select('package').distinct().where('package', 'in', names)
      return (await query.execute()).map(row => row.package as PackageName)
    },
    async sumKeptBytes() {
      const query = db.selectFrom('ingested').select(eb => eb.fn.sum('size_bytes').as('bytes'))
      return Number((await query.where('dropped_at', 'is', null).executeTakeFirst())?.bytes ?? 0)
    },
    listLeastUsed: (after, limit) => listLeastUsed(db, after, limit),
    noteDropped: (name, version, at) =>
      transact(async tx => {
        const query = tx.updateTable('ingested').where('package', '=', name).where('version', '=', version)
        await query.set({ dropped_at: at }).execute()
      }),
    summarise: () => summarise(db),
    listMeasures: name => listMeasures(db, name),
    findSignatures: (name, keyId) => findSignatures(db, name, keyId),
    addSignatures: (name, keyId, made) =>
      transact(async tx => {
        const all = new Map([...(await findSignatures(tx, name, keyId)), ...made])
        const values = { name, key_id: keyId, signatures: JSON.stringify([...all]) }
        await tx
          .insertInto('mirror_signature')
          .values(values)
          .onConflict(clash => clash.column('name').doUpdateSet(values))
          .execute()
      }),
  }
}

async function listLeastUsed(
  db: Kysely<Schema>,
  after: Ingested | undefined,
  limit: number,
): Promise<readonly Ingested[]> {
  let query = db
    .selectFrom('ingested')
    .selectAll()
    .where('dropped_at', 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('upstream_measure')
            .select('upstream_measure.version')
            .whereRef('upstream_measure.package', '=', 'ingested.package')
            .whereRef('upstream_measure.version', '=', 'ingested.version'),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('grandfathered')
            .select('grandfathered.version')
            .whereRef('grandfathered.package', '=', 'ingested.package')
            .whereRef('grandfathered.version', '=', 'ingested.version'),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('project_entry')
            .select('project_entry.version')
            .whereRef('project_entry.package', '=', 'ingested.package')
            .whereRef('project_entry.version', '=', 'ingested.version'),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('version').select('version.version').whereRef('version.digest', '=', 'ingested.digest'),
        ),
      ),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('ingested as twin')
            .select('twin.version')
            .whereRef('twin.digest', '=', 'ingested.digest')
            .whereRef('twin.package', '<>', 'ingested.package'),
        ),
      ),
    )
  if (after !== undefined) {
    const place = [after.lastUsedAt, after.package, after.version] as const
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('last_used_at', 'package', 'version'), '>', tuple(...place)),
    )
  }
  const ordered = query.orderBy('last_used_at').orderBy('package').orderBy('version')
  return (await ordered.limit(limit).execute()).map(toIngested)
}

async function listCached(
  db: Kysely<Schema>,
  beginning: string,
  after: string,
  limit: number,
): Promise<readonly CachedPackage[]> {
  const query = db.selectFrom('mirror').select(summary).where(beginsWith(beginning)).where('name', '>', after)
  const found = (await query.orderBy('name').limit(limit).execute()).map(toSummary)
  if (found.length === 0) return []
  const names = found.map(({ name }) => name)
  const bytes = await db
    .selectFrom('ingested')
    .select(eb => ['package', eb.fn.countAll().as('versions'), eb.fn.sum('size_bytes').as('bytes')])
    .where('package', 'in', names)
    .where('dropped_at', 'is', null)
    .groupBy('package')
    .execute()
  const kept = new Map(bytes.map(each => [each.package, each]))
  return found.map(each => ({
    ...each,
    versions: Number(kept.get(each.name)?.versions ?? 0),
    sizeBytes: Number(kept.get(each.name)?.bytes ?? 0),
  }))
}

/** A range that the index on names answers. */
function beginsWith(beginning: string) {
  return ({ and, eb }: ExpressionBuilder<Schema, 'mirror'>) =>
    and([eb('name', '>=', beginning), eb('name', '<', `${beginning}\u{10ffff}`)])
}

async function summarise(db: Kysely<Schema>): Promise<readonly OriginSummary[]> {
  const mirrors = await db
    .selectFrom('mirror')
    .select(eb => ['origin', eb.fn.countAll().as('packages'), eb.fn.max('used_at').as('used')])
    .groupBy('origin')
    .orderBy('origin')
    .execute()
  const bytes = await db
    .selectFrom('ingested')
    .select(eb => ['origin', eb.fn.countAll().as('versions'), eb.fn.sum('size_bytes').as('bytes')])
    .where('dropped_at', 'is', null)
    .groupBy('origin')
    .execute()
  return mirrors.map(({ origin, packages, used }) => {
    const kept = bytes.find(each => each.origin === origin)
    return {
      origin,
      packages: Number(packages),
      versions: Number(kept?.versions ?? 0),
      sizeBytes: Number(kept?.bytes ?? 0),
      lastUsedAt: used,
    }
  })
}

async function listMeasures(db: Kysely<Schema>, name: PackageName): Promise<readonly UpstreamMeasure[]> {
  return (await measureRows(db, name)).rows.map(toMeasure)
}

/** Changes that are events, inside a transaction. */
export function upstreamWrites(db: Kysely<Schema>): UpstreamWrites {
  return {
    listMeasures: name => listMeasures(db, name),
    async addIngested(made) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('ingested')
        .values(fromIngested(made))
        .onConflict(clash =>
          clash
            .columns(['package', 'version'])
            .doUpdateSet({ origin: made.origin, last_used_at: made.lastUsedAt, dropped_at: null })
            .where('ingested.digest', '=', made.digest),
        )
        .executeTakeFirst()
      if (!numInsertedOrUpdatedRows)
        throw problem('upstream-changed', { name: made.package, version: made.version })
    },
    noteAttestations: (name, version, kept) => noteAttestations(db, name, version, kept),
    async setMeasure(name, version, measure) {
      await db
        .deleteFrom('upstream_measure')
        .where('package', '=', name)
        .where('version', '=', version)
        .execute()
      if (measure === undefined) return
      const { status, reason, at } = measure
      await db.insertInto('upstream_measure').values({ package: name, version, status, reason, at }).execute()
    },
    async touchMirror(name) {
      await db
        .updateTable('mirror')
        .where('name', '=', name)
        .set(eb => ({ revision: eb('revision', '+', 1) }))
        .execute()
    },
  }
}

async function findSignatures(db: Kysely<Schema>, name: PackageName, keyId: string): Promise<OwnSignatures> {
  const [row] = (await signatureRow(db, name, keyId)).rows
  return new Map(JSON.parse(row?.signatures ?? '[]') as [Digest, string][])
}

function save(transact: Transact, values: Schema['mirror'], source: Uint8Array): Promise<boolean> {
  const { name, revision } = values
  return transact(async tx => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('mirror')
      .values(values)
      .onConflict(clash => clash.column('name').doUpdateSet(values).where('mirror.revision', '<', revision))
      .executeTakeFirst()
    if (!numInsertedOrUpdatedRows) return false
    await tx
      .insertInto('mirror_source')
      .values({ name, source })
      .onConflict(clash => clash.column('name').doUpdateSet({ source }))
      .execute()
    // Of the name alone, which does not change: an install of a thousand packages writes few rows.
    await tx
      .insertInto('mirror_term')
      .values(termsOf(name as PackageName, '', []).map(([term, weight]) => ({ term, package: name, weight })))
      .onConflict(clash => clash.columns(['term', 'package']).doNothing())
      .execute()
    return true
  })
}

function fromMirror(mirror: Mirror): Omit<Schema['mirror'], 'facts'> {
  return {
    name: mirror.name,
    origin: mirror.origin,
    revision: mirror.revision,
    etag: mirror.etag,
    last_modified: mirror.lastModified,
    checked_at: mirror.checkedAt,
    read_whole_at: mirror.readWholeAt,
    changed_at: mirror.changedAt,
    used_at: mirror.usedAt,
    is_gone: mirror.isGone ? 1 : 0,
    description: mirror.description,
    created_at: mirror.createdAt,
    modified_at: mirror.modifiedAt,
    tags: JSON.stringify([...mirror.tags]),
    left_out: JSON.stringify(mirror.leftOut),
  }
}

function toMirror(
  row: Pick<Selectable<Schema['mirror']>, (typeof head)[number]>,
  versions: Mirror['versions'],
): Mirror {
  return {
    name: row.name as PackageName,
    origin: row.origin,
    revision: row.revision,
    etag: row.etag,
    lastModified: row.last_modified,
    checkedAt: row.checked_at,
    readWholeAt: row.read_whole_at,
    changedAt: row.changed_at,
    usedAt: row.used_at,
    isGone: row.is_gone === 1,
    description: row.description,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    tags: new Map(JSON.parse(row.tags) as [DistTag, Version][]),
    versions,
    leftOut: JSON.parse(row.left_out) as Mirror['leftOut'],
  }
}

function toSummary(row: Pick<Selectable<Schema['mirror']>, (typeof summary)[number]>) {
  return {
    name: row.name as PackageName,
    origin: row.origin,
    checkedAt: row.checked_at,
    usedAt: row.used_at,
    isGone: row.is_gone === 1,
    description: row.description,
    modifiedAt: row.modified_at,
  }
}

function fromIngested(made: Ingested): Schema['ingested'] {
  return {
    package: made.package,
    version: made.version,
    origin: made.origin,
    digest: made.digest,
    shasum: made.shasum,
    size_bytes: made.sizeBytes,
    has_install_script: made.hasInstallScript ? 1 : 0,
    published_at: made.publishedAt,
    ingested_at: made.ingestedAt,
    last_used_at: made.lastUsedAt,
    dropped_at: null,
    provenance: made.provenance,
    // What is due was looked for only by those who wait for it.
    provenance_at: 0,
  }
}

function toIngested(row: Selectable<Schema['ingested']>): Ingested {
  return {
    package: row.package as PackageName,
    version: row.version as Version,
    origin: row.origin,
    digest: row.digest as Digest,
    shasum: row.shasum,
    sizeBytes: row.size_bytes,
    hasInstallScript: row.has_install_script === 1,
    publishedAt: row.published_at,
    ingestedAt: row.ingested_at,
    lastUsedAt: row.last_used_at,
    provenance: row.provenance as Ingested['provenance'],
  }
}

function toMeasure(row: Selectable<Schema['upstream_measure']>): UpstreamMeasure {
  return {
    package: row.package as PackageName,
    version: row.version as Version,
    status: row.status as UpstreamMeasure['status'],
    reason: row.reason,
    at: row.at,
  }
}
