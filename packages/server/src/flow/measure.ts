// SPDX-License-Identifier: Apache-2.0
/** What people close when something goes wrong, for how long, and who opens it again. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type PackageName, problem, type ReasonCode, reasonCodes } from '@holdfast/core'
import { amend } from '../catalog/index.ts'
import { type Actor, actorId, authorize, type Grant, randomId } from '../identity/index.ts'
import {
  type ClosedVersion,
  type MeasureVersion,
  measureLifeMs,
  parseFreezeSubject,
  parseVersionQuery,
  type TakenMeasure,
  type VersionQuery,
} from '../incident/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { provePresence } from './presence.ts'

const perCommit = 500
const namesShown = 100
const fewVersions = 10
const maxWords = 2000
const measuresShown = 200

/** What somebody wants closed. */
export interface Draft {
  readonly what:
    | { readonly kind: 'freeze'; readonly subject: string }
    | { readonly kind: 'quarantine'; readonly query: VersionQuery }
  readonly reason: ReasonCode
  readonly words: string
  readonly incident: string
  /** Typed by whoever means everything. */
  readonly confirm: string
}

/** What a draft would close. */
export interface Preview {
  readonly count: number
  /** The first of them. */
  readonly versions: readonly MeasureVersion[]
  /** Must be typed to confirm; empty where nothing need be. */
  readonly word: string
}

/** Makes a draft of what came by a form, the API or the command line. Throws `measure-invalid`. */
export function parseDraft(text: Readonly<Record<string, string | undefined>>): Draft {
  const { kind, subject, reason = '', words = '', incident = '', confirm = '' } = text
  const rest = {
    reason: parseReason(reason),
    words: words.slice(0, maxWords),
    incident: incident.slice(0, 64),
    confirm,
  }
  if (kind === 'freeze') return { what: { kind, subject: parseFreezeSubject(subject ?? '') }, ...rest }
  if (kind === 'quarantine') return { what: { kind, query: parseVersionQuery(text) }, ...rest }
  throw problem('measure-invalid', { why: 'it is a freeze or a quarantine' })
}

/** What a draft would close, without closing it. */
export async function previewMeasure(ports: Ports, actor: Actor, draft: Draft): Promise<Preview> {
  await authorize(ports, actor, 'measure:take', '')
  return preview(ports, await named(ports, draft))
}

/**
 * Closes it at once, for four hours, or until a second person confirms. Versions are closed in many commits: those that match
 * and are published meanwhile are closed too. Throws `measure-unconfirmed` where a word must be typed.
 */
export async function contain(
  ports: Ports,
  actor: Actor,
  draft: Draft,
): Promise<TakenMeasure & { count: number }> {
  const grant = await authorize(ports, actor, 'measure:take', '')
  await provePresence(ports, grant)
  const meant = await named(ports, draft)
  const { count, word } = await preview(ports, meant)
  if (word !== '' && meant.confirm !== word) throw problem('measure-unconfirmed', { count, word })
  if (meant.what.kind === 'quarantine' && count === 0)
    throw problem('measure-invalid', { why: 'no version matches' })
  const measure = makeMeasure(ports, actor, meant, ports.clock() + measureLifeMs)
  await ports.store.commit(grant, eventsOf(measure, 'take'), tx => tx.measures.add(measure))
  const closed = meant.what.kind === 'quarantine' ? await close(ports, grant, measure, meant.what.query) : 0
  return { ...measure, count: closed }
}

/** Whoever maintains a package closes it for writes, also against an owner: it stays so until they or responders open it. */
export async function freezeOwn(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  words: string,
): Promise<TakenMeasure> {
  const grant = await authorize(ports, actor, 'package:freeze', name)
  await provePresence(ports, grant)
  const what = { kind: 'freeze', subject: `package:${name}` } as const
  const draft = {
    what,
    reason: 'request',
    words: words.slice(0, maxWords),
    incident: '',
    confirm: '',
  } as const
  const measure = makeMeasure(ports, actor, draft, null)
  await ports.store.commit(grant, eventsOf(measure, 'take'), tx => tx.measures.add(measure))
  return measure
}

