// SPDX-License-Identifier: Apache-2.0
/** How a measure closes the versions it names, and opens them again: some in a commit, so that others are served between. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type PackageName, problem, type ReasonCode } from '@holdfast/core'
import { amend } from '../catalog/index.ts'
import { actorId, type Grant } from '../identity/index.ts'
import type { ClosedVersion, MeasureVersion, TakenMeasure, VersionQuery } from '../incident/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { holdEvent } from './screening.ts'
import { isOfHosted, matchUpstream } from './version-match.ts'

const perCommit = 500
/** A commit takes no longer: whoever closed was stopped. */
const stalledMs = 60_000

/** What a measure closes; undefined where it names no versions. */
export function queryOf({ kind, subject }: Pick<TakenMeasure, 'kind' | 'subject'>): VersionQuery | undefined {
  if (kind === 'quarantine') return JSON.parse(subject) as VersionQuery
  // Of upstreams' versions the gate looks at the bytes themselves.
  if (subject.startsWith('hash:'))
    return { origin: 'hosted', digest: subject.slice('hash:'.length) as NonNullable<VersionQuery['digest']> }
  return undefined
}

/**
 * Closes what a measure names and is not closed by it; those that match and come meanwhile too. A crash leaves some open, and the
 * measure unfinished: `finishClosing` goes on. Gives how many it closed.
 */
export async function close(ports: Ports, grant: Grant, measure: TakenMeasure): Promise<number> {
  const query = queryOf(measure)
  const count = query === undefined ? 0 : await closeAll(ports, grant, measure, query)
  await ports.store.commit(grant, [], tx => tx.measures.finish(measure.id, ports.clock()))
  return count
}

async function closeAll(
  ports: Ports,
  grant: Grant,
  measure: TakenMeasure,
  query: VersionQuery,
): Promise<number> {
  let count = 0
  for await (const found of listOpen(ports, measure.id, query)) {
    const isUnderWay = await ports.store.commit(grant, [], async tx => {
      // Whoever ends it says first that nothing more is closed.
      if ((await tx.measures.hold(measure.id))?.finishedAt !== null) return false
      await closeSome(ports, tx, measure, found)
      return true
    })
    if (!isUnderWay) break
    count += found.length
    await nextTurn()
  }
  return count
}

/** What a measure is to close, so many at a time as one commit closes. */
async function* listOpen(
  ports: Ports,
  measure: string,
  query: VersionQuery,
): AsyncGenerator<readonly MeasureVersion[]> {
  while (isOfHosted(query)) {
    const found = await ports.store.measures.match(query, perCommit, measure)
    if (found.length === 0) break
    yield found
  }
  let waiting: MeasureVersion[] = []
  for await (const found of matchUpstream(ports, query)) {
    waiting.push(...found)
    if (waiting.length < perCommit) continue
    yield waiting
    waiting = []
  }
  if (waiting.length > 0) yield waiting
}

async function closeSome(
  ports: Pick<Ports, 'clock'>,
  tx: Tx,
  measure: TakenMeasure,
  found: readonly MeasureVersion[],
): Promise<void> {
  const { id, reason, words, incident } = measure
  if (incident !== '')
    await tx.incident.addCaseSubjects(
      incident,
      found.map(({ name, version }) => ({ package: name, version })),
    )
  for (const [name, versions] of byPackage(found))
    await changing(ports, tx, name, async place => {
      const closed = await place.look(versions)
      await tx.measures.addVersions(id, closed)
      const shut = closed.filter(isOpen)
      await place.close(shut, words || reason)
      for (const { version: ver } of shut)
        tx.record({
          type: 'quarantine',
          pkg: name,
          ver,
          fields: { reason },
          detail: { words, measure: id },
        })
    })
}

/** Closes one version by a measure that holds, inside the commit that lets it in as evidence: its end opens it. */
export async function closeUnder(
  tx: Tx,
  ports: Pick<Ports, 'clock'>,
  id: string,
  version: MeasureVersion,
): Promise<void> {
  const measure = await tx.measures.hold(id)
  if (measure !== undefined) await closeSome(ports, tx, measure, [version])
}

/**
 * Opens what a measure closed and no other does, and ends it with these events; throws `measure-ended` where it has. A crash leaves
 * some closed, and the measure in force for them: the next try goes on.
 */
export async function open(
  ports: Ports,
  grant: Grant,
  measure: TakenMeasure,
  events: readonly NewEvent[],
): Promise<void> {
  const { id } = measure
  await ports.store.commit(grant, [], tx => tx.measures.finish(id, ports.clock()))
  for (;;) {
    const closed = await ports.store.measures.listVersions(id, perCommit)
    if (closed.length === 0) break
    await ports.store.commit(grant, [], tx => openSome(ports, tx, measure, closed))
    await nextTurn()
  }
  await ports.store.commit(grant, events, async tx => {
    if (!(await tx.measures.end(id, actorId(grant.actor), ports.clock()))) throw problem('measure-ended')
    // What came in meanwhile and was closed under it.
    await openSome(ports, tx, measure, await tx.measures.listVersions(id, perCommit))
  })
}

