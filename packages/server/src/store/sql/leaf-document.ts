// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type { LeafDocument } from '../../integrity/index.ts'
import type { LeafDocumentReads, LeafDocumentWrites } from '../../ports.ts'
import type { Schema } from './schema.ts'

/** What leaves name by a digest. */
export function leafDocumentReads(db: Kysely<Schema>): LeafDocumentReads {
  return {
    async find(digest) {
      const query = db.selectFrom('leaf_document').select('text').where('digest', '=', digest)
      return (await query.executeTakeFirst())?.text
    },
  }
}

/** The end of what leaves name by a digest. */
export function leafDocumentWrites(tx: Kysely<Schema>): LeafDocumentWrites {
  return {
    async erase(digest) {
      const { numDeletedRows } = await tx
        .deleteFrom('leaf_document')
        .where('digest', '=', digest)
        .executeTakeFirst()
      return numDeletedRows > 0n
    },
  }
}

/** Keeps the document of a leaf, in the transaction that writes the leaf. */
export async function addLeafDocument(tx: Kysely<Schema>, document: LeafDocument): Promise<void> {
  await tx
    .insertInto('leaf_document')
    .values({ ...document })
    .execute()
}