/** A second person says that it shall stay. Throws `measure-needs-second`, `measure-ended`. */
export async function confirmMeasure(ports: Ports, actor: Actor, id: string): Promise<void> {
  const grant = await authorize(ports, actor, 'measure:take', '')
  await provePresence(ports, grant)
  const measure = await getMeasure(ports, id)
  const by = actorId(actor)
  if (measure.actor === by) throw problem('measure-needs-second', { why: 'you took this measure yourself' })
  await ports.store.commit(grant, record(measure, 'confirm'), async tx => {
    if (measure.lapsesAt === null || !(await tx.measures.confirm(id, by))) throw problem('measure-ended')
  })
}

/**
 * Opens again what a measure closed and no other does. Two people say so, but for what its maker takes back before anybody
 * confirmed it. Throws `measure-needs-second`, `measure-ended`.
 */
export async function undoMeasure(ports: Ports, actor: Actor, id: string): Promise<'asked' | 'undone'> {
  const measure = await getMeasure(ports, id)
  const by = actorId(actor)
  const own = isOwners(measure) && measure.actor === by ? measure.subject.slice('package:'.length) : undefined
  const grant = await authorize(
    ports,
    actor,
    own === undefined ? 'measure:take' : 'package:freeze',
    own ?? '',
  )
  await provePresence(ports, grant)
  if (measure.undoneAt !== null) throw problem('measure-ended')
  if (!(await mayUndoAlone(ports, measure, by))) {
    if (measure.undoAskedBy === by)
      throw problem('measure-needs-second', { why: 'you asked for its end already' })
    if (measure.undoAskedBy === '') {
      await ports.store.commit(grant, record(measure, 'ask-undo'), async tx => {
        if (!(await tx.measures.askUndo(id, by))) throw problem('measure-ended')
      })
      return 'asked'
    }
  }
  await open(ports, grant, measure)
  return 'undone'
}

/** All of them, newest first, those that hold before those that ended; of accounts their names. */
export async function listMeasures(ports: Ports, actor: Actor): Promise<readonly TakenMeasure[]> {
  await authorize(ports, actor, 'incident:read', '')
  const measures = await ports.store.measures.list(measuresShown)
  return Promise.all(measures.map(each => withNames(ports, each)))
}

/** What of this registry is switched off now, for everybody to see. */
export async function readSwitches(ports: Pick<Ports, 'store' | 'clock'>): Promise<readonly TakenMeasure[]> {
  const now = ports.clock()
  return (await ports.store.measures.list(measuresShown)).filter(
    ({ kind, subject, undoneAt, lapsesAt }) =>
      kind === 'freeze' &&
      undoneAt === null &&
      (lapsesAt === null || lapsesAt > now) &&
      /^(registry|publishing|sign-up|proxying|origin:|issuer:)/.test(subject),
  )
}

/** Ends what one person closed and nobody confirmed in time. */
export async function lapseMeasures(ports: Ports): Promise<void> {
  const system: Actor = { kind: 'system', id: 'measures' }
  const grant = await authorize(ports, system, 'measure:lapse', '')
  for (const each of await ports.store.measures.listLapsed(ports.clock(), 100)) await open(ports, grant, each)
}

/** Ends what holds of these, as when its time is over. */
export async function endMeasures(ports: Ports, isMeant: (measure: TakenMeasure) => boolean): Promise<void> {
  const grant = await authorize(ports, { kind: 'system', id: 'measures' }, 'measure:lapse', '')
  for (const each of await ports.store.measures.list(measuresShown))
    if (each.undoneAt === null && isMeant(each)) await open(ports, grant, each)
}

async function preview({ store }: Ports, { what }: Draft): Promise<Preview> {
  if (what.kind === 'freeze')
    return { count: 0, versions: [], word: what.subject === 'registry' ? 'registry' : '' }
  const [count, all] = [await store.measures.countMatches(what.query), await store.measures.countMatches({})]
  const isAll = Object.keys(what.query).length === 0 || (count === all && count > fewVersions)
  return {
    count,
    versions: await store.measures.match(what.query, namesShown),
    word: isAll ? 'everything' : '',
  }
}

