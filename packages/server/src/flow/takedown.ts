// SPDX-License-Identifier: Apache-2.0
/** What an upstream withdrew is contained here, told, and kept as evidence, without a person. */
import { type PackageName, problem, type Version } from '@holdfast/core'
import type { Ingested, OriginName, UpstreamMeasure, UpstreamVersion } from '../catalog/index.ts'
import { authorize } from '../identity/index.ts'
import {
  findReturned,
  findWithdrawals,
  gravest,
  type Told,
  type Withdrawal,
  type WithdrawalKind,
  withdrawalTable,
} from '../incident/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { closedAt, openCase, tellOfCase } from './case.ts'
import { changedEvent } from './upstream-fault.ts'

/** What it takes to contain: a store, and where the pages are. */
export type Containing = Pick<Ports, 'store' | 'config' | 'clock'>

/** What an upstream said of a package, and says now. */
export interface Change {
  readonly name: PackageName
  readonly origin: OriginName
  readonly before: Told
  readonly after: Told
  /** Versions that it lists and that are not believed. */
  readonly leftOut: readonly string[]
}

const dayMs = 24 * 3600_000
const reconciler = { kind: 'system', id: 'reconcile' } as const
/**
 * Packages a day that may be contained because something is absent. A broken upstream, or one put back from an old
 * backup, lacks much at once; nobody's build shall stand still for that. What is said in so many words has no bound.
 */
const absencesADay: Readonly<Partial<Record<WithdrawalKind, number>>> = { gone: 20, removed: 200 }
const fetchesCountedMs = 90 * dayMs
/** Of an upstream that is not believed only so many packages are named: more would drown who is to look. */
const doubtedNamed = 50

/**
 * Contains what the upstream withdrew between two readings, and lets go what it offers again. Call it before the newer reading is
 * kept, which moves the revision: a crash between finds the same again; and once more after it, for what came in meanwhile. What
 * is contained already is told once. Throws as `containWithdrawn` does.
 */
export async function followUpstream(ports: Containing, change: Change): Promise<void> {
  const ingested = await ports.store.mirrors.listIngested(change.name)
  if (ingested.length === 0) return
  await letReturn(ports, change, ingested)
  await containWithdrawn(ports, change, ingested)
}

/**
 * Contains what came in while its upstream withdrew it: whoever read that could not know of these bytes. Call it once they are
 * recorded: either this sees the newer reading, or who kept that sees the bytes.
 */
export async function followArrival(
  ports: Containing,
  { name, origin, version: told }: Pick<Change, 'name' | 'origin'> & { readonly version: UpstreamVersion },
): Promise<void> {
  const after = await ports.store.mirrors.find(name)
  if (after?.origin !== origin) return
  const now = after.versions.find(each => each.version === told.version)
  if (!after.isGone && now?.digest === told.digest && now?.deprecated === told.deprecated) return
  const others = after.versions.filter(each => each !== now)
  const before = { ...after, isGone: false, versions: [...others, told] }
  const leftOut = after.leftOut.map(each => each.version)
  await followUpstream(ports, { name, origin, before, after, leftOut })
}

/**
 * An upstream that was broken, or that changed its mind: what was contained here for its absence alone is let go when the same
 * bytes are back. Not where a person closed the case, or decided about the version: that stands.
 */
async function letReturn(
  ports: Containing,
  { name, before, after }: Change,
  ingested: readonly Ingested[],
): Promise<void> {
  const back = findReturned(before, after, ingested)
  if (back.length === 0) return
  const events = await ports.store.events.ofPackage(name)
  const absent = back.filter(version => {
    const last = events.findLast(
      each => each.ver === version && (each.type === 'quarantine' || each.type === 'release'),
    )
    const how = last?.detail['how'] as WithdrawalKind | undefined
    return last?.actorId === reconciler.id && how !== undefined && withdrawalTable[how].isAbsence
  })
  if (absent.length === 0) return
  const grant = await authorize(ports, reconciler, 'version:contain', name)
  const words = 'the upstream offers the same bytes again'
  await ports.store.commit(grant, [], async tx => {
    await tx.incident.holdCases()
    const id = await tx.incident.findOpenCaseAbout(name)
    if (id === undefined) return
    for (const ver of absent) {
      await tx.upstream.setMeasure(name, ver, undefined)
      tx.record({ type: 'release', pkg: name, ver, fields: { reason: 'other' }, detail: { words } })
    }
    await tx.incident.addCaseNote(id, {
      at: ports.clock(),
      by: reconciler.id,
      words: `${absent.join(', ')}: ${words}`,
    })
  })
}

function takedownTitle(name: PackageName): string {
  return `${name} was withdrawn upstream`
}

/**
 * Quarantines what the upstream withdrew between two readings, opens a case and writes to those who respond. Throws
 * `upstream-failed` when too much is absent at once, with a case that asks a person; nothing is contained then.
 */
