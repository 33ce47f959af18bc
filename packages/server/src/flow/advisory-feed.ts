// SPDX-License-Identifier: Apache-2.0
/** Feeds of advisories by the clock: what changed comes in every quarter of an hour, and a feed that falls silent is told. */
import { randomUUID } from 'node:crypto'
import { isProblem } from '@holdfast/core'
import { defaultPolicy, type Feed, nextPolicy, type ReadRecord } from '../catalog/index.ts'
import { authorize } from '../identity/index.ts'
import type { AdvisoryPart, AdvisorySource, Ports } from '../ports.ts'
import { type OsvFound, parseOsvText, readOsvLines, readOsvZip } from '../vulnerability/index.ts'
import { type SetAside, takeAdvisories } from './advisory.ts'
import { findSurprising, keepWaiting, listUsed } from './advisory-breaker.ts'
import { openCase, tellOfCase } from './case.ts'
import { listFeedStates, stoodStillAt } from './feed-state.ts'

const follower = { kind: 'system', id: 'advisories' } as const
/** A whole dump takes minutes. */
const leaseMs = 60 * 60_000
const maxRecordBytes = 32 * 1024 * 1024

/** Takes in what changed in every source; one that cannot be read is noted, and the others go on. */
export async function followAdvisories(ports: Ports): Promise<void> {
  for (const source of ports.advisorySources) await followSource(ports, source)
  for (const { source, feed, isSilent } of await listFeedStates(ports))
    if (isSilent && feed !== undefined) await tellSilence(ports, source, feed)
}

async function followSource(ports: Ports, source: AdvisorySource): Promise<void> {
  const { leases } = ports.store
  const [consumer, owner] = [`advisories-${source.id}`, randomUUID()]
  const lease = await leases.acquire(consumer, owner, leaseMs)
  if (lease === undefined) return
  try {
    let position = lease.position
    const found = readSource(source, lease.position, at => {
      position = at
    })
    const wasStill = (await stoodStillAt(ports)) !== undefined
    await takeAdvisories(ports, follower, source.name, found, undefined, await openBreaker(ports))
    if (wasStill && (await stoodStillAt(ports)) === undefined) await renewVerdicts(ports)
    // Told behind all of it: a crash before that reads the same again, and what is known changes nothing.
    if (position !== lease.position) await leases.advance(consumer, lease.fence, position)
  } catch (error) {
    if (!isProblem(error)) throw error
    await noteFault(ports, source, error.message)
  } finally {
    await leases.release(consumer, owner)
  }
}

/** What waited only because a feed was silent passes now: nothing else would look at it again. */
async function renewVerdicts(ports: Ports): Promise<void> {
  const grant = await authorize(ports, follower, 'instance:operate', '')
  const event = { type: 'policy', fields: { op: 'renew' } } as const
  await ports.store.commit(grant, event, async tx => {
    const at = ports.clock()
    const policy = (await tx.policy.current()) ?? defaultPolicy
    await tx.policy.setPolicy(nextPolicy(policy, policy.rules, at), at)
  })
}

/** What would close what has long been used here is kept for a person, once for each text of it. */
async function openBreaker(ports: Ports): Promise<SetAside> {
  const used = await listUsed(ports)
  return async records => {
    const known = await ports.store.advisories.listWaiting(records.map(each => each.record.id))
    const textOf = new Map(known.map(each => [each.id, each.text]))
    const isKnown = ({ record }: ReadRecord) => textOf.get(record.id) === record.text
    const fresh = records.filter(each => !isKnown(each))
    const surprising = await findSurprising(ports, used, fresh)
    for (const each of fresh) {
      const why = surprising.get(each.record.id)
      if (why !== undefined) await keepWaiting(ports, each, why)
    }
    return new Set([...surprising.keys(), ...records.filter(isKnown).map(each => each.record.id)])
  }
}

async function* readSource(
  source: AdvisorySource,
  after: number,
  tell: (position: number) => void,
): AsyncGenerator<OsvFound> {
  for await (const part of source.read(after)) {
    yield* readPart(part)
    tell(part.position)
  }
}

async function* readPart({ from, form, pieces }: AdvisoryPart): AsyncGenerator<OsvFound> {
  if (form === 'zip') yield* readOsvZip(from, pieces)
  else if (form === 'lines') yield* readOsvLines(from, pieces)
  else yield* parseOsvText(from, await readWhole(pieces))
}

async function readWhole(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const kept: Uint8Array[] = []
  let size = 0
  for await (const piece of pieces) {
    size += piece.length
    // One byte more than is read, so that whoever parses it says that it is too large.
    if (size <= maxRecordBytes + 1) kept.push(piece)
  }
  return Buffer.concat(kept)
}

/** What went wrong is shown beside how old the feed is. */
async function noteFault(ports: Ports, { name }: AdvisorySource, fault: string): Promise<void> {
  const known = (await ports.store.advisories.listFeeds()).find(each => each.name === name)
  const empty = { name, takenAt: 0, changedAt: 0, records: 0, faults: 0 }
  await ports.store.advisories.noteFeed({ ...(known ?? empty), fault: fault.slice(0, 500) })
}

/** Once for each silence: the case stays open until a person has seen to it. */
async function tellSilence(ports: Ports, { name, label }: AdvisorySource, feed: Feed): Promise<void> {
  const title = `The advisories of ${name} have not been read for more than a day`
  const grant = await authorize(ports, follower, 'version:contain', '')
  await ports.store.commit(grant, [], async tx => {
    await tx.incident.holdCases()
    if ((await tx.incident.findOpenCase('feed-silent', title)) !== undefined) return
    const words = `${label} was last read at ${new Date(feed.takenAt).toISOString()}${feed.fault === '' ? '' : `: ${feed.fault}`}`
    const draft = { kind: 'feed-silent', title, severity: 'high', subjects: [], words } as const
    const { id } = await openCase(tx, follower.id, ports.clock(), draft)
    await tellOfCase(tx, ports, title, id, [
      `${words}.`,
      '',
      'What became known since is not known here. Until the feed speaks again, versions that are still waiting for their age go on waiting.',
    ])
  })
}
