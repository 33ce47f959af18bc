// SPDX-License-Identifier: Apache-2.0
/** What is known against packages and contents comes in: from feeds, files and people. */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { PackageName } from '@holdfast/core'
import type { Advisory, BadDigest, ReadRecord } from '../catalog/index.ts'
import { type Actor, authorize, type Grant } from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { type OsvFound, readOsv } from '../vulnerability/index.ts'
import { isOwnId } from './advisory-writing.ts'
import { provePresence } from './presence.ts'

/** Records of one commit: a load of any size takes constant memory, and others get their turn in between. */
const atOnce = 500
/** More packages than that are not named one by one: everybody looks anew. */
const maxNamed = 5000
const maxToldFaults = 1000

/** How a load went, or how far it is. */
export interface Taken {
  /** Records read, and those of them that were new or changed. */
  readonly read: number
  readonly changed: number
  readonly faults: number
  /** The first faults in words. */
  readonly told: readonly string[]
}

/** What must not come in by itself: gives the ids of records that were taken aside. */
export type SetAside = (records: readonly ReadRecord[]) => Promise<ReadonlySet<string>>

const none: SetAside = async () => new Set()

/**
 * Takes in the records of a feed as they come: new ones and those that changed. What cannot be read is a fault that is told, and the rest
 * goes in. A record never gives way to an older one of the same id. Whatever comes in counts on every path and replica within a second, for
 * the packages it is about. `tell` hears how far it is.
 */
export async function takeAdvisories(
  ports: Ports,
  actor: Actor,
  feed: string,
  found: AsyncIterable<OsvFound> | Iterable<OsvFound>,
  tell: (so: Taken) => void = () => {},
  setAside: SetAside = none,
): Promise<Taken> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  await provePresence(ports, grant)
  const told: string[] = []
  let so: Taken = { read: 0, changed: 0, faults: 0, told }
  let waiting: ReadRecord[] = []
  const flush = async () => {
    so = { ...so, changed: so.changed + (await keepRecords(ports, grant, waiting, setAside)) }
    waiting = []
    tell(so)
    await setImmediate()
  }
  for await (const each of found) {
    const read = readFound(ports, each, feed)
    if (typeof read === 'string') {
      if (told.length < maxToldFaults) told.push(read)
      so = { ...so, faults: so.faults + 1 }
    } else {
      waiting.push(read)
      so = { ...so, read: so.read + 1 }
    }
    if (waiting.length >= atOnce) await flush()
  }
  await flush()
  await noteFeed(ports, feed, so)
  return so
}

function readFound(ports: Ports, found: OsvFound, feed: string): ReadRecord | string {
  if (found.kind === 'fault') return `${found.from}: ${found.why}`
  const reading = readOsv(found.record)
  if (reading.kind === 'faulty') return `${found.from}: ${reading.id}: ${reading.why}`
  const { id, modifiedAt, withdrawnAt, advisories } = reading
  if (isOwnId(ports, id)) return `${found.from}: ${id}: ids of this registry are its own to write`
  return { record: { id, text: found.text, feed, modifiedAt, withdrawnAt }, advisories }
}

/** Gives how many of them were new or changed. */
async function keepRecords(
  ports: Ports,
  grant: Grant,
  all: readonly ReadRecord[],
  setAside: SetAside,
): Promise<number> {
  const newest = new Map<string, ReadRecord>()
  for (const each of all) {
    const other = newest.get(each.record.id)
    if (other === undefined || other.record.modifiedAt <= each.record.modifiedAt)
      newest.set(each.record.id, each)
  }
  const ids = [...newest.keys()]
  const known = new Map((await ports.store.advisories.listRecords(ids)).map(each => [each.id, each]))
  const fresh = [...newest.values()].filter(({ record, advisories }) => {
    const before = known.get(record.id)
    // What is about other ecosystems only is none of ours.
    if (before === undefined) return advisories.length > 0
    return before.text !== record.text && before.modifiedAt <= record.modifiedAt
  })
  const aside = fresh.length === 0 ? new Set() : await setAside(fresh)
  const changed = fresh.filter(({ record }) => !aside.has(record.id))
  if (changed.length === 0) return 0
  const before = await ports.store.advisories.listSubjects(changed.map(each => each.record.id))
  const now = changed.flatMap(each => each.advisories.map(advisory => advisory.package))
  await commitLoad(
    ports,
    grant,
    changed.map(each => each.record.text),
    new Set([...now, ...[...before.values()].flat()]),
    tx => tx.advisories.setRecords(changed),
  )
  return changed.length
}