async function containWithdrawn(
  ports: Containing,
  change: Change,
  ingested: readonly Ingested[],
): Promise<void> {
  const { name, origin, before, after, leftOut } = change
  // Whoever quarantined a version before said why; that stands.
  const open = findOpen(ingested, await ports.store.mirrors.listMeasures(name))
  const withdrawals = findWithdrawals(before, after, open, leftOut, ports.clock())
  if (withdrawals.length === 0) return
  const grant = await authorize(ports, reconciler, 'version:contain', name)
  const doubted = await findDoubted(ports, origin, withdrawals)
  if (doubted !== undefined) {
    await ports.store.commit(grant, [], tx => askPerson(tx, ports, change, doubted))
    throw problem('upstream-failed', { origin, why: `it lists ${name} no longer, and too many others` })
  }
  const fetches = await countFetches(ports, name, withdrawals)
  await ports.store.commit(grant, [], async tx => {
    await tx.incident.holdCases()
    // Another process may have read the same a moment ago, and told it.
    const fresh = findOpen(withdrawals, await tx.upstream.listMeasures(name))
    if (fresh.length === 0) return
    for (const each of fresh) {
      const held = ingested.find(({ version }) => version === each.version)
      const { digest } = after.versions.find(({ version }) => version === each.version) ?? {}
      if (each.how === 'changed' && held !== undefined) tx.record(changedEvent(held, origin, digest))
      await contain(tx, ports, name, each)
    }
    const title = takedownTitle(name)
    const words = wordsOf(fresh, fetches)
    const subjects = fresh.map(each => ({ package: name, version: each.version }))
    const draft = { kind: 'takedown', title, severity: gravest(fresh), subjects, words } as const
    const { id } = await openCase(tx, reconciler.id, ports.clock(), draft)
    await tellOfCase(tx, ports, title, id, [
      `${name}: ${words}.`,
      '',
      'These versions are quarantined here: nobody gets them any more, and their bytes are kept as evidence.',
    ])
  })
}

/** Those that are not quarantined yet. */
function findOpen<T extends { readonly version: Version }>(
  versions: readonly T[],
  measures: readonly UpstreamMeasure[],
): readonly T[] {
  const closed = new Set(measures.filter(each => each.status === 'quarantined').map(each => each.version))
  return versions.filter(each => !closed.has(each.version))
}

async function contain(tx: Tx, ports: Containing, pkg: PackageName, found: Withdrawal): Promise<void> {
  const { version: ver, how, words } = found
  const at = ports.clock()
  await tx.upstream.setMeasure(pkg, ver, {
    package: pkg,
    version: ver,
    status: 'quarantined',
    reason: words,
    at,
  })
  tx.record({
    type: 'quarantine',
    pkg,
    ver,
    fields: { reason: withdrawalTable[how].reason },
    detail: { words, how },
  })
}

/** Too much of one kind of absence, if there is: since a person last said that it is true, a day at most. */
async function findDoubted(
  { store, clock }: Containing,
  origin: OriginName,
  withdrawals: readonly Withdrawal[],
): Promise<WithdrawalKind | undefined> {
  const [how] = withdrawals.map(each => each.how).filter(each => withdrawalTable[each].isAbsence)
  const bound = how && absencesADay[how]
  if (bound === undefined) return undefined
  const since = Math.max(clock() - dayMs, await closedAt(store, doubtTitle(origin)))
  const query = { type: 'quarantine', actorId: reconciler.id, since } as const
  const events = await store.events.search(query, Number.MAX_SAFE_INTEGER, 5000)
  const packages = new Set(events.filter(event => event.detail['how'] === how).map(event => event.pkg))
  return packages.size >= bound ? how : undefined
}

function doubtTitle(origin: OriginName): string {
  return `the upstream ${origin} withdraws more than can be true`
}

async function askPerson(tx: Tx, ports: Containing, change: Change, how: WithdrawalKind): Promise<void> {
  await tx.incident.holdCases()
  const title = doubtTitle(change.origin)
  const known = await tx.incident.findOpenCase('upstream-fault', title)
  const subject = { package: change.name, version: '' } as const
  const found = known === undefined ? undefined : await tx.incident.findCase(known)
  const named = found?.subjects ?? []
  if (named.length >= doubtedNamed || named.some(each => each.package === change.name)) return
  const words = `more than ${absencesADay[how]} packages in a day are ${how}; what was kept goes on, and nothing more is taken for withdrawn until this case is closed`
  const { id } = await openCase(tx, reconciler.id, ports.clock(), {
    kind: 'upstream-fault',
    title,
    severity: 'high',
    subjects: [subject],
    words: known === undefined ? words : `${change.name} is ${how} too`,
  })
  if (known === undefined)
    await tellOfCase(tx, ports, title, id, [`${title}: ${words}.`, '', 'Close the case when it is true.'])
}

async function countFetches(
  { store, clock }: Containing,
  name: PackageName,
  withdrawals: readonly Withdrawal[],
): Promise<number> {
  const counts = withdrawals.map(each =>
    store.downloads.count(name, each.version, clock() - fetchesCountedMs),
  )
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}

/** `1.1.0, 1.2.0: the upstream removed it …; fetched 12 times here`. */
function wordsOf(withdrawals: readonly Withdrawal[], fetches: number): string {
  const groups = Map.groupBy(withdrawals, each => each.words)
  const said = [...groups].map(
    ([words, each]) => `${each.map(({ version }) => version).join(', ')}: ${words}`,
  )
  return `${said.join('; ')}; fetched ${fetches} times here`
}
