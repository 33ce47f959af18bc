// SPDX-License-Identifier: Apache-2.0
/** How a version is published, against the habits of its package and of whoever publishes: a stolen token looks like its owner until here. */
import { isDrillName, type PackageName, problem } from '@holdfast/core'
import { amend, type Finding } from '../catalog/index.ts'
import { type Actor, actorId, isMachine, neighbourhoodOf } from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { judgePublish, type Member, type PublishAct, type PublishPast } from './behaviour-rule.ts'
import { openCase, tellOfCase } from './case.ts'
import { holdEvent, holdReasons, isEnforcedAtPublish, type Screened } from './screening.ts'
import { endToken } from './token.ts'

const dayMs = 24 * 3600_000
const newsKept = 40

/** What is known of a publish before its turn comes. */
export interface PublishHabits {
  readonly act: PublishAct
  readonly past: PublishPast
  /** What was published later than this is looked at in its turn. */
  readonly position: number
  /** Whether the policy holds what breaks with a habit, or only watches. */
  readonly isEnforced: boolean
}

/** What a version newly brings, as its publish event keeps it for the next ones. */
export function newsOf(news: readonly string[]): readonly string[] {
  return news.slice(0, newsKept)
}

/** The act, of whoever came in with what. */
export function toAct(
  actor: Actor,
  subject: Member & Pick<PublishAct, 'hasInstallScript' | 'news' | 'score' | 'isProven' | 'isPresent'>,
): PublishAct {
  const isByJob = actor.kind === 'job'
  const { name, version, hasInstallScript, news, score } = subject
  return {
    ...{ name, version, hasInstallScript, news, score },
    publisherId: actorId(actor),
    tokenId: 'credential' in actor && actor.credential.kind === 'token' ? actor.credential.id : '',
    isByJob,
    network: actor.kind === 'person' && actor.from.address !== '' ? neighbourhoodOf(actor.from.address) : '',
    isProven: isByJob || subject.isProven,
    // A robot's token was made by people who showed theirs.
    isPresent: isMachine(actor) || subject.isPresent,
  }
}

/** Gathers what it takes to judge a publish: nearly all of it, so that its turn is short. */
export async function readHabits(ports: Ports, act: PublishAct): Promise<PublishHabits> {
  const { events, habits, catalog } = ports.store
  const position = await events.head()
  const past = {
    versions: await catalog.listKeptFacts(act.name),
    published: await habits.listPublished(act.publisherId, 0),
    habits: await habits.listHabits(act.publisherId),
    baselineMs: await baselineOf(ports, act.name),
  }
  return { act, past, position, isEnforced: await isEnforcedAtPublish(ports, 'behaviour', act.name) }
}

/**
 * From which age on a habit counts. Nobody waits a week for a drill: in its sandbox the first version is a habit, unless people
 * rehearse what no rule sees, as with packages of yesterday.
 */
async function baselineOf({ store, config }: Ports, name: PackageName): Promise<number> {
  const drill = isDrillName(name) ? await store.drills.findOpen() : undefined
  return drill?.path === 'automatic' ? 0 : config.habitDays * dayMs
}

/**
 * Judges a publish in its turn, inside its commit: of two of one identity the second knows of the first, in whatever process.
 * What breaks with a habit is held, a worm's trail with it. Throws `unauthenticated` where that ended the token meanwhile.
 */
export async function judgeInTurn(
  tx: Tx,
  ports: Ports,
  { act, past, position, isEnforced }: PublishHabits,
  screened: Screened,
): Promise<Screened> {
  const { publisherId, tokenId } = act
  await tx.habits.holdActor(publisherId)
  const at = ports.clock()
  if (tokenId !== '' && (await tx.identity.isTokenEnded(tokenId))) throw problem('unauthenticated')
  const later = await tx.habits.listPublished(publisherId, position)
  const known = past.published.filter(each => each.position <= position)
  const judged = judgePublish({ ...past, published: [...later, ...known] }, act, at)
  if (tokenId !== '' && !act.isByJob) await tx.habits.noteHabit(publisherId, 'token', tokenId, at)
  if (act.network !== '') await tx.habits.noteHabit(publisherId, 'network', act.network, at)
  const isHeld = isEnforced && judged.isBroken
  if (isHeld && judged.trail.length > 0) await stopTrail(tx, ports, act, judged)
  const findings = [...judged.findings, ...screened.words.findings]
  const reason = screened.reason || (isHeld ? holdReasons.behaviour : '')
  return { words: { ...screened.words, findings }, reason }
}

/** Its fellows are held too, the token ends, and a case tells of it. */
async function stopTrail(
  tx: Tx,
  ports: Ports,
  { name, version, tokenId }: PublishAct,
  { trail, findings }: { readonly trail: readonly Member[]; readonly findings: readonly Finding[] },
): Promise<void> {
  const at = ports.clock()
  for (const member of trail) await holdMember(tx, member, findings, at)
  if (tokenId !== '') await endToken(tx, { id: tokenId }, 'leaked', at, { source: 'behaviour' })
  const title = `${name} and others spread the same new thing`
  const subjects = [{ name, version }, ...trail].map(each => ({ package: each.name, version: each.version }))
  const words = findings.map(each => each.why).join('; ')
  const { id } = await openCase(tx, 'behaviour', at, {
    ...{ kind: 'malware', title, severity: 'critical', subjects, words },
  })
  await tellOfCase(tx, ports, title, id, [`${words}.`, '', 'All are held, and the token is ended.'])
}

async function holdMember(
  tx: Tx,
  { name, version }: Member,
  findings: readonly Finding[],
  at: number,
): Promise<void> {
  const found = await tx.catalog.findVersion(name, version)
  if (found?.status !== 'live' && found?.status !== 'pending') return
  await amend(tx.catalog, name, at, () =>
    tx.catalog.setStatus(name, version, 'held', holdReasons.behaviour, at),
  )
  tx.record(holdEvent(name, version, holdReasons.behaviour))
  const kept = await tx.screening.find(name, version)
  if (kept !== undefined)
    await tx.screening.set({
      ...kept,
      findings: [...findings, ...kept.findings],
      hold: 'open',
      heldAt: at,
      reminders: 0,
    })
}
