// SPDX-License-Identifier: Apache-2.0
/** A drill from its first act to its report. It leaves nothing behind that can be installed or signed in with. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Drill, DrillReport, DrillState } from '../incident/index.ts'
import { emptyReport } from '../incident/index.ts'
import type { Ports } from '../ports.ts'
import { drillEvent } from './drill.ts'
import { cleanUp } from './drill-clean.ts'
import { drillScenes, type Scene, type Tally } from './drill-scene.ts'
import {
  checkGoesOn,
  DrillStopped,
  knock,
  makePart,
  markDrill,
  openStage,
  type Part,
  type Stage,
  say,
} from './drill-stage.ts'
import { openWatch, type Watch } from './drill-watch.ts'
import { tellStaff } from './letter.ts'

const lookEveryMs = 100
/** So long the instance has by itself, and so long people have. */
const patienceMs = { automatic: 120_000, people: 3600_000 } as const
/** What upstreams say is read again within five minutes, with a minute for the round itself. */
const upstreamPatienceMs = 15 * 60_000

/**
 * Plays a drill that waits, and cleans up after it. One that was being played when its process ended is cleaned
 * up and told as broken. Rejects only where even that fails: the next call does it again.
 */
export async function playDrill(ports: Ports, drill: Drill, signal: AbortSignal): Promise<void> {
  const stage = await openStage(ports, drill, signal)
  const { state, report } = await play(stage)
  // A crash here leaves the sandbox as it is: whoever finds the drill without an end cleans up and ends it.
  const stays = await cleanUp(ports, drill)
  await end(stage, state, { ...report, stays, lines: stage.lines })
}

interface Outcome {
  readonly state: DrillState
  readonly report: DrillReport
}

async function play(stage: Stage): Promise<Outcome> {
  const { drill, ports, grant, signal } = stage
  if (drill.state === 'stopping') return { state: 'stopped', report: emptyReport }
  if (drill.state === 'running') return broken('the process that played it ended')
  const scene = drillScenes[drill.playbook]
  await ports.store.commit(grant, drillEvent(drill, 'play'), tx => tx.drills.setState(drill.id, 'running'))
  const tally: Tally = { infected: [], means: [], tokenIds: [], refused: 0, isOver: false }
  const actions: DrillReport['actions'][number][] = []
  try {
    const seen = await act(stage, scene, tally)
    actions.push(...seen.actions)
    return { state: 'done', report: reportOf(tally, actions, faultOf(stage, seen, tally)) }
  } catch (error) {
    // The process ends: what is left is the next one's to clean up.
    signal.throwIfAborted()
    if (error instanceof DrillStopped) return { state: 'stopped', report: reportOf(tally, actions, '') }
    return { state: 'broken', report: reportOf(tally, actions, String(error).slice(0, 500)) }
  }
}

function broken(fault: string): Outcome {
  return { state: 'broken', report: { ...emptyReport, fault } }
}

/** The attack and the watch over it go on side by side, until it is contained or patience ends. */
async function act(stage: Stage, scene: Scene, tally: Tally): Promise<Watch> {
  const people = { victim: await makePart(stage, 'victim'), reader: await makePart(stage, 'reader') }
  await scene.prepare(stage, people.victim)
  await checkGoesOn(stage)
  const { seen, look } = await openWatch(stage, scene, people, tally)
  await markDrill(stage, 'attackAt')
  const halt = new AbortController()
  const attacking = { ...stage, signal: AbortSignal.any([stage.signal, halt.signal]) }
  const acts = Promise.all([
    scene.attack(attacking, people.victim, tally).finally(() => {
      tally.isOver = true
    }),
    stage.drill.path === 'people' ? reportFirst(attacking, people.reader, tally) : undefined,
  ])
  // Looked at when it is awaited: until then it must not end the process.
  acts.catch(() => {})
  try {
    await watchOver(stage, seen, look)
    await acts
    return seen
  } finally {
    // Whatever ends a drill ends the attack before anything is cleaned up.
    halt.abort()
    await acts.catch(() => {})
  }
}

async function watchOver(stage: Stage, seen: Watch, look: () => Promise<void>): Promise<void> {
  const { playbook, path } = stage.drill
  const patience = playbook === 'upstream-takedown' ? upstreamPatienceMs : patienceMs[path]
  const until = performance.now() + patience
  while (performance.now() < until && !seen.isContained) {
    await checkGoesOn(stage)
    await look()
    await delay(lookEveryMs)
  }
}

/** Somebody who installs finds the first of them out and says so, as with any package. */
async function reportFirst(stage: Stage, reader: Part, tally: Tally): Promise<void> {
  while (tally.infected.length === 0 && !tally.isOver) await delay(lookEveryMs, undefined, stage)
  const [found] = tally.infected
  if (found === undefined) return
  const body = JSON.stringify({
    package: found.name,
    version: found.version,
    kind: 'malware',
    words: `This is a drill (${stage.drill.id}): its install script spreads to other packages of its maintainer.`,
  })
  const { status } = await knock(stage, {
    method: 'POST',
    path: '/api/v1/reports',
    token: reader.secret,
    body,
  })
  if (status >= 300) throw new Error(`the report was refused with ${status}`)
  say(stage, `somebody reported ${found.name}@${found.version}`)
}

function reportOf(tally: Tally, actions: DrillReport['actions'], fault: string): DrillReport {
  const { infected, refused } = tally
  return { ...emptyReport, infected: infected.length, refused, actions, fault }
}

function faultOf({ drill }: Stage, seen: Watch, { infected, refused }: Tally): string {
  if (seen.isContained) return ''
  if (infected.length === 0) return `the attacker was refused ${refused} times and got nothing in`
  if (!seen.isDetected) return 'nothing saw it: look whether the rules behaviour and screening are enforced'
  return drill.path === 'people' ? 'nobody contained it in time' : 'the instance did not contain it by itself'
}

async function end({ ports, drill, grant }: Stage, state: DrillState, report: DrillReport): Promise<void> {
  const at = ports.clock()
  await ports.store.commit(grant, drillEvent(drill, 'end'), async tx => {
    const now = await tx.drills.find(drill.id)
    if (now === undefined || now.endedAt !== null) return
    await tx.drills.end(drill.id, state, at, report)
    await tellStaff(tx, ports, `DRILL: ${drill.playbook} is over`, linesOf(ports, now, state, report))
  })
}

function linesOf({ config }: Ports, drill: Drill, state: DrillState, report: DrillReport): readonly string[] {
  const { attackAt } = drill
  const after = (at: number | null) =>
    at === null || attackAt === null ? 'never' : `after ${((at - attackAt) / 1000).toFixed(1)} s`
  return [
    `The drill ${drill.playbook} is ${state}. Nothing real happened, and what it made is removed.`,
    '',
    `Seen ${after(drill.detectedAt)}, told ${after(drill.notifiedAt)}, contained ${after(drill.containedAt)}.`,
    ...(report.fault === '' ? [] : [`What did not go as it should: ${report.fault}.`]),
    '',
    `The report: ${config.publicUrl}/operate/drills/${drill.id}`,
  ]
}
