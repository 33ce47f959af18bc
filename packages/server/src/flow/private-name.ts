// SPDX-License-Identifier: Apache-2.0
/** Names that are ours and that somebody published upstream: whoever's build looks in the wrong place would get theirs. */
import { randomUUID } from 'node:crypto'
import { isPackageName, isProblem, matchesName, type PackageName } from '@holdfast/core'
import { authorize } from '../identity/index.ts'
import type { NameSource, Ports, Tx, Upstream } from '../ports.ts'
import { openCase, tellOfCase } from './case.ts'

const watcher = { kind: 'system', id: 'names' } as const
const leaseMs = 10 * 60_000
const namesAtOnce = 1000
const toldAtMost = 200
const pageSize = 500

/**
 * Looks whether names that are ours appeared in the sources of names that the configuration gives. New ones are one case and
 * one letter; each name is told once, the first time with what was there before. What a feed says changed is asked of its
 * upstream in the next round, since it may have been withdrawn.
 */
export async function followNames(ports: Ports): Promise<void> {
  if (ports.nameSources.length === 0) return
  const isOurs = await openOwnNames(ports)
  const found = new Set<PackageName>()
  for (const source of ports.nameSources)
    await readSource(ports, source, async names => {
      for (const name of names) if (isOurs(name)) found.add(name)
      if (source.isFeed) await ports.store.mirrors.markDue(names)
    })
  await tell(ports, found)
}

/** Asks upstreams for the names of which the operator allows it, and for no other: they learn them by it. */
export async function askUpstreams(ports: Ports): Promise<void> {
  const patterns = ports.config.askUpstreamsAbout
  if (patterns.length === 0) return
  const found = new Set<PackageName>()
  for await (const name of ownNames(ports)) {
    if (!patterns.some(pattern => matchesName(pattern, name))) continue
    for (const upstream of ports.upstreams.values())
      if (await isThere(upstream, name, ports.clock())) found.add(name)
  }
  await tell(ports, found)
}

/** Handles what is new in a source, page by page, from its own durable cursor. */
async function readSource(
  ports: Ports,
  source: NameSource,
  handle: (names: readonly PackageName[]) => Promise<void>,
): Promise<void> {
  const { leases } = ports.store
  const [consumer, owner] = [nameCursor(source), randomUUID()]
  const lease = await leases.acquire(consumer, owner, leaseMs)
  if (lease === undefined) return
  try {
    for await (const { names, position } of source.read(lease.position)) {
      await handle(names.filter(isPackageName))
      if (position === lease.position) continue
      // Told behind the last page: a crash before that reads the same again, and what was told is told once.
      await leases.advance(consumer, lease.fence, position)
    }
  } catch (error) {
    if (!isProblem(error)) throw error
  } finally {
    await leases.release(consumer, owner)
  }
}

/** Where the reading of a source stands: 0 while it was never read. */
export function nameCursor(source: Pick<NameSource, 'id'>): string {
  return `names-${source.id}`
}

/** A name that a pattern keeps for us. `*` keeps none, it only says who may be made: there, a package that is here. */
async function openOwnNames(ports: Ports): Promise<(name: PackageName) => boolean> {
  const hosted = await ports.store.catalog.listHosted()
  const kept = hosted.filter(pattern => pattern !== '*')
  const here = new Set<PackageName>()
  // Asked once and not for each of some millions of names.
  if (kept.length < hosted.length) for await (const name of ownNames(ports)) here.add(name)
  return name => here.has(name) || kept.some(pattern => matchesName(pattern, name))
}

async function* ownNames({ store }: Ports): AsyncGenerator<PackageName> {
  for (let after = ''; ; ) {
    const names = await store.catalog.listNames(after, pageSize)
    yield* names
    const last = names.at(-1)
    if (last === undefined || names.length < pageSize) return
    after = last
  }
}

async function isThere(upstream: Upstream, name: PackageName, now: number): Promise<boolean> {
  try {
    return (await upstream.readPackument(name, undefined, now)).kind === 'told'
  } catch (error) {
    if (!isProblem(error)) throw error
    return false
  }
}

async function tell(ports: Ports, found: ReadonlySet<PackageName>): Promise<void> {
  if (found.size === 0) return
  const grant = await authorize(ports, watcher, 'version:contain', '')
  await ports.store.commit(grant, [], async tx => {
    await tx.incident.holdCases()
    const told = new Set(await tx.incident.listSubjects('private-name'))
    const fresh = [...found].filter(name => !told.has(name)).sort()
    if (fresh.length > 0) await tellFresh(tx, ports, fresh.slice(0, namesAtOnce))
  })
}

async function tellFresh(tx: Tx, ports: Ports, fresh: readonly PackageName[]): Promise<void> {
  const [first] = fresh
  const title =
    fresh.length === 1
      ? `${first} was published upstream`
      : `${first} and ${fresh.length - 1} more names of this registry were published upstream`
  const listed = fresh.slice(0, toldAtMost).join(', ')
  const words = `${listed}${fresh.length > toldAtMost ? ' …' : ''}: these names belong here, and somebody has them upstream`
  const subjects = fresh.map(name => ({ package: name, version: '' }) as const)
  const draft = { kind: 'private-name', title, severity: 'high', subjects, words } as const
  const { id } = await openCase(tx, watcher.id, ports.clock(), draft)
  await tellOfCase(tx, ports, title, id, [
    `${words}.`,
    '',
    'Builds that use this registry are safe: a name that is hosted here never comes from elsewhere.',
    'Builds that ask the upstream directly would get theirs: look for such, and have the names taken down.',
  ])
}
