// SPDX-License-Identifier: Apache-2.0
/** What a publish looks like beside earlier ones of the same identity and package: questions without answers from outside. */
import { type PackageName, scopeOf, type Version } from '@holdfast/core'
import type { Finding, KeptFacts } from '../catalog/index.ts'
import type { Habit, PastPublish } from '../ports.ts'

const hourMs = 3600_000
const dayMs = 24 * hourMs
const baselineVersions = 3
/** A token is idle when it was silent for so many times the age of a habit. */
const idleTimes = 13
/** Anybody may release so many packages at once. */
const leastGroup = 10
/** From here on it is held; weights add up, as those of screening do. */
const holdFrom = 100
const warnFrom = 40

/** A version of another package that the same identity published. */
export interface Member {
  readonly name: PackageName
  readonly version: Version
}

/** A publish that is about to happen. */
export interface PublishAct extends Member {
  readonly publisherId: string
  /** Empty where no token came. */
  readonly tokenId: string
  /** Such a job has a new token each time. */
  readonly isByJob: boolean
  /** As /24, or /48 of IPv6; empty for machines, which come from anywhere. */
  readonly network: string
  /** Somebody showed a second factor for it; a robot's token was made by people who did. */
  readonly isPresent: boolean
  /** From a trusted CI job, or with provenance. */
  readonly isProven: boolean
  readonly hasInstallScript: boolean
  /** What it brings that the version before did not have. */
  readonly news: readonly string[]
  /** What screening found in it. */
  readonly score: number
}

/** What came before it. */
export interface PublishPast {
  readonly versions: readonly KeptFacts[]
  /** Publishes of the same identity, the newest first. */
  readonly published: readonly PastPublish[]
  readonly habits: readonly Habit[]
  /** What is younger has no habits yet. */
  readonly baselineMs: number
}

/** What speaks against a publish. */
export interface Judgement {
  readonly findings: readonly Finding[]
  /** Whether that is enough to hold it. */
  readonly isBroken: boolean
  /** They carry the same new script, file or dependency, or went out with those that do: a worm's trail. */
  readonly trail: readonly Member[]
}

/** Holds a publish against its past. */
export function judgePublish(past: PublishPast, act: PublishAct, now: number): Judgement {
  const { versions, habits, baselineMs } = past
  const isEstablished = versions.length >= baselineVersions && isOld(past, now)
  const shared = findTrail(past, act, now)
  const settled = (kind: Habit['kind']) => {
    const known = habits.filter(each => each.kind === kind)
    return known.some(each => now - each.firstAt >= baselineMs) ? known : []
  }
  const findings = [
    ...shared.findings,
    ...findVelocity(act.name, past, now),
    ...(isEstablished
      ? [
          ...findFirstScript(versions, act),
          ...findLessProven(versions, act),
          ...findNewMaintainer(versions, act),
          ...findNewToken(settled('token'), act, now, baselineMs),
          ...findNewNetwork(settled('network'), act),
        ]
      : []),
  ]
  const own = findings.reduce((sum, each) => sum + each.weight, 0)
  // What is odd about the hand counts more where something is odd about the content.
  const isBroken = own > 0 && own + (act.score >= warnFrom ? act.score : 0) >= holdFrom
  return { findings, isBroken, trail: shared.trail }
}

function finding(rule: string, weight: number, why: string, excerpt = ''): Finding {
  return { rule, file: '', line: 0, excerpt: excerpt.slice(0, 200), why, weight }
}

/** A stolen token cannot show a second factor: where nobody did, what is odd is enough alone. */
function weigh(act: PublishAct, whenPresent: number): number {
  return act.isPresent ? whenPresent : holdFrom
}

function isOld({ versions: [first], baselineMs }: PublishPast, now: number): boolean {
  return first !== undefined && now - first.publishedAt >= baselineMs
}

function findFirstScript(versions: readonly KeptFacts[], act: PublishAct): readonly Finding[] {
  if (!act.hasInstallScript || versions.some(each => each.traits.hasInstallScript)) return []
  return [
    finding(
      'first-install-script',
      100,
      `none of ${versions.length} earlier versions ran code on an install`,
    ),
  ]
}

