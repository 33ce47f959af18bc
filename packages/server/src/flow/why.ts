// SPDX-License-Identifier: Apache-2.0
import {
  type PackageName,
  type Problem,
  problem,
  type Status,
  statusTable,
  type Version,
} from '@holdfast/core'
import {
  decide,
  nextAllowed,
  type OriginName,
  type RuleHit,
  refuse,
  type VersionFacts,
  type Waiver,
} from '../catalog/index.ts'
import { type Actor, actorId, authorize } from '../identity/index.ts'
import type { ProvenanceFinding } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { type Happening, listHappenings } from './version-history.ts'
import { type PackageView, refuseMissing, viewPackage } from './view.ts'

/** Why a version can be installed or cannot, as everybody who may read the package may know it. */
export interface Explanation {
  readonly name: PackageName
  readonly version: Version
  readonly origin: OriginName
  readonly status: Status
  /** Its tarball goes out. */
  readonly isServed: boolean
  /** The rule that closed it, empty where none did. */
  readonly rule: string
  readonly reason: string
  readonly publishedAt: number
  /** When this changes by itself, in milliseconds since the epoch, or null. */
  readonly until: number | null
  /** What to use instead; undefined where there is nothing, or no need. */
  readonly next: Version | undefined
  /** What every rule says, the deciding one first. */
  readonly hits: readonly RuleHit[]
  /** Waivers for this version, without the people behind them. */
  readonly waivers: readonly Pick<Waiver, 'id' | 'state' | 'rules' | 'reason' | 'askedAt' | 'endsAt'>[]
  /** What attests where it was built, as it was found here; undefined where nothing of that is kept. */
  readonly provenance: ProvenanceFinding | undefined
  /** What was decided about it, newest first. */
  readonly history: readonly Happening[]
  /** Whether asking for a waiver could open it. */
  readonly isWaivable: boolean
}

/** Throws `package-not-found`, `version-not-found`, `version-disbelieved`. */
export async function explainVersion(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  version: Version,
): Promise<Explanation> {
  const { view, facts } = await openVersion(ports, actor, name, version)
  const { served } = decide(facts)
  const next = served ? undefined : nextAllowed(view.versions, version)
  const waivers = (await ports.store.policy.listWaivers(name)).filter(each => each.version === version)
  const { status, rule, reason, publishedAt, until, hits } = facts
  return {
    name,
    version,
    origin: view.origin,
    status,
    isServed: served,
    rule,
    reason: served && status !== 'yanked' ? '' : reason,
    publishedAt,
    until,
    next,
    hits,
    waivers: waivers.map(({ id, state, rules, reason, askedAt, endsAt }) => ({
      id,
      state,
      rules,
      reason,
      askedAt,
      endsAt,
    })),
    provenance: view.known && (await ports.store.provenance.find(name, version))?.finding,
    history: await listHappenings(ports, view, version, publishedAt),
    isWaivable: isWaivable(facts),
  }
}

/** A version as somebody who may read its package sees it. What is not out yet does not exist. */
export async function openVersion(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  version: Version,
): Promise<{ readonly view: PackageView; readonly facts: VersionFacts }> {
  await authorize(ports, actor, 'package:read', name)
  const view = await viewPackage(ports, name)
  if (view === undefined) throw problem('package-not-found', { name })
  const facts = view.versions.find(each => each.version === version)
  if (facts === undefined || statusTable[facts.status].httpStatus === 404) throw refuseMissing(view, version)
  return { view, facts }
}

/** What a rule closed, and a person can open: never what is known to be malware. */
export function isWaivable({ rule, hits }: VersionFacts): boolean {
  return rule !== '' && !hits.some(hit => hit.isEnforced && hit.kind === 'malware')
}

/** The refusal of bytes that the gate does not let out, noted, so that it is known who waits for what. */
export function refuseBytes(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  facts: VersionFacts,
  all: readonly VersionFacts[],
): Problem {
  return noteRefusal(ports, actor, name, facts.version, refuse(name, facts, all))
}

/** Notes that bytes were asked for and refused, where they are there and closed. Gives the refusal. */
export function noteRefusal(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  version: Version,
  refusal: Problem,
): Problem {
  if (refusal.status === 403 && 'from' in actor) {
    const { address, client } = actor.from
    const subject = `${name}@${version}`
    const accountId = actorId(actor)
    ports.trail.note({
      type: 'denied',
      accountId,
      what: fetchAct,
      subject,
      why: refusal.code,
      address,
      client,
    })
  }
  return refusal
}

/** What was refused, in the record of refusals, when it was the bytes of a version. */
export const fetchAct = 'version:fetch'
