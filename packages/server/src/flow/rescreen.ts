// SPDX-License-Identifier: Apache-2.0
/** Screening after the fact: of what came in while nobody could wait, of what failed, and of everything when the rules change. */
import type { Screening } from '../catalog/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { openCase, tellOfCase } from './case.ts'
import { takeMeasure } from './respond.ts'
import { currentRules, openForScreening, type ScreenWords, screenTarball } from './screen.ts'
import { findPrevious, holdEvent, holdReasons, isEnforcedAtPublish } from './screening.ts'
import { grantIngest } from './upstream-fault.ts'

const aRound = 200
const youngMs = 14 * 24 * 3600_000

/** How far screening is behind the rules in force. */
export interface RescanProgress {
  readonly rules: string
  /** Versions that older rules screened. */
  readonly left: number
  /** Versions that nobody could screen yet. */
  readonly due: number
}

/** A round of it, bounded; safe to run again. */
export async function rescreen(ports: Ports): Promise<void> {
  const { screening } = ports.store
  for (const each of await screening.listDue(aRound)) await screenAgain(ports, each)
  if ((await screening.listOutdated('', 1)).length === 0) return
  const rules = await currentRules(ports)
  for (const each of await screening.listOutdated(rules, aRound)) await screenAgain(ports, each)
}

/** What is left to be screened by the rules in force. */
export async function readRescan(ports: Ports): Promise<RescanProgress> {
  const { screening } = ports.store
  const rules = await currentRules(ports)
  return { rules, left: await screening.countOutdated(rules), due: await screening.countDue() }
}

async function screenAgain(ports: Ports, before: Screening): Promise<void> {
  const { package: name, version, origin, digest } = before
  const previous =
    origin === 'hosted' ? await findPrevious(ports, name, version) : await findIngestedBefore(ports, before)
  const words = await screenTarball(
    ports,
    // What the cache let go of is screened when it comes in again.
    await openForScreening(ports, digest),
    previous && (await openForScreening(ports, previous)),
  )
  const mayHold = (await isYoungNow(ports, before)) || (before.mayHold && before.hold === 'open')
  await keepAgain(ports, before, words, mayHold)
}

async function findIngestedBefore({ store }: Ports, { package: name, version }: Screening) {
  const all = await store.mirrors.listIngested(name)
  const own = all.find(each => each.version === version)
  const older = all.filter(each => each.publishedAt < (own?.publishedAt ?? 0))
  return older.toSorted((a, b) => b.publishedAt - a.publishedAt)[0]?.digest
}

async function isYoungNow({ store, clock }: Ports, { package: name, version, origin }: Screening) {
  const found =
    origin === 'hosted'
      ? await store.catalog.findVersion(name, version)
      : await store.mirrors.findIngested(name, version)
  return found !== undefined && clock() - found.publishedAt < youngMs
}

async function keepAgain(
  ports: Ports,
  before: Screening,
  { state, score, rules, findings, fault }: ScreenWords,
  mayHold: boolean,
): Promise<void> {
  const { package: name, version, origin } = before
  const at = ports.clock()
  const isNew = state === 'hold' && mayHold && before.hold === 'none'
  // What could not be screened and is harmless is let go; what a person decided, or other rules hold, is theirs to end.
  const isFree =
    before.state === 'failed' && before.hold === 'open' && (state === 'allow' || state === 'warn')
  const hold = isNew
    ? ({ hold: 'open', heldAt: at, reminders: 0 } as const)
    : isFree && origin !== 'hosted'
      ? ({ hold: 'none', heldAt: null } as const)
      : {}
  const now = { ...before, state, score, rules, findings, fault, mayHold, screenedAt: at, ...hold }
  const closes = isNew && (origin !== 'hosted' || (await isEnforcedAtPublish(ports, 'screening', name)))
  await ports.store.commit(await grantIngest(ports), screeningEvent(before, state, closes), async tx => {
    await tx.screening.set(now)
    if (origin !== 'hosted') await tx.upstream.touchMirror(name)
    if (closes) await recallScreened(tx, ports, now)
  })
  if (isFree && origin === 'hosted')
    await takeMeasure(
      ports,
      { kind: 'system', id: 'screening' },
      'release',
      { name, version },
      { code: 'other', words: 'it was screened, and nothing was found' },
    )
}

function screeningEvent({ package: pkg, version: ver }: Screening, state: string, closes: boolean) {
  return {
    type: 'screening',
    ...(closes ? { pkg, ver } : {}),
    detail: { package: pkg, version: ver, state },
  } as const
}

/** Closes what is open, and says who has it. */
async function recallScreened(tx: Tx, ports: Ports, found: Screening): Promise<void> {
  const { package: name, version, origin, findings } = found
  const at = ports.clock()
  if (origin === 'hosted') {
    const kept = await tx.catalog.findVersion(name, version)
    if (kept?.status !== 'live' && kept?.status !== 'pending') return
    await tx.catalog.touch(name, at)
    await tx.catalog.setStatus(name, version, 'held', holdReasons.screening, at)
    tx.record(holdEvent(name, version, holdReasons.screening))
  }
  const title = `${name} looks like malware`
  const words = `${version}: ${findings[0]?.why ?? holdReasons.screening}`
  const subjects = [{ package: name, version }]
  const draft = { kind: 'malware', title, severity: 'high', subjects, words } as const
  const { id, isNews } = await openCase(tx, 'screening', at, draft)
  if (isNews)
    await tellOfCase(tx, ports, title, id, [
      `${name}@${version} was screened after it went out: ${words}.`,
      '',
      'It is held until somebody looks.',
    ])
}