/** Owners may let the demand sink, with three days' notice; that a habit of the last versions ends stays worth a look. */
function findLessProven(versions: readonly KeptFacts[], act: PublishAct): readonly Finding[] {
  const last = versions.toSorted((a, b) => a.publishedAt - b.publishedAt).slice(-baselineVersions)
  const isHabit = last.every(({ traits }) => traits.provenance !== 'none' && traits.provenance !== 'broken')
  if (act.isProven || !isHabit) return []
  return [
    finding(
      'less-proven',
      weigh(act, 60),
      'the versions before came from a proven build, this one from a token',
    ),
  ]
}

/** What was imported came from nobody's hand. */
function findNewMaintainer(versions: readonly KeptFacts[], act: PublishAct): readonly Finding[] {
  const hands = versions.map(({ traits }) => traits.publisher).filter(each => each !== 'operator')
  if (act.isByJob || hands.length < baselineVersions || hands.includes(act.publisherId)) return []
  const why = `none of ${versions.length} earlier versions came from whoever publishes this`
  return [finding('new-maintainer', weigh(act, 40), why)]
}

function findNewToken(
  tokens: readonly Habit[],
  act: PublishAct,
  now: number,
  baselineMs: number,
): readonly Finding[] {
  if (act.tokenId === '' || act.isByJob || tokens.length === 0) return []
  const known = tokens.find(each => each.value === act.tokenId)
  if (known === undefined)
    return [finding('new-token', weigh(act, 40), 'nothing was ever published with this token before')]
  const silentMs = now - known.lastAt
  if (silentMs <= idleTimes * baselineMs) return []
  const why = `nothing was published with this token for ${Math.floor(silentMs / dayMs)} days`
  return [finding('idle-token', weigh(act, 30), why)]
}

/** People travel: it only adds to something else. */
function findNewNetwork(networks: readonly Habit[], act: PublishAct): readonly Finding[] {
  if (act.network === '' || networks.length === 0) return []
  if (networks.some(each => each.value === act.network)) return []
  return [finding('new-network', 30, 'whoever publishes this never published from that network before')]
}

/** More packages within an hour than this identity ever released together, once it has released for long enough. */
function findVelocity(
  name: PackageName,
  { published: all, baselineMs }: PublishPast,
  now: number,
): readonly Finding[] {
  const old = all.filter(each => now - each.at >= hourMs)
  if (!all.some(each => now - each.at >= baselineMs)) return []
  const count = new Set([name, ...all.filter(each => now - each.at < hourMs).map(each => each.name)]).size
  const group = Math.max(leastGroup, 2 * learnGroup(old))
  if (count <= group) return []
  const why = `${count} packages within an hour, by an identity that releases ${group} at most`
  return [finding('velocity', 100, why)]
}

/** The most packages that were released within one hour. The newest come first. */
function learnGroup(old: readonly PastPublish[]): number {
  const within = new Map<PackageName, number>()
  const count = (name: PackageName, by: 1 | -1) => {
    const there = (within.get(name) ?? 0) + by
    if (there > 0) within.set(name, there)
    else within.delete(name)
  }
  let most = 0
  let from = 0
  for (const { name, at } of old) {
    count(name, 1)
    for (let first = old[from]; first !== undefined && first.at - at > hourMs; first = old[++from])
      count(first.name, -1)
    most = Math.max(most, within.size)
  }
  return most
}

/** A package of yesterday brings nothing new: all of it is. A dependency on a sibling, or on the scope's own, is how releases go. */
function findTrail(
  past: PublishPast,
  { name, news }: PublishAct,
  now: number,
): Pick<Judgement, 'findings' | 'trail'> {
  if (!isOld(past, now)) return { findings: [], trail: [] }
  const recent = past.published.filter(each => each.name !== name && now - each.at < dayMs)
  const siblings = new Set(recent.map(each => `dependency ${each.name}`))
  const scope = scopeOf(name)
  const own = news.filter(
    each => !siblings.has(each) && (scope === undefined || !each.startsWith(`dependency ${scope}/`)),
  )
  const shares = ({ news }: PastPublish) => own.find(each => news.includes(each))
  const same = recent.map(shares).find(each => each !== undefined)
  if (same === undefined) return { findings: [], trail: [] }
  const fellows = recent.filter(each => shares(each) !== undefined)
  const release = recent.filter(each => now - each.at < hourMs && !fellows.includes(each))
  const why = `the same new thing came with ${fellows
    .slice(0, 20)
    .map(each => `${each.name}@${each.version}`)
    .join(', ')}`
  return {
    findings: [finding('same-news', 100, why, same)],
    trail: [...fellows, ...release].map(({ name, version }) => ({ name, version })),
  }
}
