// SPDX-License-Identifier: Apache-2.0
/** What a feed would suddenly close although it has long been used here waits for a person: feeds are wrong, too, and are stolen. */
import { type PackageName, problem, type Version } from '@holdfast/core'
import { type Advisory, covers, type ReadRecord, type WaitingRecord } from '../catalog/index.ts'
import { type Actor, actorId, authorize } from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { parseOsvText } from '../vulnerability/index.ts'
import { takeAdvisories } from './advisory.ts'
import { openCase, tellOfCase } from './case.ts'
import { provePresence } from './presence.ts'
import { findKept } from './view.ts'

const follower = { kind: 'system', id: 'advisories' } as const
const dayMs = 24 * 3600_000
/** Worms are found within days: what was out for longer than this and is in use is not closed by a machine alone. */
const establishedMs = 30 * dayMs
const usedWithinMs = 30 * dayMs
const packagesLookedAt = 200_000
const versionsTold = 20

/** What is used here, by package: asked once for a load of any size. */
export type Used = ReadonlyMap<PackageName, ReadonlySet<Version>>

export async function listUsed({ store, clock }: Pick<Ports, 'store' | 'clock'>): Promise<Used> {
  return new Map(await store.downloads.listUsed(clock() - usedWithinMs, packagesLookedAt))
}

/** The records that would close established versions, with the versions in words; the others may come in. */
export async function findSurprising(
  ports: Ports,
  used: Used,
  records: readonly ReadRecord[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const { record, advisories } of records) {
    const closed: string[] = []
    for (const advisory of advisories) closed.push(...(await listClosed(ports, used, advisory)))
    if (closed.length === 0) continue
    const more = closed.length - versionsTold
    const list = `${closed.slice(0, versionsTold).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
    found.set(
      record.id,
      `it says that ${list} is malware: out for more than a month, and used here in the last 30 days`,
    )
  }
  return found
}

/** Only malware closes at once and for everybody; what it covered before is no surprise. */
async function listClosed(ports: Ports, used: Used, advisory: Advisory): Promise<string[]> {
  const versions = used.get(advisory.package)
  if (advisory.kind !== 'malware' || versions === undefined) return []
  const hit = new Set([...versions].filter(version => covers(advisory, version)))
  const before = (await ports.store.policy.listAdvisories(advisory.package)).filter(
    each => each.kind === 'malware',
  )
  for (const version of hit) if (before.some(each => covers(each, version))) hit.delete(version)
  if (hit.size === 0) return []
  const kept = (await findKept(ports, advisory.package))?.kept ?? []
  const old = ports.clock() - establishedMs
  return kept
    .filter(each => hit.has(each.version) && each.publishedAt < old)
    .map(each => `${advisory.package}@${each.version}`)
}

/** Fetches in a month of which nobody says that it is hardly used. */
const muchUsed = 500

/** Why nobody but a person closes a version: it is long out, or much used; empty for neither. */
export async function whyEstablished(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  name: PackageName,
  { version, publishedAt }: { readonly version: Version; readonly publishedAt: number },
): Promise<string> {
  const now = clock()
  if (publishedAt < now - establishedMs) return 'it has been out for more than a month'
  const fetches = await store.downloads.count(name, version, now - usedWithinMs)
  return fetches >= muchUsed ? `it was fetched ${fetches} times here in the last 30 days` : ''
}

/** Keeps a record for a person to look at: a case and a letter say what it would close. */
export async function keepWaiting(ports: Ports, { record }: ReadRecord, why: string): Promise<void> {
  const { id, text, feed } = record
  const at = ports.clock()
  const title = titleOf(id)
  const grant = await authorize(ports, follower, 'version:contain', '')
  await ports.store.commit(grant, [], async tx => {
    await tx.advisories.setWaiting({ id, text, feed, why, at, state: 'waiting' })
    const draft = { kind: 'feed-entry', title, severity: 'high', subjects: [], words: why } as const
    const opened = await openCase(tx, follower.id, at, draft)
    await tellOfCase(tx, ports, title, opened.id, [
      `The feed ${feed} has a new entry, ${id}: ${why}.`,
      '',
      'Nothing is closed yet. Look at it, and accept or refuse it: Operate → Advisories.',
    ])
  })
}

/** Entries of feeds that wait, for those who respond or operate. */
export async function listWaiting(ports: Ports, actor: Actor): Promise<readonly WaitingRecord[]> {
  await authorize(ports, actor, 'instance:audit', '')
  return (await ports.store.advisories.listWaiting()).filter(each => each.state === 'waiting')
}

/** A person has looked and lets an entry in: it counts as if no one had held it up. Throws `not-found`. */
export async function acceptWaiting(ports: Ports, actor: Actor, id: string): Promise<void> {
  const { feed, text } = await getWaiting(ports, id)
  const grant = await authorize(ports, actor, 'version:contain', '')
  await provePresence(ports, grant)
  // A crash behind this leaves it waiting: accepted again it changes nothing.
  await takeAdvisories(ports, follower, feed, parseOsvText(id, Buffer.from(text)))
  await settle(ports, actor, id, 'accepted', tx => tx.advisories.dropWaiting(id))
}

/** A person has looked, and refuses an entry: it does not come back until the feed says something else. Throws `not-found`. */
export async function refuseWaiting(ports: Ports, actor: Actor, id: string): Promise<void> {
  const waiting = await getWaiting(ports, id)
  await settle(ports, actor, id, 'refused', tx => tx.advisories.setWaiting({ ...waiting, state: 'refused' }))
}

/** The decision goes into the case, which ends with it. */
async function settle(
  ports: Ports,
  actor: Actor,
  id: string,
  said: 'accepted' | 'refused',
  work: (tx: Tx) => Promise<void>,
): Promise<void> {
  const grant = await authorize(ports, actor, 'version:contain', '')
  await provePresence(ports, grant)
  await ports.store.commit(grant, [], async tx => {
    await work(tx)
    await tx.incident.holdCases()
    const title = titleOf(id)
    const found = await tx.incident.findOpenCase('feed-entry', title)
    if (found !== undefined) {
      await tx.incident.setCaseState(found, 'closed')
      await tx.incident.addCaseNote(found, { at: ports.clock(), by: actorId(actor), words: said })
    }
    const about = { kind: 'feed-entry', severity: 'high', title, why: said } as const
    tx.record({ type: 'case', detail: { op: 'close', case: found ?? '', ...about } })
  })
}

function titleOf(id: string): string {
  return `${id} waits for a person`
}

async function getWaiting({ store }: Ports, id: string): Promise<WaitingRecord> {
  const found = (await store.advisories.listWaiting([id.slice(0, 100)])).find(
    each => each.state === 'waiting',
  )
  if (found === undefined) throw problem('not-found')
  return found
}