/** One event for what came in; it names the packages that look different now. */
async function commitLoad(
  { store }: Ports,
  grant: Grant,
  loaded: readonly unknown[],
  touched: ReadonlySet<PackageName>,
  work: (tx: Tx) => Promise<void>,
): Promise<void> {
  const digest = createHash('sha256').update(JSON.stringify(loaded)).digest('base64')
  const event = {
    type: 'advisory',
    fields: { op: 'load', count: loaded.length, doc: `sha256-${digest}` },
    detail: touched.size > maxNamed ? {} : { packages: [...touched] },
  } as const
  await store.commit(grant, event, work)
}

/** A feed is as old as its last whole look, whether that brought anything or not; what could not be read stays told until it changes. */
async function noteFeed(ports: Ports, name: string, so: Taken): Promise<void> {
  const at = ports.clock()
  const known = (await ports.store.advisories.listFeeds()).find(each => each.name === name)
  await ports.store.advisories.noteFeed({
    name,
    takenAt: at,
    changedAt: so.changed > 0 ? at : (known?.changedAt ?? at),
    ...(so.read + so.faults === 0 && known !== undefined
      ? { records: known.records, faults: known.faults, fault: known.faults === 0 ? '' : known.fault }
      : { records: so.read, faults: so.faults, fault: so.told[0]?.slice(0, 500) ?? '' }),
  })
}

/**
 * Takes in advisories that no record stands behind, and contents that must not come in. Those that are known as they are change nothing.
 * Gives how many were new or changed.
 */
export async function addAdvisories(
  ports: Ports,
  actor: Actor,
  advisories: readonly Advisory[],
  badDigests: readonly BadDigest[],
): Promise<number> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  const changed = await listChanged(ports, advisories)
  const known = await ports.store.policy.listBadDigests(badDigests.map(each => each.digest))
  const bad = badDigests.filter(each => known.get(each.digest) !== each.why)
  if (changed.length + bad.length === 0) return 0
  await provePresence(ports, grant)
  // Bytes may be anybody's: nobody knows which packages have them.
  const touched = new Set(bad.length > 0 ? [] : changed.map(each => each.package))
  await commitLoad(ports, grant, [...changed, ...bad], touched, async tx => {
    for (const each of changed) await tx.policy.setAdvisory(each)
    for (const each of bad) await tx.policy.setBadDigest(each)
  })
  return changed.length + bad.length
}

async function listChanged({ store }: Ports, advisories: readonly Advisory[]): Promise<Advisory[]> {
  const names = [...new Set(advisories.map(each => each.package))]
  const known = new Set((await store.policy.listAdvisoriesOf(names)).map(each => JSON.stringify(each)))
  return advisories.filter(each => !known.has(JSON.stringify(inOrder(each))))
}

/** Its members in the order in which the store gives them. */
function inOrder(told: Advisory): Advisory {
  const { id, range, fixed, kind, severity, aliases, cvss, cwe, title, url } = told
  const { publishedAt, modifiedAt, withdrawnAt } = told
  const about = { id, package: told.package, range, fixed, kind, severity, aliases, cvss, cwe, title, url }
  return { ...about, publishedAt, modifiedAt, withdrawnAt }
}
