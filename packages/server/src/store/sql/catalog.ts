// SPDX-License-Identifier: Apache-2.0
import {
  type Digest,
  type DistTag,
  type NamePattern,
  type PackageName,
  problem,
  type Status,
  scopeOf,
  type Version,
} from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type {
  CatalogReads,
  CatalogWrites,
  KeptFacts,
  Package,
  PackageRole,
  PackageVersion,
  TfaDemand,
  VersionTraits,
} from '../../catalog/index.ts'
import { isUniqueViolation } from './driver.ts'
import { prepare } from './prepared.ts'
import { noteRestricted, wasEverRestricted } from './restricted.ts'
import { rolesOf } from './role.ts'
import type { Schema } from './schema.ts'
import { listNewest, search, termsOf } from './search.ts'

const pageSize = 500
// A demand is stored as its place in this list, which only grows.
/** As numbers in the table. */
export const tfaDemands: readonly TfaDemand[] = ['none', 'always', 'unless-bypassed']

const packageRow = prepare((db, name: string) =>
  db.selectFrom('package').selectAll().where('name', '=', name),
)
const keptRows = prepare((db, name: string) =>
  db
    .selectFrom('version')
    .leftJoin('trusted_publisher', 'trusted_publisher.id', 'version.publisher')
    .leftJoin('provenance', join =>
      join
        .onRef('provenance.package', '=', 'version.package')
        .onRef('provenance.version', '=', 'version.version'),
    )
    .select(['version.version', 'status', 'reason', 'deprecated', 'published_at', 'digest', 'publisher'])
    .select(['logged', 'has_install_script', 'dependencies', 'trusted_publisher.provider as provider'])
    .select('predicate_type')
    .where('version.package', '=', name)
    .orderBy('ordinal'),
)
const tagRows = prepare((db, name: string) =>
  db.selectFrom('dist_tag').selectAll().where('package', '=', name).orderBy('tag'),
)
const peopleRows = prepare((db, name: string) =>
  db
    .selectFrom('package_role')
    .innerJoin('account', 'account.id', 'package_role.account')
    .select(['account.id', 'account.login', 'account.email', 'package_role.role'])
    .where('package_role.package', '=', name)
    .orderBy('account.login'),
)
const starRows = prepare((db, name: string) =>
  db
    .selectFrom('star')
    .innerJoin('account', 'account.id', 'star.account')
    .select('account.login')
    .where('star.package', '=', name)
    .orderBy('account.login'),
)
const versionRow = prepare((db, name: string, version: string) =>
  versionRows(db, name).where('version.version', '=', version),
)
const hostedRows = prepare(db => db.selectFrom('hosted').select('pattern').orderBy('pattern'))

