// SPDX-License-Identifier: Apache-2.0
/** A case that people took on: its room, and what is done in it. Each act adds a line that nobody takes away. */
import { decodeLeaf, parsePackageName, parseVersion, problem } from '@holdfast/core'
import type { Severity } from '../catalog/index.ts'
import { type Actor, actorId, authorize, parseLogin } from '../identity/index.ts'
import {
  type CaseClock,
  type CaseSubject,
  type CaseSummary,
  clockOf,
  type IncidentCase,
  type IncidentRecord,
  type IncidentRole,
  type IncidentRoom,
  type IndicatorKind,
  type Report,
  type TimelineEntry,
} from '../incident/index.ts'
import type { StoredEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { loginsOf } from './audit.ts'
import { openCase } from './case.ts'
import { listPlaybooks } from './playbook.ts'

const wordsLength = 2000
const taskLength = 300
const indicatorLength = 500
const mostTasks = 200
const mostIndicators = 500
/** Beside what measures close for it. */
const mostSubjects = 1000
const packagesFollowed = 20
const eventsShown = 500
/** What happened shortly before a case was opened is often why. */
const beforeMs = 24 * 3600_000

/** All of an incident, with names of people in place of their ids. Throws `not-found`. */
export async function readIncident(ports: Ports, actor: Actor, id: string): Promise<IncidentRecord> {
  await authorize(ports, actor, 'incident:read', '')
  const found = await ports.store.incident.findCase(id)
  const room = await ports.store.incident.findRoom(id)
  if (found === undefined || room === undefined) throw problem('not-found')
  const reports = await ports.store.reports.ofCase(id)
  const events = await readEvents(ports, found)
  const names = await nameAll(ports, found, room, events)
  const name = (each: string) => names.get(each) ?? each
  const { subjects, timeline, ...about } = found
  return {
    format: 'holdfast-incident/1',
    ...about,
    openedBy: name(found.openedBy),
    lead: name(room.lead),
    takenAt: room.takenAt,
    revision: room.revision,
    subjects,
    roles: room.roles.map(each => ({ ...each, person: name(each.person) })),
    tasks: room.tasks.map(each => ({ ...each, doneBy: name(each.doneBy) })),
    indicators: room.indicators.map(each => ({ ...each, by: name(each.by) })),
    reports: reports.map(({ id: report, kind, state, madeAt }) => ({ id: report, kind, state, madeAt })),
    timeline: weave(timeline, events, reports).map(each => ({ ...each, by: name(each.by) })),
  }
}

/** A case in a list, with what is due next. */
export interface ListedIncident extends CaseSummary {
  /** User name; empty until somebody takes it on. */
  readonly lead: string
  readonly openReports: number
  readonly clock: CaseClock | undefined
}

/** Cases, those that are not closed first and of these what is due soonest. */
export async function listIncidents(
  ports: Ports,
  actor: Actor,
  limit: number,
): Promise<readonly ListedIncident[]> {
  await authorize(ports, actor, 'incident:read', '')
  const { incident } = ports.store
  const open = await incident.listOpenCases(limit)
  const closed = (await incident.listCases(Number.MAX_SAFE_INTEGER, limit)).filter(
    each => each.state === 'closed',
  )
  const reports = await ports.store.reports.countOpen()
  const leads = await incident.listLeads()
  const names = new Map<string, string>()
  for (const id of new Set(leads.values()))
    names.set(id, (await ports.store.identity.findAccount(id))?.login ?? id)
  const all = [...open, ...closed.slice(0, limit - open.length)].map(each => ({
    ...each,
    lead: names.get(leads.get(each.id) ?? '') ?? '',
    openReports: reports.get(each.id) ?? 0,
    clock: clockOf(each, ports.clock()),
  }))
  const dueOf = ({ clock, openedAt }: ListedIncident) => clock?.dueAt ?? Number.MAX_SAFE_INTEGER - openedAt
  return all.sort((one, other) => dueOf(one) - dueOf(other))
}

/** Events of the packages that a case is about, from a day before it was opened. */
async function readEvents(ports: Ports, found: IncidentCase): Promise<readonly StoredEvent[]> {
  const names = [...new Set(found.subjects.map(each => each.package))].slice(0, packagesFollowed)
  const all = await Promise.all(names.map(each => ports.store.events.ofPackage(each)))
  const since = found.openedAt - beforeMs
  return all
    .flat()
    .filter(each => each.at >= since && each.type !== 'case' && each.type !== 'report')
    .slice(-eventsShown)
}

/** Notes, events and reports in one order; of one moment notes come last, since they tell of the others. */
function weave(
  notes: IncidentCase['timeline'],
  events: readonly StoredEvent[],
  reports: readonly Report[],
): readonly TimelineEntry[] {
  const told = reports.map(({ madeAt, kind }) => ({
    at: madeAt,
    by: 'a reporter',
    kind: 'report' as const,
    words: `reported: ${kind}`,
  }))
  const happened = events.map(each => ({
    at: each.at,
    by: each.actorId || 'nobody',
    kind: 'event' as const,
    words: describeEvent(each),
  }))
  const noted = notes.map(each => ({ ...each, kind: 'note' as const }))
  return [...told, ...happened, ...noted].sort((one, other) => one.at - other.at)
}

function describeEvent({ type, pkg, ver, leaf }: StoredEvent): string {
  const fields = decodeLeaf(leaf ?? '{}')
  const more = ['reason', 'op', 'tag']
    .map(each => fields[each])
    .filter((each): each is string => typeof each === 'string')
  return [type, ver === null ? pkg : `${pkg}@${ver}`, ...more].join(' ')
}

async function nameAll(
  ports: Ports,
  found: IncidentCase,
  room: IncidentRoom,
  events: readonly StoredEvent[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map(await loginsOf(ports, events))
  const others = [
    found.openedBy,
    room.lead,
    ...room.roles.map(each => each.person),
    ...room.tasks.map(each => each.doneBy),
    ...room.indicators.map(each => each.by),
    ...found.timeline.map(each => each.by),
  ]
  for (const id of new Set(others.filter(each => each.startsWith('a_') && !names.has(each)))) {
    const account = await ports.store.identity.findAccount(id)
    if (account !== undefined) names.set(id, account.login)
  }
  return names
}

/** What a responder opens a case about. */
export interface OpenedCase {
  readonly title: string
  readonly severity: Severity
  readonly subject: CaseSubject | undefined
}

/**
 * Opens a case that a responder leads, or adds to the open one about the same package; gives its id. Throws `invalid-body`.
 */
export async function openByHand(
  ports: Ports,
  actor: Actor,
  { title, severity, subject }: OpenedCase,
): Promise<string> {
  const grant = await authorize(ports, actor, 'incident:work', '')
  const [at, by] = [ports.clock(), actorId(actor)]
  const said = textOf(title, taskLength, 'it does not say what happened')
  const subjects = subject === undefined ? [] : [subject]
  const draft = { kind: 'by-hand', title: said, severity, subjects, words: said } as const
  return ports.store.commit(grant, [], async tx => {
    const { id } = await openCase(tx, by, at, draft)
    const room = await tx.incident.findRoom(id)
    if (room?.lead === '') {
      await tx.incident.takeCase(id, by, at)
      await tx.incident.addCaseNote(id, { at, by, words: 'took it on' })
    }
    return id
  })
}

/** Reads `left-pad` or `left-pad@1.3.0`; undefined for nothing. Throws what names and versions throw. */
export function parseSubject(text: string): CaseSubject | undefined {
  const said = text.trim()
  if (said === '') return undefined
  const at = said.indexOf('@', 1)
  if (at < 0) return { package: parsePackageName(said), version: '' }
  return { package: parsePackageName(said.slice(0, at)), version: parseVersion(said.slice(at + 1)) }
}

/** What somebody does in the room of an incident. */
export type IncidentAct =
  | { readonly kind: 'take' }
  | { readonly kind: 'note'; readonly words: string }
  /** `revision` is what whoever changes it saw; `lead` is a user name. */
  | { readonly kind: 'change'; readonly revision: number; readonly severity: Severity; readonly lead: string }
  | { readonly kind: 'role'; readonly role: IncidentRole; readonly login: string; readonly isGiven: boolean }
  | { readonly kind: 'playbook'; readonly name: string }
  | { readonly kind: 'task'; readonly words: string }
  | { readonly kind: 'done'; readonly ordinal: number; readonly isDone: boolean }
  | { readonly kind: 'subject'; readonly subject: CaseSubject }
  | { readonly kind: 'indicator'; readonly of: IndicatorKind; readonly value: string }

/**
 * Does one thing in the room, in one commit with a line of the timeline. What two people do at once is both there; where they
 * change the same, whoever is second is told. Throws `not-found`, `case-closed`, `case-changed`, `too-many`, `invalid-body`.
 */
export async function actOnIncident(ports: Ports, actor: Actor, id: string, act: IncidentAct): Promise<void> {
  const grant = await authorize(ports, actor, 'incident:work', '')
  const [at, by] = [ports.clock(), actorId(actor)]
  const prepared = await prepare(ports, act)
  await ports.store.commit(grant, [], async tx => {
    await tx.incident.holdCases()
    const found = await tx.incident.findCase(id)
    const room = await tx.incident.findRoom(id)
    if (found === undefined || room === undefined) throw problem('not-found')
    if (found.state === 'closed') throw problem('case-closed')
    const words = await apply(tx, { found, room, by, at }, act, prepared)
    if (words === undefined) return
    await tx.incident.addCaseNote(id, { at, by, words })
    const { kind, severity, title } = found
    tx.record({ type: 'case', detail: { op: 'work', case: id, kind, severity, title, why: words } })
  })
}

/** What an act needs to know before its commit. */
async function prepare(
  ports: Ports,
  act: IncidentAct,
): Promise<{ person: string; tasks: readonly string[] }> {
  const login = act.kind === 'role' ? act.login : act.kind === 'change' ? act.lead : ''
  const person = login === '' ? '' : await findStaff(ports, login)
  if (act.kind !== 'playbook') return { person, tasks: [] }
  const found = (await listPlaybooks()).find(each => each.name === act.name)
  if (found === undefined) throw problem('not-found')
  return { person, tasks: found.tasks }
}

/** Parts of an incident are for those who may see it. */
async function findStaff({ store }: Ports, login: string): Promise<string> {
  const account = await store.identity.findAccountByLogin(parseLogin(login))
  if (account === undefined || account.roles.length === 0)
    throw problem('invalid-body', { why: `${login} has no role here` })
  return account.id
}

interface Scene {
  readonly found: IncidentCase
  readonly room: IncidentRoom
  readonly by: string
  readonly at: number
}

/** The line of the timeline; undefined where nothing changed. */
async function apply(
  tx: Tx,
  { found, room, by, at }: Scene,
  act: IncidentAct,
  { person, tasks }: { readonly person: string; readonly tasks: readonly string[] },
): Promise<string | undefined> {
  const { id } = found
  switch (act.kind) {
    case 'take':
      if (room.lead === by) return undefined
      await tx.incident.takeCase(id, by, at)
      return 'took it on'
    case 'note':
      return textOf(act.words, wordsLength, 'it says nothing')
    case 'change':
      if (!(await tx.incident.changeCase(id, act.revision, { severity: act.severity, lead: person })))
        throw problem('case-changed')
      return `severity ${found.severity} → ${act.severity}, lead ${act.lead || 'nobody'}`
    case 'role':
      if (act.isGiven) await tx.incident.addRole(id, act.role, person)
      else await tx.incident.removeRole(id, act.role, person)
      return `${act.login} ${act.isGiven ? 'is' : 'is no longer'} ${act.role}`
    case 'playbook':
      if (room.tasks.some(each => each.playbook === act.name)) return undefined
      checkRoom(room.tasks.length + tasks.length, mostTasks, 'tasks')
      await tx.incident.addTasks(id, act.name, tasks)
      return `playbook ${act.name}: ${tasks.length} tasks`
    case 'task': {
      checkRoom(room.tasks.length + 1, mostTasks, 'tasks')
      const words = textOf(act.words, taskLength, 'the task says nothing')
      await tx.incident.addTasks(id, '', [words])
      return `task: ${words}`
    }
    case 'done': {
      const task = room.tasks.find(each => each.ordinal === act.ordinal)
      if (task === undefined) throw problem('not-found')
      if (!(await tx.incident.setTask(id, act.ordinal, act.isDone ? by : '', at))) return undefined
      return `${act.isDone ? 'done' : 'to be done again'}: ${task.words}`
    }
    case 'subject': {
      const { package: name, version } = act.subject
      if (found.subjects.some(each => each.package === name && each.version === version)) return undefined
      checkRoom(found.subjects.length + 1, mostSubjects, 'subjects')
      await tx.incident.addCaseSubjects(id, [act.subject])
      return `also about ${name}${version === '' ? '' : `@${version}`}`
    }
    case 'indicator': {
      checkRoom(room.indicators.length + 1, mostIndicators, 'indicators')
      const value = textOf(act.value, indicatorLength, 'the indicator is empty')
      if (room.indicators.some(each => each.kind === act.of && each.value === value)) return undefined
      await tx.incident.addIndicator(id, { kind: act.of, value, by, at })
      return `indicator ${act.of}: ${value}`
    }
  }
}

function textOf(input: string, length: number, why: string): string {
  const text = input.replaceAll('\0', '').toWellFormed().trim().slice(0, length)
  if (text === '') throw problem('invalid-body', { why })
  return text
}

function checkRoom(count: number, limit: number, what: string): void {
  if (count > limit) throw problem('too-many', { what, limit })
}
