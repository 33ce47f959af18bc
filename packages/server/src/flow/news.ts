// SPDX-License-Identifier: Apache-2.0
/** What happened to packages, as far as whoever asks may see it now. */
import { type PackageName, problem } from '@holdfast/core'
import { decide } from '../catalog/index.ts'
import { type News, type NewsEvent, packagesOf, toNews } from '../community/index.ts'
import { type Actor, authorize, may, mayReadPublic } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { findKept, viewVersion } from './view.ts'

const feedLength = 50
const lookedAt = 1000

/** `shown`, `hidden` from whoever asks, or `later`: its leaf is not in the published log yet. */
export type Sight = 'shown' | 'hidden' | 'later'

/** Whether somebody may hear of an event now. What is private is for readers, what was held for nobody. */
export async function sightOf(ports: Ports, actor: Actor, event: NewsEvent): Promise<Sight> {
  const { pkg, ver, type } = event
  if (pkg === null) return (await seesAny(ports, actor, packagesOf(event))) ? 'shown' : 'hidden'
  if (!(await may(ports, actor, 'package:read', pkg))) return 'hidden'
  if (type !== 'publish' || ver === null) return 'shown'
  const kept = await ports.store.catalog.findVersion(pkg, ver)
  if (kept === undefined) return 'hidden'
  if (kept.status === 'pending') return 'later'
  return decide(await viewVersion(ports, kept)).listed ? 'shown' : 'hidden'
}

/** An advisory about several is told without their names; who may read none of them hears nothing of it. */
async function seesAny(ports: Ports, actor: Actor, names: readonly PackageName[]): Promise<boolean> {
  if (names.length === 0) return mayReadPublic(ports.config, actor)
  for (const name of names) if (await may(ports, actor, 'package:read', name)) return true
  return false
}

/** What happened to a package, newest first. Throws what reading the package throws. */
export async function listPackageNews(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<readonly News[]> {
  await authorize(ports, actor, 'package:read', name)
  const events = await ports.store.events.search({ package: name }, Number.MAX_SAFE_INTEGER, lookedAt)
  if (events.length === 0 && (await findKept(ports, name)) === undefined)
    throw problem('package-not-found', { name })
  return seen(ports, actor, events)
}

/** What somebody published, or what happened in an organisation's scope (`@acme`), newest first. Throws `user-not-found`. */
export async function listPublisherNews(
  ports: Ports,
  actor: Actor,
  publisher: string,
): Promise<readonly News[]> {
  const { store } = ports
  if (publisher.startsWith('@')) {
    const names = await store.catalog.listPackagesOfScope(publisher)
    const pages = await Promise.all(
      names
        .slice(0, lookedAt)
        .map(name => store.events.search({ package: name }, Number.MAX_SAFE_INTEGER, feedLength)),
    )
    return seen(
      ports,
      actor,
      pages.flat().sort((one, two) => two.position - one.position),
    )
  }
  const account = await store.identity.findAccountByLogin(publisher)
  if (account === undefined) throw problem('user-not-found', { user: publisher })
  const query = { type: 'publish', actorId: account.id } as const
  return seen(ports, actor, await store.events.search(query, Number.MAX_SAFE_INTEGER, lookedAt))
}

async function seen(ports: Ports, actor: Actor, events: readonly NewsEvent[]): Promise<readonly News[]> {
  const found: News[] = []
  for (const event of events) {
    const news = toNews(event)
    if (news !== undefined && (await sightOf(ports, actor, event)) === 'shown') found.push(news)
    if (found.length === feedLength) break
  }
  return found
}

/** A part of all news, from the event after `since` on. */
export interface NewsPage {
  readonly news: readonly News[]
  /** Where to read on: everything up to here was looked at. */
  readonly next: number
}

/**
 * What happened after a position, oldest first, as far as whoever asks may see it; at most `limit` events are looked at. What is not
 * in the published log yet ends the page, so that nothing is passed over.
 */
export async function readNews(ports: Ports, actor: Actor, since: number, limit: number): Promise<NewsPage> {
  if (!mayReadPublic(ports.config, actor)) throw problem('unauthenticated')
  const events = await ports.store.events.read(since, limit)
  const found: News[] = []
  let next = since
  for (const event of events) {
    const news = toNews(event)
    const sight = news === undefined ? 'hidden' : await sightOf(ports, actor, event)
    if (sight === 'later') break
    if (news !== undefined && sight === 'shown') found.push(news)
    next = event.position
  }
  return { news: found, next }
}
