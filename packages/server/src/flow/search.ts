// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { SearchHit, SearchQuery } from '../catalog/index.ts'
import { type Actor, isMachine, mayReadPublic } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

/** Packages that match, best first, and only those this actor may read. Throws `unauthenticated`. */
export async function searchPackages(
  ports: Ports,
  actor: Actor,
  text: string,
  offset: number,
  limit: number,
): Promise<{ total: number; hits: readonly SearchHit[] }> {
  if (!mayReadPublic(ports.config, actor)) throw problem('unauthenticated')
  return ports.store.catalog.search({ text, reader: readerOf(actor), offset, limit })
}

function readerOf(actor: Actor): SearchQuery['reader'] {
  if (actor.kind === 'person') return { kind: 'account', id: actor.id }
  return actor.kind === 'nobody' || isMachine(actor) ? { kind: 'nobody' } : { kind: 'everything' }
}