/** The catalog's questions, over a connection or a transaction. */
export function catalogReads(db: Kysely<Schema>): CatalogReads {
  return {
    wasEverRestricted: () => wasEverRestricted(db),
    async findPackage(name) {
      const [row] = (await packageRow(db, name)).rows
      return row && toPackage(row)
    },
    async findPackages(names) {
      if (names.length === 0) return new Map()
      const rows = await db.selectFrom('package').selectAll().where('name', 'in', names).execute()
      return new Map(rows.map(row => [row.name as PackageName, toPackage(row)]))
    },
    async findVersion(name, version) {
      const [row] = (await versionRow(db, name, version)).rows
      return row && toVersion(row)
    },
    versions: name => pages(db, name),
    async listKeptFacts(name) {
      const { rows } = await keptRows(db, name)
      return rows.map(toKept)
    },
    async listTags(name) {
      const { rows } = await tagRows(db, name)
      return new Map(rows.map(row => [row.tag as DistTag, row.version as Version]))
    },
    async listPeople(name) {
      const { rows } = await peopleRows(db, name)
      return rows.map(row => ({
        accountId: row.id,
        login: row.login,
        email: row.email,
        role: row.role as PackageRole,
      }))
    },
    async listStars(name) {
      const { rows } = await starRows(db, name)
      return rows.map(row => row.login)
    },
    async listStarredBy(login) {
      const rows = await db
        .selectFrom('star')
        .innerJoin('account', 'account.id', 'star.account')
        .select('star.package')
        .where('account.login_key', '=', login.toLowerCase())
        .orderBy('star.package')
        .execute()
      return rows.map(row => row.package as PackageName)
    },
    async findConfusable(key) {
      const row = await db
        .selectFrom('package')
        .select('name')
        .where('confusable', '=', key)
        .executeTakeFirst()
      return row?.name as PackageName | undefined
    },
    async listHosted() {
      const { rows } = await hostedRows(db)
      return rows.map(row => row.pattern as NamePattern)
    },
    async listDependents(name, limit) {
      const rows = await db
        .selectFrom('dependency')
        .select('package')
        .where('dependency', '=', name)
        .orderBy('package')
        .limit(limit)
        .execute()
      return rows.map(row => row.package as PackageName)
    },
    search: query => search(db, query),
    listNewest: limit => listNewest(db, limit),
    async listNames(after, limit) {
      const rows = await db
        .selectFrom('package')
        .select('name')
        .where('name', '>', after)
        .orderBy('name')
        .limit(limit)
        .execute()
      return rows.map(row => row.name as PackageName)
    },
    async countPackages() {
      const row = await db
        .selectFrom('package')
        .select(eb => eb.fn.countAll().as('n'))
        .executeTakeFirstOrThrow()
      return Number(row.n)
    },
    listPackagesOf: accountId => rolesOf(db, accountId),
    async listPackagesOfScope(scope) {
      const rows = await db
        .selectFrom('package')
        .select('name')
        .where('scope', '=', scope)
        .orderBy('name')
        .execute()
      return rows.map(row => row.name as PackageName)
    },
  }
}

/** The catalog's changes, inside a transaction. */
export function catalogWrites(db: Kysely<Schema>): CatalogWrites {
  const update = (name: PackageName) => db.updateTable('package').where('name', '=', name)
  return {
    async addPackage(name, confusable, access, at) {
      if (access === 'restricted') await noteRestricted(db)
      const made = await db
        .insertInto('package')
        .values({
          name,
          confusable,
          access,
          scope: scopeOf(name) ?? '',
          description: '',
          keywords: '[]',
          readme: '',
          created_at: at,
          modified_at: at,
          revision: 0,
          requires_tfa: 0,
          approvals: 0,
          approvals_before: 0,
          approvals_from: 0,
          removed_at: null,
          latest: null,
          downloads: 0,
        })
        .onConflict(clash => clash.column('name').doNothing())
        .executeTakeFirst()
      return made.numInsertedOrUpdatedRows === 1n
    },
    addVersion: version => addVersion(db, version),
    async describe(name, about) {
      await update(name)
        .set({
          description: about.description,
          keywords: JSON.stringify(about.keywords),
          readme: about.readme,
        })
        .execute()
      await db.deleteFrom('search_term').where('package', '=', name).execute()
      const terms = termsOf(name, about.description, about.keywords)
      await db
        .insertInto('search_term')
        .values(terms.map(([term, weight]) => ({ term, package: name, weight })))
        .execute()
    },
    async setTag(name, tag, version) {
      await db
        .insertInto('dist_tag')
        .values({ package: name, tag, version })
        .onConflict(clash => clash.columns(['package', 'tag']).doUpdateSet({ version }))
        .execute()
    },
    async removeTag(name, tag) {
      await db.deleteFrom('dist_tag').where('package', '=', name).where('tag', '=', tag).execute()
    },
    async setDeprecated(name, version, message) {
      await oneVersion(db, name, version).set({ deprecated: message }).execute()
    },
    async setSignatures(name, version, signatures) {
      await oneVersion(db, name, version).set({ signatures }).execute()
    },
    async setStatus(name, versions, status, reason, at) {
      const numbers = [versions].flat()
      if (numbers.length === 0) return
      await db
        .updateTable('version')
        .where('package', '=', name)
        .where('version', 'in', numbers)
        .set({ ...keepStatus(status), reason, removed_at: status === 'removed' ? at : null })
        .execute()
    },
    async removePackage(name, at) {
      await update(name).set({ removed_at: at }).execute()
    },
    async setAccess(name, access) {
      if (access === 'restricted') await noteRestricted(db)
      await update(name).set({ access }).execute()
    },
    async setRequiresTfa(name, required) {
      await update(name)
        .set({ requires_tfa: tfaDemands.indexOf(required) })
        .execute()
    },
    async setApprovals(name, approvals, before, from) {
      await update(name).set({ approvals, approvals_before: before, approvals_from: from }).execute()
    },
    async setRole(name, accountId, role) {
      await db
        .deleteFrom('package_role')
        .where('package', '=', name)
        .where('account', '=', accountId)
        .execute()
      if (role !== undefined)
        await db.insertInto('package_role').values({ package: name, account: accountId, role }).execute()
    },
    async setStar(name, accountId, starred) {
      await db.deleteFrom('star').where('package', '=', name).where('account', '=', accountId).execute()
      if (starred) await db.insertInto('star').values({ package: name, account: accountId }).execute()
    },
    async addHosted(pattern, at) {
      await db
        .insertInto('hosted')
        .values({ pattern, created_at: at })
        .onConflict(clash => clash.column('pattern').doNothing())
        .execute()
    },
    async removeHosted(pattern) {
      await db.deleteFrom('hosted').where('pattern', '=', pattern).execute()
    },
    async setLatest(name, version) {
      await update(name)
        .set({ latest: version ?? null })
        .execute()
    },
    async touch(name, at, expected) {
      let query = update(name).set(eb => ({ revision: eb('revision', '+', 1), modified_at: at }))
      if (expected !== undefined) query = query.where('revision', '=', expected)
      const row = await query.returning('revision').executeTakeFirst()
      if (row === undefined) throw problem('revision-conflict', { name })
      return Number(row.revision)
    },
  }
}