/** Accounts by their ids: a login may change hands, and a record must not name people. */
async function named({ store }: Ports, draft: Draft): Promise<Draft> {
  const { what } = draft
  const idOf = async (login: string) => (await store.identity.findAccountByLogin(login))?.id
  if (what.kind === 'quarantine') {
    if (what.query.publisher === undefined) return draft
    const publisher = (await idOf(what.query.publisher)) ?? what.query.publisher
    return { ...draft, what: { ...what, query: { ...what.query, publisher } } }
  }
  if (!what.subject.startsWith('account:')) return draft
  const login = what.subject.slice('account:'.length)
  const id = await idOf(login)
  if (id === undefined) throw problem('user-not-found', { user: login })
  return { ...draft, what: { ...what, subject: `account:${id}` } }
}

async function withNames({ store }: Ports, measure: TakenMeasure): Promise<TakenMeasure> {
  const nameOf = async (id: string) => (await store.identity.findAccount(id))?.login ?? id
  const { subject, actor, confirmedBy, undoAskedBy, undoneBy } = measure
  const id = subject.startsWith('account:') ? subject.slice('account:'.length) : undefined
  return {
    ...measure,
    subject: id === undefined ? subject : `account:${await nameOf(id)}`,
    actor: await nameOf(actor),
    confirmedBy: await nameOf(confirmedBy),
    undoAskedBy: await nameOf(undoAskedBy),
    undoneBy: await nameOf(undoneBy),
  }
}

function makeMeasure(
  ports: Ports,
  actor: Actor,
  { what, reason, words, incident }: Draft,
  lapsesAt: number | null,
): TakenMeasure {
  return {
    id: randomId('measure-'),
    kind: what.kind,
    subject: what.kind === 'freeze' ? what.subject : JSON.stringify(what.query),
    reason,
    words,
    actor: actorId(actor),
    incident,
    madeAt: ports.clock(),
    lapsesAt,
    confirmedBy: '',
    undoAskedBy: '',
    undoneBy: '',
    undoneAt: null,
  }
}

/** Everybody sees in the log that something was frozen; what it was, where it is no package, only those who run this. */
function eventsOf(measure: TakenMeasure, op: 'take' | 'end'): readonly NewEvent[] {
  const kept = record(measure, op)
  if (measure.kind === 'quarantine') return [kept]
  const pkg = measure.subject.startsWith('package:') ? measure.subject.slice('package:'.length) : undefined
  const fields = { op: op === 'take' ? 'freeze' : 'thaw', reason: measure.reason }
  return [{ type: 'freeze', ...(pkg === undefined ? {} : { pkg: pkg as PackageName }), fields }, kept]
}

function record({ id, kind, subject, reason, words, incident }: TakenMeasure, op: string): NewEvent {
  return { type: 'measure', detail: { op, measure: id, kind, subject, reason, words, case: incident } }
}

async function close(
  ports: Ports,
  grant: Grant,
  measure: TakenMeasure,
  query: VersionQuery,
): Promise<number> {
  let count = 0
  for (;;) {
    const found = await ports.store.measures.match(query, perCommit, measure.id)
    if (found.length === 0) return count
    await ports.store.commit(grant, [], tx => closeSome(ports, tx, measure, found))
    count += found.length
    // Others are served between two commits.
    await nextTurn()
  }
}

async function closeSome(
  ports: Ports,
  tx: Tx,
  { reason, words, id }: TakenMeasure,
  found: readonly MeasureVersion[],
): Promise<void> {
  for (const [name, versions] of byPackage(found))
    await amend(tx.catalog, name, ports.clock(), async () => {
      const closed = await withStatus(tx, name, versions)
      await tx.measures.addVersions(id, closed)
      const shut = closed.filter(isOpen).map(each => each.version)
      await tx.catalog.setStatus(name, shut, 'quarantined', words || reason, ports.clock())
      for (const ver of shut)
        tx.record({
          type: 'quarantine',
          pkg: name,
          ver,
          fields: { reason },
          detail: { words, measure: id },
        })
    })
}