async function openSome(
  ports: Ports,
  tx: Tx,
  { id, reason }: TakenMeasure,
  closed: readonly ClosedVersion[],
): Promise<void> {
  for (const [name, versions] of byPackage(closed))
    await changing(ports, tx, name, async place => {
      const now = new Map((await place.look(versions)).map(each => [each.version, each.was]))
      const names = versions.map(each => each.version)
      await tx.measures.dropVersions(id, name, names)
      const shut = versions.filter(each => now.get(each.version) === 'quarantined' && isOpen(each))
      const kept = await tx.measures.passOn(id, name, shut)
      const holds = new Map((await tx.screening.list(name)).map(each => [each.version, each.hold]))
      const opened = shut
        // What was held, and somebody found to be malware meanwhile, stays closed; what they let go is open.
        .filter(each => !kept.has(each.version) && holds.get(each.version) !== 'confirmed')
        .map(each =>
          each.was === 'held' && holds.get(each.version) === 'released'
            ? { ...each, was: place.free, why: '' }
            : each,
        )
      await place.open(opened)
      for (const each of opened) recordOpened(tx, id, reason, each)
    })
}

function recordOpened(
  tx: Tx,
  measure: string,
  reason: ReasonCode,
  { name: pkg, version: ver, was, why }: ClosedVersion,
): void {
  const about = { pkg, ver, fields: { reason }, detail: { measure } }
  tx.record({ type: 'release', ...about })
  if (was === 'yanked') tx.record({ type: 'yank', ...about })
  if (was === 'held') tx.record(holdEvent(pkg, ver, why))
}

/** Where a package's versions keep what was decided about them. */
interface Place {
  /** What one is that nothing closes. */
  readonly free: 'live' | 'none'
  /** As they are now that nobody else changes the package; also what is gone, so that nothing is looked at twice. */
  look(versions: readonly MeasureVersion[]): Promise<readonly ClosedVersion[]>
  close(versions: readonly ClosedVersion[], why: string): Promise<void>
  open(versions: readonly ClosedVersion[]): Promise<void>
}

async function changing(
  ports: Pick<Ports, 'clock'>,
  tx: Tx,
  name: PackageName,
  work: (place: Place) => Promise<void>,
): Promise<void> {
  const at = ports.clock()
  if ((await tx.catalog.findPackage(name)) !== undefined)
    return amend(tx.catalog, name, at, () => work(hostedPlace(tx, name, at)))
  // Moves its revision first, which makes others who change the same package wait.
  await tx.upstream.touchMirror(name)
  await work(mirrorPlace(tx, name, at))
}

function hostedPlace(tx: Tx, name: PackageName, at: number): Place {
  return {
    free: 'live',
    async look(versions) {
      const facts = new Map((await tx.catalog.listKeptFacts(name)).map(each => [each.version, each]))
      return versions.map(({ version }) => {
        const { status = 'removed', reason = '' } = facts.get(version) ?? {}
        // What is not yet in the log counts as open.
        return { name, version, was: status === 'pending' ? 'live' : status, why: reason }
      })
    },
    async close(versions, why) {
      const numbers = versions.map(each => each.version)
      await tx.catalog.setStatus(name, numbers, 'quarantined', why, at)
    },
    async open(versions) {
      for (const alike of Map.groupBy(versions, each => `${each.was} ${each.why}`).values()) {
        const [{ was, why } = { was: 'none' as const, why: '' }] = alike
        const numbers = alike.map(each => each.version)
        if (was !== 'none') await tx.catalog.setStatus(name, numbers, was, why, at)
      }
    },
  }
}

function mirrorPlace(tx: Tx, name: PackageName, at: number): Place {
  return {
    free: 'none',
    async look(versions) {
      const measures = new Map((await tx.upstream.listMeasures(name)).map(each => [each.version, each]))
      return versions.map(({ version }) => {
        const { status = 'none', reason = '' } = measures.get(version) ?? {}
        return { name, version, was: status, why: reason }
      })
    },
    async close(versions, reason) {
      for (const { version } of versions)
        await tx.upstream.setMeasure(name, version, {
          ...{ package: name, version, reason, at },
          status: 'quarantined',
        })
    },
    async open(versions) {
      for (const { version, was, why } of versions) {
        const isDecided = was === 'live' || was === 'held'
        const before = { package: name, version, status: was as 'live' | 'held', reason: why, at }
        await tx.upstream.setMeasure(name, version, isDecided ? before : undefined)
      }
    },
  }
}

/** Whether a measure changed what it was, and its end gives that back. */
function isOpen({ was }: ClosedVersion): boolean {
  return was === 'live' || was === 'yanked' || was === 'held' || was === 'none'
}

function byPackage<T extends MeasureVersion>(versions: readonly T[]): ReadonlyMap<PackageName, readonly T[]> {
  return Map.groupBy(versions, each => each.name)
}

/** Goes on where a process that closed versions was stopped. */
export async function finishClosing(ports: Ports, grant: Grant): Promise<void> {
  for (const each of await ports.store.measures.listUnfinished(ports.clock() - stalledMs))
    await close(ports, grant, each)
}
