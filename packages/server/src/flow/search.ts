// SPDX-License-Identifier: Apache-2.0
import { type DistTag, problem } from '@holdfast/core'
import { decide, rulesFor, type SearchHit, type SearchQuery } from '../catalog/index.ts'
import { type Actor, isMachine, mayReadPublic } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { currentPolicy, type Viewing, viewPackage } from './view.ts'

/** Packages that match, best first, and only those this actor may read. Throws `unauthenticated`. */
export async function searchPackages(
  ports: Ports,
  actor: Actor,
  text: string,
  offset: number,
  limit: number,
): Promise<{ total: number; hits: readonly SearchHit[] }> {
  if (!mayReadPublic(ports.config, actor)) throw problem('unauthenticated')
  const found = await ports.store.catalog.search({ text, reader: readerOf(actor), offset, limit })
  const hits = await judgeHits(ports, found.hits)
  return { total: found.total - (found.hits.length - hits.length), hits }
}

/** The packages that changed last, as everybody may see them. */
export async function listNewest(ports: Viewing, limit: number): Promise<readonly SearchHit[]> {
  return judgeHits(ports, await ports.store.catalog.listNewest(limit))
}

/** The index knows what is kept. Where a rule looks at hosted names, it says which version is shown, and if any. */
async function judgeHits(ports: Viewing, hits: readonly SearchHit[]): Promise<readonly SearchHit[]> {
  const policy = await currentPolicy(ports)
  const judged = await Promise.all(
    hits.map(async hit => {
      if (rulesFor(policy, hit.name, 'hosted').length === 0) return hit
      const view = await viewPackage(ports, hit.name)
      const facts = view?.versions.find(each => each.version === view.tags.get('latest' as DistTag))
      return facts !== undefined && decide(facts).searchable ? { ...hit, version: facts.version } : undefined
    }),
  )
  return judged.filter(hit => hit !== undefined)
}

function readerOf(actor: Actor): SearchQuery['reader'] {
  if (actor.kind === 'person') return { kind: 'account', id: actor.id }
  return actor.kind === 'nobody' || isMachine(actor) ? { kind: 'nobody' } : { kind: 'everything' }
}
