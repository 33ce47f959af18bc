// SPDX-License-Identifier: Apache-2.0
/** Where versions that were published here were built, and what their packages may not fall below. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type PackageName, problem, type Version } from '@holdfast/core'
import type { Kysely } from 'kysely'
import type { BuildFacts, PackageTrust, TrustLevel } from '../../integrity/index.ts'
import type { KeptProvenance, TrustReads, TrustWrites } from '../../ports.ts'
import { isUniqueViolation } from './driver.ts'
import type { Schema } from './schema.ts'
import { noteSource } from './source-link.ts'

export function trustReads(db: Kysely<Schema>): TrustReads {
  return {
    async findProvenance(name, version) {
      const query = db.selectFrom('provenance').selectAll().where('package', '=', name)
      const row = await query.where('version', '=', version).executeTakeFirst()
      return (
        row && {
          text: zstdDecompressSync(row.bundle).toString(),
          sha256: row.sha256,
          predicateType: row.predicate_type,
          build: JSON.parse(row.build) as BuildFacts,
          root: row.root,
          isPublic: row.is_public === 1,
          signedAt: row.signed_at,
          signer: row.signer,
          verifiedAt: row.verified_at,
        }
      )
    },
    async listBuilds(name) {
      const query = db.selectFrom('provenance').select('build').where('package', '=', name)
      return (await query.execute()).map(({ build }) => JSON.parse(build) as BuildFacts)
    },
    async listShown(name) {
      const rows = await db
        .selectFrom('version')
        .leftJoin('trusted_publisher', 'trusted_publisher.id', 'version.publisher')
        .leftJoin('provenance', join =>
          join
            .onRef('provenance.package', '=', 'version.package')
            .onRef('provenance.version', '=', 'version.version'),
        )
        .select(['version.version', 'trusted_publisher.provider', 'provenance.sha256'])
        .where('version.package', '=', name)
        .orderBy('ordinal')
        .execute()
      return rows.map(({ version, provider, sha256 }) => ({
        version: version as Version,
        level: sha256 !== null ? 'provenance' : provider === null ? 'none' : 'oidc',
      }))
    },
    async findTrust(name) {
      const row = await db
        .selectFrom('package_trust')
        .selectAll()
        .where('package', '=', name)
        .executeTakeFirst()
      return (
        row && {
          level: row.level as TrustLevel,
          sources: JSON.parse(row.sources) as PackageTrust['sources'],
          lowering: JSON.parse(row.lowering) as PackageTrust['lowering'],
        }
      )
    },
  }
}

export function trustWrites(db: Kysely<Schema>): TrustWrites {
  return {
    addProvenance: (name, version, kept) => addProvenance(db, name, version, kept),
    async setTrust(name, { level, sources, lowering }) {
      const values = {
        ...{ package: name, level },
        sources: JSON.stringify(sources),
        lowering: JSON.stringify(lowering),
      }
      await db
        .insertInto('package_trust')
        .values(values)
        .onConflict(clash => clash.column('package').doUpdateSet(values))
        .execute()
    },
  }
}

async function addProvenance(
  db: Kysely<Schema>,
  name: PackageName,
  version: Version,
  kept: KeptProvenance,
): Promise<void> {
  const values = {
    ...{ package: name, version },
    bundle: zstdCompressSync(kept.text),
    sha256: kept.sha256,
    predicate_type: kept.predicateType,
    build: JSON.stringify(kept.build),
    root: kept.root,
    is_public: kept.isPublic ? 1 : 0,
    signed_at: kept.signedAt,
    signer: kept.signer,
    verified_at: kept.verifiedAt,
  }
  try {
    await db.insertInto('provenance').values(values).execute()
    // Of a repository that is not public nobody here can see whether it is there.
    const { repository, visibility } = kept.build
    if (visibility === 'public')
      await noteSource(db, { repository, checkedAt: kept.verifiedAt, goneSince: null })
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw problem('provenance-refused', {
      name,
      version,
      why: 'the same signature came with another version',
    })
  }
}