/** After a restored backup the log may know of a publication whose version is lost: a second one would break its promise. */
async function checkNeverPublished(db: Kysely<Schema>, name: string, version: string): Promise<void> {
  const found = await db
    .selectFrom('event')
    .select('position')
    .where('pkg', '=', name)
    .where('ver', '=', version)
    .where('type', '=', 'publish')
    .executeTakeFirst()
  if (found !== undefined) throw problem('version-exists', { name, version })
}

async function addVersion(
  db: Kysely<Schema>,
  made: Parameters<CatalogWrites['addVersion']>[0],
): Promise<void> {
  await checkNeverPublished(db, made.package, made.version)
  const last = await db
    .selectFrom('version')
    .select(eb => eb.fn.max('ordinal').as('ordinal'))
    .where('package', '=', made.package)
    .executeTakeFirst()
  try {
    await db
      .insertInto('version')
      .values({
        package: made.package,
        version: made.version,
        ordinal: Number(last?.ordinal ?? 0) + 1,
        ...keepStatus(made.status),
        reason: '',
        deprecated: made.deprecated ?? '',
        digest: made.digest,
        shasum: made.shasum,
        size_bytes: made.sizeBytes,
        unpacked_size_bytes: made.unpackedSizeBytes,
        file_count: made.fileCount,
        manifest: made.manifest,
        short_manifest: made.shortManifest,
        signatures: made.signatures,
        has_install_script: made.hasInstallScript ? 1 : 0,
        dependencies: made.dependencies.join(' '),
        logged: made.status === 'pending' || made.status === 'staged' ? 0 : 1,
        published_at: made.publishedAt,
        publisher: made.publisherId,
        token: made.tokenId,
        approver: made.approverId,
        removed_at: null,
      })
      .execute()
  } catch (error) {
    // Two racing publishes: the unique key decides, exactly one wins.
    if (!isUniqueViolation(error)) throw error
    throw problem('version-exists', { name: made.package, version: made.version })
  }
  const wanted = [...new Set(made.dependencies)].map(dependency => ({
    package: made.package as string,
    dependency,
  }))
  // In parts: both engines bound the parameters of a statement, a manifest of a megabyte has more names than that.
  for (let at = 0; at < wanted.length; at += 1000) {
    await db
      .insertInto('dependency')
      .values(wanted.slice(at, at + 1000))
      .onConflict(clash => clash.columns(['dependency', 'package']).doNothing())
      .execute()
  }
}

function oneVersion(db: Kysely<Schema>, name: PackageName, version: Version) {
  return db.updateTable('version').where('package', '=', name).where('version', '=', version)
}

