// SPDX-License-Identifier: Apache-2.0
/** What people close when something goes wrong, for how long, and who opens it again. */
import { type PackageName, problem, type ReasonCode, reasonCodes, scopeOf } from '@holdfast/core'
import { type Actor, actorId, authorize, randomId } from '../identity/index.ts'
import {
  type MeasureVersion,
  measureLifeMs,
  parseFreezeSubject,
  parseVersionQuery,
  type TakenMeasure,
  type VersionQuery,
  versionQueryKeys,
} from '../incident/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { mostIndicators } from './block.ts'
import { close, finishClosing, open, queryOf } from './closing.ts'
import { provePresence } from './presence.ts'
import { isOfHosted, matchUpstream } from './version-match.ts'

const namesShown = 100
/** Versions that are hosted, or packages of upstreams: fewer may be all there are without a word. */
const few = 10
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
  checkSaid(text)
  const { kind, subject, reason = '', words = '', incident = '', confirm = '' } = text
  const rest = {
    reason: parseReason(reason),
    words: words.slice(0, maxWords),
    incident: incident.slice(0, 64),
    confirm,
  }
  if (kind === 'freeze') return { what: { kind, subject: parseFreezeSubject(subject ?? '') }, ...rest }
  if (kind === 'block') return { what: { kind: 'freeze', subject: parseBlock(text) }, ...rest }
  return { what: { kind: 'quarantine', query: parseVersionQuery(text) }, ...rest }
}

const predicates: Readonly<Record<string, readonly string[]>> = {
  freeze: ['subject'],
  block: ['hash', 'indicator'],
  quarantine: versionQueryKeys,
}

/** What is not understood, or is empty, would close more than was meant. */
function checkSaid(text: Readonly<Record<string, string | undefined>>): void {
  const keys = predicates[text['kind'] ?? '']
  if (keys === undefined) throw problem('measure-invalid', { why: 'it is a freeze, a block or a quarantine' })
  checkKeys(text, keys, ['kind'])
}

/** Throws `measure-invalid` where something is said that no such measure knows, or a part of its predicate is empty. */
export function checkKeys(
  text: Readonly<Record<string, string | undefined>>,
  predicate: readonly string[],
  others: readonly string[],
): void {
  for (const [key, value] of Object.entries(text)) {
    if (predicate.includes(key)) {
      if (value === '') throw problem('measure-invalid', { why: `${key} is empty` })
    } else if (value !== undefined && ![...others, 'reason', 'words', 'incident', 'confirm'].includes(key))
      throw problem('measure-invalid', {
        why: `${key.slice(0, 40)} is none of ${predicate.join(', ')}`,
      })
  }
}

function parseBlock({ hash, indicator }: Readonly<Record<string, string | undefined>>): string {
  if (hash && indicator)
    throw problem('measure-invalid', { why: 'a block names a hash or an indicator, not both' })
  if (hash) return parseFreezeSubject(`hash:${hash}`)
  if (indicator) return parseFreezeSubject(`indicator:${indicator}`)
  throw problem('measure-invalid', { why: 'a block names a hash or an indicator' })
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
  await checkFewIndicators(ports, meant)
  const measure = { ...makeMeasure(ports, actor, meant, ports.clock() + measureLifeMs), wanted: count }
  await ports.store.commit(grant, eventsOf(measure, 'take'), tx => tx.measures.add(measure))
  return { ...measure, count: await close(ports, grant, measure) }
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
  const measure = { ...makeMeasure(ports, actor, draft, null), finishedAt: ports.clock() }
  await ports.store.commit(grant, eventsOf(measure, 'take'), tx => tx.measures.add(measure))
  return measure
}

/** What closes a package for writes, for those who maintain it. */
export interface OwnFreeze extends TakenMeasure {
  /** Whoever asks froze it as its maintainer, and opens it. */
  readonly isOwn: boolean
}

