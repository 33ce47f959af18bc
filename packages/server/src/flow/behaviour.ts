// SPDX-License-Identifier: Apache-2.0
/** How a version is published, against the habits of its package and of whoever publishes: a stolen token looks like its owner until here. */
import { type PackageName, scopeOf, type Version } from '@holdfast/core'
import { amend, type Finding } from '../catalog/index.ts'
import { type Actor, actorId } from '../identity/index.ts'
import type { StoredEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { openCase, tellOfCase } from './case.ts'
import { holdEvent, holdReasons, isEnforcedAtPublish, type Screened } from './screening.ts'
import { endToken } from './token.ts'

const hourMs = 3600_000
const dayMs = 24 * hourMs
/** What is younger has no habits yet. */
const baselineMs = 7 * dayMs
const baselineVersions = 3
/** Anybody may release so many packages at once. */
const leastGroup = 10
const looked = 1000
const newsKept = 40

/** A version of another package that brought the same new thing. */
interface Member {
  readonly name: PackageName
  readonly version: Version
}

/** What speaks against how a version is published. */
export interface Behaviour {
  readonly findings: readonly Finding[]
  /** They carry the same new script, file or dependency: a worm's trail. */
  readonly trail: readonly Member[]
  /** Whether the policy holds it for that. */
  readonly isHeld: boolean
}

/** What a version newly brings, as its publish event keeps it for the next ones. */
export function newsOf(news: readonly string[]): readonly string[] {
  return news.slice(0, newsKept)
}

/** Looks at a publish that is about to happen. */
export async function readBehaviour(
  ports: Ports,
  actor: Actor,
  subject: Member & { readonly hasInstallScript: boolean; readonly news: readonly string[] },
): Promise<Behaviour> {
  const all = await ports.store.events.search(
    { type: 'publish', actorId: actorId(actor) },
    Number.MAX_SAFE_INTEGER,
    looked,
  )
  const now = ports.clock()
  const others = all.filter(each => each.pkg !== null && each.pkg !== subject.name)
  const recent = others.filter(each => now - each.at < dayMs)
  const shared = (await hasHabits(ports, subject.name)) ? findTrail(subject, recent) : noTrail
  const findings = [
    ...(await findFirstScript(ports, subject)),
    ...findVelocity(subject.name, all, now),
    ...shared.findings,
  ]
  const isHeld = findings.length > 0 && (await isEnforcedAtPublish(ports, 'behaviour', subject.name))
  return { findings, trail: isHeld ? shared.trail : [], isHeld }
}

function finding(rule: string, why: string, excerpt = ''): Finding {
  return { rule, file: '', line: 0, excerpt: excerpt.slice(0, 200), why, weight: 100 }
}

async function findFirstScript(
  { store, clock }: Ports,
  { name, hasInstallScript }: { readonly name: PackageName; readonly hasInstallScript: boolean },
): Promise<readonly Finding[]> {
  if (!hasInstallScript) return []
  const before = await store.catalog.listKeptFacts(name)
  const first = before[0]?.publishedAt ?? clock()
  const hasHabit = before.length >= baselineVersions && clock() - first >= baselineMs
  if (!hasHabit || before.some(each => each.traits.hasInstallScript)) return []
  return [finding('first-install-script', `none of ${before.length} earlier versions ran code on an install`)]
}

/** More packages within an hour than this identity ever released together, once it has released for a week. */
function findVelocity(name: PackageName, all: readonly StoredEvent[], now: number): readonly Finding[] {
  const old = all.filter(each => now - each.at >= hourMs)
  if (!old.some(each => now - each.at >= baselineMs)) return []
  const count = new Set([name, ...all.filter(each => now - each.at < hourMs).map(each => each.pkg)]).size
  const group = Math.max(leastGroup, 2 * learnGroup(old))
  if (count <= group) return []
  return [
    finding('velocity', `${count} packages within an hour, by an identity that releases ${group} at most`),
  ]
}

/** The most packages that were released within one hour. Events come newest first. */
function learnGroup(old: readonly StoredEvent[]): number {
  let most = 0
  const names: (string | null)[] = []
  for (let from = 0, to = 0; to < old.length; to++) {
    names.push(old[to]?.pkg ?? null)
    while ((old[from]?.at ?? 0) - (old[to]?.at ?? 0) > hourMs) from++
    most = Math.max(most, new Set(names.slice(from)).size)
  }
  return most
}

const noTrail: ReturnType<typeof findTrail> = { findings: [], trail: [] }

/** A package of yesterday brings nothing new: all of it is. */
async function hasHabits({ store, clock }: Ports, name: PackageName): Promise<boolean> {
  const [first] = await store.catalog.listKeptFacts(name)
  return first !== undefined && clock() - first.publishedAt >= baselineMs
}

/** A dependency on a sibling, or on the scope's own, is how releases go. */
function findTrail(
  { name, news }: { readonly name: PackageName; readonly news: readonly string[] },
  recent: readonly StoredEvent[],
): { readonly findings: readonly Finding[]; readonly trail: readonly Member[] } {
  const siblings = new Set(recent.map(each => `dependency ${each.pkg}`))
  const scope = scopeOf(name)
  const own = news.filter(
    each => !siblings.has(each) && (scope === undefined || !each.startsWith(`dependency ${scope}/`)),
  )
  const trail: Member[] = []
  let same = ''
  for (const { pkg, ver, detail } of recent) {
    const told = Array.isArray(detail['news']) ? detail['news'] : []
    const found = own.find(each => told.includes(each))
    if (found === undefined || pkg === null || ver === null) continue
    same = found
    trail.push({ name: pkg as PackageName, version: ver as Version })
  }
  if (same === '') return { findings: [], trail }
  const why = `the same new thing came with ${trail.map(each => `${each.name}@${each.version}`).join(', ')}`
  return { findings: [finding('same-news', why, same)], trail }
}

/** Both looks as one: what either holds is held. */
export function withBehaviour({ words, reason }: Screened, behaviour: Behaviour): Screened {
  const held = behaviour.isHeld ? holdReasons.behaviour : ''
  const findings = [...behaviour.findings, ...words.findings]
  return { words: { ...words, findings }, reason: reason || held, behaviour }
}

/** Inside the commit that holds the version: its fellows are held too, the token ends, and a case tells of it. */
export async function stopTrail(
  tx: Tx,
  ports: Ports,
  subject: Member,
  tokenId: string,
  { trail, findings }: Behaviour,
): Promise<void> {
  if (trail.length === 0) return
  const at = ports.clock()
  for (const { name, version } of trail) {
    const found = await tx.catalog.findVersion(name, version)
    if (found?.status !== 'live' && found?.status !== 'pending') continue
    await amend(tx.catalog, name, at, () =>
      tx.catalog.setStatus(name, version, 'held', holdReasons.behaviour, at),
    )
    tx.record(holdEvent(name, version, holdReasons.behaviour))
    const kept = await tx.screening.find(name, version)
    if (kept !== undefined)
      await tx.screening.set({ ...kept, findings: [...findings, ...kept.findings], hold: 'open', heldAt: at })
  }
  if (tokenId !== '') await endToken(tx, { id: tokenId }, 'leaked', at, { source: 'behaviour' })
  const title = `${subject.name} and others spread the same new thing`
  const subjects = [subject, ...trail].map(({ name, version }) => ({ package: name, version }))
  const words = findings.map(each => each.why).join('; ')
  const { id } = await openCase(tx, 'behaviour', at, {
    ...{ kind: 'malware', title, severity: 'critical', subjects, words },
  })
  await tellOfCase(tx, ports, title, id, [`${words}.`, '', 'All are held, and the token is ended.'])
}