/** As they are now that nobody else changes the package; what is not yet in the log counts as open. */
async function withStatus(
  tx: Tx,
  name: PackageName,
  versions: readonly MeasureVersion[],
): Promise<readonly ClosedVersion[]> {
  const facts = new Map((await tx.catalog.listKeptFacts(name)).map(each => [each.version, each.status]))
  // Also what is gone by now is listed, so that nothing is looked at twice.
  return versions.map(({ version }) => {
    const was = facts.get(version) ?? 'removed'
    return { name, version, was: was === 'pending' ? 'live' : was }
  })
}

/** A crash in between leaves some open, and the measure in force for the rest: the next try goes on. */
async function open(ports: Ports, grant: Grant, measure: TakenMeasure): Promise<void> {
  for (;;) {
    const closed = await ports.store.measures.listVersions(measure.id, perCommit)
    if (closed.length === 0) break
    await ports.store.commit(grant, [], tx => openSome(ports, tx, measure, closed))
    await nextTurn()
  }
  await ports.store.commit(grant, eventsOf(measure, 'end'), async tx => {
    if (!(await tx.measures.end(measure.id, actorId(grant.actor), ports.clock())))
      throw problem('measure-ended')
  })
}

async function openSome(
  ports: Ports,
  tx: Tx,
  { id, reason }: TakenMeasure,
  closed: readonly ClosedVersion[],
): Promise<void> {
  for (const [name, versions] of byPackage(closed))
    await amend(tx.catalog, name, ports.clock(), async () => {
      const now = new Map((await withStatus(tx, name, versions)).map(each => [each.version, each.was]))
      const names = versions.map(each => each.version)
      await tx.measures.dropVersions(id, name, names)
      const shut = versions.filter(each => now.get(each.version) === 'quarantined' && isOpen(each))
      const kept = await tx.measures.passOn(id, name, shut)
      const opened = shut.filter(each => !kept.has(each.version))
      for (const [was, some] of Map.groupBy(opened, each => each.was)) {
        const numbers = some.map(each => each.version)
        await tx.catalog.setStatus(name, numbers, was, '', ports.clock())
      }
      for (const { version, was } of opened) {
        const about = { pkg: name, ver: version, fields: { reason }, detail: { measure: id } }
        tx.record({ type: 'release', ...about })
        if (was === 'yanked') tx.record({ type: 'yank', ...about })
      }
    })
}

/** Whether a measure changed what it was, and its end gives that back. */
function isOpen({ was }: ClosedVersion): boolean {
  return was === 'live' || was === 'yanked'
}

function byPackage<T extends MeasureVersion>(versions: readonly T[]): ReadonlyMap<PackageName, readonly T[]> {
  return Map.groupBy(versions, each => each.name)
}

async function mayUndoAlone(ports: Ports, measure: TakenMeasure, by: string): Promise<boolean> {
  if (isOwners(measure)) return true
  if (measure.actor === by && measure.confirmedBy === '') return true
  const staff = await ports.store.identity.listStaff()
  return by === 'operator' && !staff.some(each => each.roles.includes('responder'))
}

/** What a maintainer froze: it lapses not, and nobody need confirm it. */
function isOwners({ kind, lapsesAt, confirmedBy }: TakenMeasure): boolean {
  return kind === 'freeze' && lapsesAt === null && confirmedBy === ''
}

async function getMeasure({ store }: Ports, id: string): Promise<TakenMeasure> {
  const found = await store.measures.find(id)
  if (found === undefined) throw problem('measure-not-found')
  return found
}

/** One of the reasons that may stand in the log. Throws `measure-invalid`. */
export function parseReason(code: string): ReasonCode {
  const found = reasonCodes.find(each => each === code)
  if (found === undefined)
    throw problem('measure-invalid', { why: `the reason is one of ${reasonCodes.join(', ')}` })
  return found
}
