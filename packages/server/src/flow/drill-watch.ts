// SPDX-License-Identifier: Apache-2.0
/** The clocks of a drill: when it was seen, told and closed, read from what everybody would see. */
import { decodeLeaf, drillScope, isDrillName } from '@holdfast/core'
import type { DrillAction } from '../incident/index.ts'
import type { StoredEvent } from '../integrity/index.ts'
import type { Scene, Tally } from './drill-scene.ts'
import { isAlive, isServed, markDrill, nameOf, type Part, type Stage, say } from './drill-stage.ts'
import { drillSubjectStart } from './letter.ts'

const eventsAtOnce = 500
const lettersLookedAt = 100

/** What a watch has seen. */
export interface Watch {
  readonly actions: DrillAction[]
  isDetected: boolean
  isNotified: boolean
  isContained: boolean
}

/** A watch over a drill, from this moment on: each look says what is seen by then. */
export async function openWatch(
  stage: Stage,
  scene: Pick<Scene, 'endsMeans'>,
  people: { readonly victim: Part; readonly reader: Part },
  tally: Tally,
): Promise<{ readonly seen: Watch; look(): Promise<void> }> {
  const { store } = stage.ports
  const since = stage.ports.clock()
  const closed = new Set<string>()
  const seen: Watch = { actions: [], isDetected: false, isNotified: false, isContained: false }
  let position = await store.events.head()
  const readOn = async () => {
    const events = await store.events.read(position, eventsAtOnce)
    position = events.at(-1)?.position ?? position
    for (const event of events) await follow(stage, seen, event, people.victim, tally)
  }
  const isClosed = async () => {
    for (const { name, version } of tally.infected) {
      const spec = `${name}@${version}`
      if (closed.has(spec)) continue
      if (await isServed(stage, people.reader.secret, name, version)) return false
      closed.add(spec)
    }
    return true
  }
  const isDead = async () => {
    if (scene.endsMeans === 'by-people' && stage.drill.path === 'automatic') return true
    for (const each of tally.means) if (await isAlive(stage, each, nameOf(stage, 0))) return false
    return true
  }
  return {
    seen,
    async look() {
      await readOn()
      if (seen.isDetected && !seen.isNotified) await lookForLetter(stage, seen, since)
      if (!tally.isOver || !seen.isDetected || seen.isContained) return
      if (!(await isClosed()) || !(await isDead())) return
      await readOn()
      seen.isContained = true
      await markDrill(stage, 'containedAt')
      say(stage, 'a reader gets none of it any more')
    },
  }
}

async function follow(
  stage: Stage,
  seen: Watch,
  event: StoredEvent,
  victim: Part,
  tally: Tally,
): Promise<void> {
  if (isSign(event, tally) && !seen.isDetected) {
    seen.isDetected = true
    await markDrill(stage, 'detectedAt', event.at)
    say(stage, `it was seen: ${event.type}${event.pkg === null ? '' : ` of ${event.pkg}`}`)
  }
  if (!seen.isContained && isAction(event, victim, tally)) {
    const { type, detail } = event
    const what = type === 'measure' ? `${detail['op']} ${detail['subject'] ?? ''}`.trim() : type
    seen.actions.push({ at: event.at, by: event.actorId, what: what.slice(0, 300) })
    say(stage, `a responder acted: ${what.slice(0, 300)}`)
  }
}

/** The first hold, quarantine or case in the sandbox, or the end of a token in a thief's hand. */
function isSign({ type, pkg, leaf }: StoredEvent, { tokenIds }: Tally): boolean {
  if (type === 'token-revoke') return tokenIds.includes(String(decodeLeaf(leaf ?? '{}')['subject']))
  return (type === 'hold' || type === 'quarantine' || type === 'case') && pkg !== null && isDrillName(pkg)
}

/** One command or click of a person that is about this drill. */
function isAction({ type, pkg, actorKind, detail }: StoredEvent, victim: Part, tally: Tally): boolean {
  if (actorKind !== 'person' && actorKind !== 'operator') return false
  if (type === 'quarantine') return pkg !== null && isDrillName(pkg) && detail['measure'] === undefined
  if (type !== 'measure' || (detail['op'] !== 'take' && detail['op'] !== 'revoke')) return false
  const about = JSON.stringify(detail)
  const words = [victim.account.id, victim.account.login, drillScope, ...tally.tokenIds]
  return words.some(each => about.includes(each))
}

async function lookForLetter(stage: Stage, seen: Watch, since: number): Promise<void> {
  const letters = await stage.ports.store.mail.listRecent(lettersLookedAt)
  const told = letters.filter(each => each.createdAt >= since && each.subject.startsWith(drillSubjectStart))
  const earliest = Math.min(...told.map(each => each.createdAt))
  if (told.length === 0) return
  seen.isNotified = true
  await markDrill(stage, 'notifiedAt', earliest)
  say(stage, 'a letter to those who respond lies in the outbox')
}
