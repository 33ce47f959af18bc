// SPDX-License-Identifier: Apache-2.0
/** Drills: begun and stopped by people, played by the instance, read by those who respond. */
import { drillScope, isProblem, problem } from '@holdfast/core'
import { type Actor, actorId, authorize, checkNotFrozen, drillMachine, randomId } from '../identity/index.ts'
import {
  type Drill,
  type DrillPath,
  type DrillPlaybook,
  drillDueMs,
  drillPlaybooks,
  emptyReport,
  isOpenDrill,
  mostDrillPackages,
} from '../incident/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { takeLetter, tellStaff } from './letter.ts'
import { provePresence } from './presence.ts'

const listed = 100
const dayMs = 24 * 3600_000
const usualPackages: Readonly<Record<DrillPlaybook, number>> = {
  worm: 100,
  'account-takeover': 1,
  'leaked-token': 1,
  'upstream-takedown': 1,
}

/** What somebody wants played. */
export interface DrillWish {
  readonly playbook: DrillPlaybook
  readonly path: DrillPath
  readonly packages: number
}

/** Reads what came by a form, the API or the calendar. Throws `drill-invalid`. */
export function parseDrillWish(text: Readonly<Record<string, string | undefined>>): DrillWish {
  const playbook = drillPlaybooks.find(each => each === text['playbook'])
  if (playbook === undefined) throw problem('drill-invalid', { why: 'there is no such playbook for drills' })
  const { path = 'automatic', packages = '' } = text
  if (path !== 'automatic' && path !== 'people')
    throw problem('drill-invalid', { why: 'its path is automatic or people' })
  if (path === 'people' && playbook !== 'worm' && playbook !== 'account-takeover')
    throw problem('drill-invalid', { why: 'people are waited for in worm and account-takeover only' })
  const isMany = playbook === 'worm' && packages !== ''
  const count = isMany ? Number(packages) : usualPackages[playbook]
  if (!Number.isInteger(count) || count < 1 || count > mostDrillPackages)
    throw problem('drill-invalid', { why: `it is played with 1 to ${mostDrillPackages} packages` })
  return { playbook, path, packages: count }
}

/**
 * Has a drill played as soon as a process is free to; one at a time. Throws `drill-running`, and `frozen` while the registry,
 * publishing or the sandbox is frozen: a rehearsal is for quiet days.
 */
export async function beginDrill(ports: Ports, actor: Actor, wish: DrillWish): Promise<Drill> {
  const grant = await authorize(ports, actor, 'drill:run', '')
  await provePresence(ports, grant)
  const drill: Drill = {
    ...wish,
    id: randomId('drill-'),
    state: 'waiting',
    startedBy: actorId(actor),
    startedAt: ports.clock(),
    ...{ attackAt: null, detectedAt: null, containedAt: null, notifiedAt: null, endedAt: null },
    report: emptyReport,
  }
  await ports.store.commit(grant, drillEvent(drill, 'begin'), async tx => {
    // Of two who begin at once one waits here, and then finds the other's.
    await tx.incident.holdCases()
    if ((await tx.drills.findOpen()) !== undefined) throw problem('drill-running')
    await checkNotFrozen(tx, ['registry', 'publishing', `scope:${drillScope}`])
    await tx.drills.add(drill)
  })
  return drill
}

/** Ends a drill before its time; what it made is removed all the same. Throws `not-found`, `drill-not-open`. */
export async function stopDrill(ports: Ports, actor: Actor, id: string): Promise<void> {
  const grant = await authorize(ports, actor, 'drill:run', '')
  const drill = await getDrill(ports, id)
  await ports.store.commit(grant, drillEvent(drill, 'stop'), async tx => {
    await tx.incident.holdCases()
    const now = await tx.drills.find(id)
    if (now === undefined || !isOpenDrill(now)) throw problem('drill-not-open')
    await tx.drills.setState(id, 'stopping')
  })
}

/** Drills, newest first, with names of people in place of their ids. */
export async function listDrills(ports: Ports, actor: Actor): Promise<readonly Drill[]> {
  await authorize(ports, actor, 'incident:read', '')
  return Promise.all((await ports.store.drills.list(listed)).map(each => withNames(ports, each)))
}