/** Freezes of the package, its scope, publishing or the registry that hold now; of accounts their names. */
export async function listFreezes(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<readonly OwnFreeze[]> {
  await authorize(ports, actor, 'package:freeze', name)
  const subjects = new Set([`package:${name}`, `scope:${scopeOf(name)}`, 'publishing', 'registry'])
  const now = ports.clock()
  const found = (await ports.store.measures.list(measuresShown)).filter(
    ({ kind, subject, undoneAt, lapsesAt }) =>
      kind === 'freeze' && subjects.has(subject) && undoneAt === null && (lapsesAt ?? now + 1) > now,
  )
  return Promise.all(
    found.map(async each => ({
      ...(await withNames(ports, each)),
      isOwn: isOwners(each) && each.actor === actorId(actor),
    })),
  )
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
  await open(ports, grant, measure, eventsOf(measure, 'end'))
  return 'undone'
}

/** A measure, and how many versions it holds closed now. */
export interface ListedMeasure extends TakenMeasure {
  readonly closed: number
}

/** All of them, newest first, those that hold before those that ended; of accounts their names. */
export async function listMeasures(ports: Ports, actor: Actor): Promise<readonly ListedMeasure[]> {
  await authorize(ports, actor, 'incident:read', '')
  const measures = await ports.store.measures.list(measuresShown)
  const closed = await ports.store.measures.countVersions(measures.map(each => each.id))
  return Promise.all(
    measures.map(async each => ({ ...(await withNames(ports, each)), closed: closed.get(each.id) ?? 0 })),
  )
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

/** Ends what one person closed and nobody confirmed in time, and finishes what a process that was stopped began to close. */
export async function lapseMeasures(ports: Ports): Promise<void> {
  const system: Actor = { kind: 'system', id: 'measures' }
  const grant = await authorize(ports, system, 'measure:lapse', '')
  for (const each of await ports.store.measures.listLapsed(ports.clock(), 100))
    await open(ports, grant, each, eventsOf(each, 'end'))
  await finishClosing(ports, grant)
}

/** Ends what holds of these, as when its time is over. */
export async function endMeasures(ports: Ports, isMeant: (measure: TakenMeasure) => boolean): Promise<void> {
  const grant = await authorize(ports, { kind: 'system', id: 'measures' }, 'measure:lapse', '')
  for (const each of await ports.store.measures.list(measuresShown))
    if (each.undoneAt === null && isMeant(each)) await open(ports, grant, each, eventsOf(each, 'end'))
}

async function checkFewIndicators({ store }: Ports, { what }: Draft): Promise<void> {
  if (what.kind !== 'freeze' || !what.subject.startsWith('indicator:')) return
  if ((await store.measures.listBlocks('indicator')).length >= mostIndicators)
    throw problem('measure-invalid', { why: `${mostIndicators} indicators are blocked already` })
}

async function preview(ports: Ports, { what }: Draft): Promise<Preview> {
  const query = queryOf(subjectOf(what))
  if (what.kind === 'freeze' && query === undefined)
    return { count: 0, versions: [], word: what.subject === 'registry' ? 'registry' : '' }
  return previewQuery(ports, query ?? {})
}

async function previewQuery(ports: Ports, query: VersionQuery): Promise<Preview> {
  const { measures, mirrors } = ports.store
  const hosted = isOfHosted(query) ? await measures.countMatches(query) : 0
  const versions = [...(hosted === 0 ? [] : await measures.match(query, namesShown))]
  let [count, packages] = [hosted, 0]
  for await (const found of matchUpstream(ports, query)) {
    versions.push(...found.slice(0, namesShown - versions.length))
    count += found.length
    packages += 1
  }
  const isMany = (part: number, all: number) => part === all && part > few
  const isAll =
    Object.keys(query).length === 0 ||
    isMany(hosted, await measures.countMatches({})) ||
    isMany(packages, await mirrors.count(''))
  return { count, versions, word: isAll ? 'everything' : '' }
}

/** Accounts by their ids: a login may change hands, and a record must not name people. Throws `measure-invalid` for a case that is none. */
async function named(ports: Ports, draft: Draft): Promise<Draft> {
  const { store } = ports
  const { what, incident } = draft
  if (incident !== '' && (await store.incident.findCase(incident)) === undefined)
    throw problem('measure-invalid', { why: 'there is no such case' })
  const idOf = async (login: string) => (await store.identity.findAccountByLogin(login))?.id
  if (what.kind === 'quarantine') {
    if (what.query.publisher === undefined || !isOfHosted(what.query)) return draft
    const publisher = (await idOf(what.query.publisher)) ?? what.query.publisher
    return { ...draft, what: { ...what, query: { ...what.query, publisher } } }
  }
  await checkThere(ports, what.subject)
  if (!what.subject.startsWith('account:')) return draft
  const login = what.subject.slice('account:'.length)
  const id = await idOf(login)
  if (id === undefined) throw problem('user-not-found', { user: login })
  return { ...draft, what: { ...what, subject: `account:${id}` } }
}

/** A freeze of what is misspelt closes nothing, and whoever took it believes that it does. Throws `measure-invalid`. */
async function checkThere({ store, config }: Ports, subject: string): Promise<void> {
  const [kind = ''] = subject.split(':', 1)
  const rest = subject.slice(kind.length + 1)
  const isThere = async () => {
    switch (kind) {
      case 'publisher': {
        const { identity } = store
        const found = (await identity.findPublisher(rest)) ?? (await identity.findRobot(rest))
        return (found ?? (await identity.findReader(rest))) !== undefined
      }
      case 'origin':
        return config.origins?.some(each => each.name === rest) === true
      case 'issuer':
        return config.ciIssuers.some(
          ({ provider, issuer }) =>
            rest === issuer || (provider === 'circleci' && rest.startsWith(`${issuer}/org/`)),
        )
      default:
        return true
    }
  }
  if (!(await isThere())) throw problem('measure-invalid', { why: `there is no such ${kind}` })
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
    ...subjectOf(what),
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
    wanted: 0,
    finishedAt: null,
  }
}

function subjectOf(what: Draft['what']): Pick<TakenMeasure, 'kind' | 'subject'> {
  const { kind } = what
  return { kind, subject: kind === 'freeze' ? what.subject : JSON.stringify(what.query) }
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