function versionRows(db: Kysely<Schema>, name: string) {
  return db
    .selectFrom('version')
    .leftJoin('account', 'account.id', 'version.publisher')
    .leftJoin('account as approver', 'approver.id', 'version.approver')
    .leftJoin('trusted_publisher', 'trusted_publisher.id', 'version.publisher')
    .leftJoin('provenance', join =>
      join
        .onRef('provenance.package', '=', 'version.package')
        .onRef('provenance.version', '=', 'version.version'),
    )
    .selectAll('version')
    .select(['account.login as login', 'trusted_publisher.provider as provider'])
    .select(['predicate_type', 'is_public'])
    .select('approver.login as approver_login')
    .where('version.package', '=', name)
}

async function* pages(db: Kysely<Schema>, name: PackageName): AsyncIterable<readonly PackageVersion[]> {
  for (let after = 0, isMore = true; isMore; ) {
    const rows = await versionRows(db, name)
      .where('ordinal', '>', after)
      .orderBy('ordinal')
      .limit(pageSize)
      .execute()
    if (rows.length > 0) yield rows.map(toVersion)
    after = Number(rows.at(-1)?.ordinal)
    isMore = rows.length === pageSize
  }
}

function toPackage(row: Selectable<Schema['package']>): Package {
  return {
    name: row.name as PackageName,
    access: row.access as Package['access'],
    description: row.description,
    keywords: JSON.parse(row.keywords) as string[],
    readme: row.readme,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    revision: row.revision,
    requiresTfa: tfaDemands[row.requires_tfa] ?? 'always',
    approvals: row.approvals,
    approvalsBefore: row.approvals_before,
    approvalsFrom: row.approvals_from,
    removedAt: row.removed_at,
  }
}

type KeptColumn = 'version' | 'status' | 'reason' | 'deprecated' | 'published_at' | 'digest' | 'publisher'
type TraitColumn = 'logged' | 'has_install_script' | 'dependencies'

/** Pending is what is open and not yet in the log: it passes without anybody who set the status meanwhile being overruled. */
function keepStatus(status: Status): { readonly status: Status } {
  return { status: status === 'pending' ? 'live' : status }
}

function statusOf({ status, logged }: Pick<Schema['version'], 'status' | 'logged'>): Status {
  const isOpen = status === 'live' || status === 'yanked'
  return isOpen && logged === 0 ? 'pending' : (status as Status)
}

/** What other tables tell of a version. */
interface Told {
  readonly provider: string | null
  readonly predicate_type: string | null
}

/** A hosted version's traits are our own: its bytes lie here, its signature is ours. */
function toKept(row: Pick<Schema['version'], KeptColumn | TraitColumn> & Told): KeptFacts {
  return {
    version: row.version as Version,
    status: statusOf(row),
    reason: row.reason,
    deprecated: row.deprecated,
    publishedAt: row.published_at,
    traits: {
      knownSince: row.published_at,
      digest: row.digest as Digest,
      hasInstallScript: row.has_install_script === 1,
      signature: 'verified',
      provenance: provenanceOf(row),
      publisher: row.publisher,
      dependencies: row.dependencies === '' ? [] : row.dependencies.split(' '),
    },
  }
}

function provenanceOf({ provider, predicate_type: predicateType }: Told): VersionTraits['provenance'] {
  if (provider !== null) return 'trusted-publisher'
  return predicateType === null ? 'none' : 'provenance'
}

function toVersion(
  row: Selectable<Schema['version']> &
    Told & { login: string | null; is_public: number | null; approver_login: string | null },
): PackageVersion {
  return {
    ...toKept(row),
    package: row.package as PackageName,
    digest: row.digest as Digest,
    shasum: row.shasum,
    sizeBytes: row.size_bytes,
    unpackedSizeBytes: row.unpacked_size_bytes,
    fileCount: row.file_count,
    manifest: row.manifest,
    shortManifest: row.short_manifest,
    signatures: row.signatures,
    publisherId: row.publisher,
    publisherLogin: row.login ?? '',
    publisherProvider: row.provider ?? '',
    tokenId: row.token,
    approverLogin: row.approver_login ?? '',
    removedAt: row.removed_at,
    predicateType: row.predicate_type ?? '',
    isProvenPublicly: row.is_public === 1,
  }
}
