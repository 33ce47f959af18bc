// SPDX-License-Identifier: Apache-2.0
/** Attestations of upstream versions as they were served, and what was found of them. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Digest, PackageName, Version } from '@holdfast/core'
import type { Kysely } from 'kysely'
import type { ProvenanceFinding } from '../../integrity/index.ts'
import type { KeptAttestations, ProvenanceRows } from '../../ports.ts'
import type { Schema } from './schema.ts'

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

export function provenanceRows(db: Kysely<Schema>, transact: Transact): ProvenanceRows {
  return {
    async find(name, version) {
      const query = db.selectFrom('attestation').selectAll().where('package', '=', name)
      const row = await query.where('version', '=', version).executeTakeFirst()
      return (
        row && {
          text: zstdDecompressSync(row.text).toString(),
          finding: JSON.parse(row.finding) as ProvenanceFinding,
          checkedAt: row.checked_at,
        }
      )
    },
    async listDue(states, lookedBefore, limit) {
      const query = db.selectFrom('ingested').select(['package', 'version', 'origin', 'digest'])
      const due = query.where('provenance', 'in', states).where('provenance_at', '<', lookedBefore)
      const rows = await due.orderBy('provenance_at').limit(limit).execute()
      return rows.map(row => ({
        name: row.package as PackageName,
        version: row.version as Version,
        origin: row.origin,
        digest: row.digest as Digest,
      }))
    },
    markLooked: (name, version, at) =>
      transact(async tx => {
        await ofVersion(tx, name, version).set({ provenance_at: at }).execute()
      }),
    note: (name, version, kept) => transact(tx => noteAttestations(tx, name, version, kept)),
  }
}

/** Keeps them, and the verdict with the bytes that they are about. */
export async function noteAttestations(
  db: Kysely<Schema>,
  name: PackageName,
  version: Version,
  { text, finding, checkedAt }: KeptAttestations,
): Promise<void> {
  const values = {
    package: name,
    version,
    text: zstdCompressSync(text),
    finding: JSON.stringify(finding),
    checked_at: checkedAt,
  }
  await db
    .insertInto('attestation')
    .values(values)
    .onConflict(clash => clash.columns(['package', 'version']).doUpdateSet(values))
    .execute()
  await ofVersion(db, name, version).set({ provenance: finding.kind, provenance_at: checkedAt }).execute()
}

function ofVersion(db: Kysely<Schema>, name: PackageName, version: Version) {
  return db.updateTable('ingested').where('package', '=', name).where('version', '=', version)
}