/** One drill. Throws `not-found`. */
export async function readDrill(ports: Ports, actor: Actor, id: string): Promise<Drill> {
  await authorize(ports, actor, 'incident:read', '')
  return withNames(ports, await getDrill(ports, id))
}

/** What everybody may know: the last drill that was played to its end, and whether the next is due. */
export async function readLastDrill({ store, clock }: Pick<Ports, 'store' | 'clock'>): Promise<{
  readonly last: Drill | undefined
  readonly isDue: boolean
}> {
  const last = await store.drills.findLast()
  return { last, isDue: last === undefined || clock() - (last.endedAt ?? 0) > drillDueMs }
}

/**
 * The job: begins what is due where the configuration says so, one a day at most; else responders are told once that nothing was
 * rehearsed for 90 days. A registry that never had a drill is told when it is as old as that.
 */
export async function keepDrilling(ports: Ports): Promise<void> {
  if (ports.config.drills === 'quarterly') return beginDue(ports)
  const { last, isDue } = await readLastDrill(ports)
  const [first] = await ports.store.events.read(0, 1)
  const since = last?.endedAt ?? first?.at ?? ports.clock()
  if (!isDue || ports.clock() - since <= drillDueMs) return
  const said = await ports.store.events.search({ type: 'drill', since }, Number.MAX_SAFE_INTEGER, listed)
  if (said.some(({ detail }) => detail['op'] === 'remind')) return
  if (!(await takeLetter(ports, 'drill is due', 1))) return
  const grant = await authorize(ports, drillMachine, 'drill:play', '')
  const page = `${ports.config.publicUrl}/operate/drills`
  await ports.store.commit(grant, { type: 'drill', detail: { op: 'remind' } }, tx =>
    tellStaff(tx, ports, 'A drill is due', [
      last === undefined
        ? 'No incident was ever rehearsed here.'
        : `The last drill (${last.playbook}) ended on ${new Date(since).toISOString().slice(0, 10)}.`,
      '',
      `Nobody knows how fast the next real one is contained. Begin one: ${page}`,
    ]),
  )
}

async function beginDue(ports: Ports): Promise<void> {
  const { drills } = ports.store
  const now = ports.clock()
  if ((await drills.findOpen()) !== undefined) return
  const [newest] = await drills.list(1)
  if (newest !== undefined && now - newest.startedAt < dayMs) return
  for (const playbook of drillPlaybooks) {
    const last = await drills.findLast(playbook)
    if (last !== undefined && now - last.startedAt <= drillDueMs) continue
    await beginDrill(ports, drillMachine, parseDrillWish({ playbook })).catch(refusal => {
      // Somebody began one a moment ago, or froze the registry: another day.
      if (!isProblem(refusal) || (refusal.code !== 'drill-running' && refusal.code !== 'frozen'))
        throw refusal
    })
    return
  }
}

/** Plays the drill that waits, if one does; what plays it is loaded only now. */
export async function playWaitingDrill(ports: Ports, signal: AbortSignal): Promise<void> {
  const drill = await ports.store.drills.findOpen()
  if (drill === undefined) return
  const { playDrill } = await import('./drill-play.ts')
  await playDrill(ports, drill, signal)
}

/** That something happened to a drill, for the private record: its leaves are those of what it publishes. */
export function drillEvent(
  { id, playbook, path }: Pick<Drill, 'id' | 'playbook' | 'path'>,
  op: string,
): NewEvent {
  return { type: 'drill', detail: { op, drill: id, playbook, path } }
}

async function getDrill({ store }: Ports, id: string): Promise<Drill> {
  const found = await store.drills.find(id)
  if (found === undefined) throw problem('not-found')
  return found
}

async function withNames({ store }: Ports, drill: Drill): Promise<Drill> {
  const nameOf = async (id: string) => (await store.identity.findAccount(id))?.login ?? id
  const actions = drill.report.actions.map(async each => ({ ...each, by: await nameOf(each.by) }))
  return {
    ...drill,
    startedBy: await nameOf(drill.startedBy),
    report: { ...drill.report, actions: await Promise.all(actions) },
  }
}
