// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type DistTag, problem } from '@holdfast/core'
import { decide, rulesFor, type SearchHit, type SearchQuery, type VersionFacts } from '../catalog/index.ts'
import { type Actor, isMachine, mayReadPublic } from '../identity/index.ts'
import type { MirrorSummary, Ports } from '../ports.ts'
import { keptMirrors } from './kept-mirrors.ts'
import { currentPolicy, type PackageView, type Viewing, viewPackage } from './view.ts'

/**
 * Packages that match and that this actor may read: those hosted here, best first, then those cached of upstreams. What
 * somebody searches for is told to no upstream. Throws `unauthenticated`.
 */
export async function searchPackages(
  ports: Ports,
  actor: Actor,
  text: string,
  offset: number,
  limit: number,
): Promise<{ total: number; hits: readonly SearchHit[] }> {
  if (!mayReadPublic(ports.config, actor)) throw problem('unauthenticated')
  const hosted = await ports.store.catalog.search({ text, reader: readerOf(actor), offset, limit })
  const cached = await searchCached(
    ports,
    text,
    Math.max(0, offset - hosted.total),
    limit - hosted.hits.length,
  )
  const hits = [...(await judgeHits(ports, hosted.hits)), ...(await judgeCached(ports, cached.found))]
  const hidden = hosted.hits.length + cached.found.length - hits.length
  return { total: hosted.total + cached.total - hidden, hits }
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
      const shown = findShown(await viewPackage(ports, hit.name))
      return shown && { ...hit, version: shown.version }
    }),
  )
  return judged.filter(hit => hit !== undefined)
}

/** A registry that stands alone now shows nothing of what it kept of upstreams before. */
async function searchCached(
  { routes, store }: Ports,
  text: string,
  offset: number,
  limit: number,
): Promise<{ total: number; found: readonly MirrorSummary[] }> {
  return routes.length === 0 ? { total: 0, found: [] } : store.mirrors.search(text, offset, limit)
}

/** One after the other, and others get their turn between: some have thousands of versions. A name that comes from elsewhere by now is none. */
async function judgeCached(ports: Ports, found: readonly MirrorSummary[]): Promise<readonly SearchHit[]> {
  const offline = { ...ports, mirrors: keptMirrors(ports.store, ports.clock()) }
  const nobody = { keywords: [], publisherLogin: '', maintainers: [], downloads: 0, score: 0 }
  const hits: SearchHit[] = []
  for (const { name, origin, description, modifiedAt } of found) {
    await nextTurn()
    const view = await viewPackage(offline, name)
    const shown = view?.origin === origin ? findShown(view) : undefined
    if (shown !== undefined)
      hits.push({ ...nobody, name, origin, version: shown.version, description, modifiedAt })
  }
  return hits
}

function findShown(view: PackageView | undefined): VersionFacts | undefined {
  const latest = view?.tags.get('latest' as DistTag)
  const facts = view?.versions.find(each => each.version === latest)
  return facts !== undefined && decide(facts).searchable ? facts : undefined
}

function readerOf(actor: Actor): SearchQuery['reader'] {
  if (actor.kind === 'person') return { kind: 'account', id: actor.id }
  return actor.kind === 'nobody' || isMachine(actor) ? { kind: 'nobody' } : { kind: 'everything' }
}
