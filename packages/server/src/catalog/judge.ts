// SPDX-License-Identifier: Apache-2.0
/** The policy applied: kept facts of a whole package in, what everybody may see of it out. Pure, so that every path agrees. */
import { type Digest, matchesName, type PackageName, type Status, type Version } from '@holdfast/core'
import type { Advisory, Likeness, Policy, Rule, RuleHit, Waiver } from './policy.ts'
import type { KeptFacts, VersionFacts } from './port.ts'
import { type Evidence, hitBy, readEvidence } from './rule.ts'
import type { Screening } from './screening.ts'
import type { OriginName } from './upstream.ts'

/** What a policy asks of a package beyond its versions. */
export interface JudgeContext {
  readonly name: PackageName
  readonly origin: OriginName
  /** Milliseconds since the epoch. */
  readonly now: number
  /** How far the clock of release ages has come: now, or where it stands still while a feed of advisories is silent. */
  readonly agesUntil: number
  /** When the name was made. */
  readonly createdAt: number
  readonly waivers: readonly Waiver[]
  readonly advisories: readonly Advisory[]
  /** Advisories of other packages of the scope, for releases that fix several packages at once. */
  readonly siblingAdvisories: readonly Advisory[]
  /** Which of the versions' digests are known to be bad, and why. */
  readonly badDigests: ReadonlyMap<Digest, string>
  /** Versions that were served here or that a lock file named, and when first. */
  readonly grandfathered: ReadonlyMap<Version, number>
  /** What screening found in versions. */
  readonly screenings: ReadonlyMap<Version, Screening>
  /** Whether it is among the well-used names; undefined where the operator gives no list. */
  readonly isPopular: boolean | undefined
  /** What its name is likely taken for; undefined for nothing, or where no rule asks. */
  readonly lookAlike: Likeness | undefined
}

/** A version where no policy applies: its kept status stands. */
export function settle(kept: KeptFacts): VersionFacts {
  const { version, status, reason, deprecated, publishedAt } = kept
  return { version, status, reason, deprecated, publishedAt, rule: '', hits: [], until: null }
}

/** The rules that look at a name of an origin at all. */
export function rulesFor(policy: Policy, name: PackageName, origin: OriginName): readonly Rule[] {
  // What is hosted was screened before it came in, and its status says what came of it.
  const isAsked = (rule: Rule) =>
    origin !== 'hosted' || (rule.kind !== 'screening' && rule.kind !== 'behaviour')
  return policy.rules.filter(rule => isAsked(rule) && looksAt(rule, name, origin))
}

function looksAt(rule: Rule, name: PackageName, origin: OriginName): boolean {
  const isOfOrigin = rule.origins === 'upstreams' ? origin !== 'hosted' : rule.origins.includes(origin)
  if (!isOfOrigin || rule.except.some(pattern => matchesName(pattern, name))) return false
  const isNamed = rule.packages.some(pattern => matchesName(pattern, name))
  // The list of an allow list is what it leaves alone.
  return rule.kind === 'allow-only' ? !isNamed : isNamed
}

/** All versions of a package as the policy sees them now, in the order they came. */
export function judge(
  policy: Policy,
  context: JudgeContext,
  kept: readonly KeptFacts[],
): readonly VersionFacts[] {
  const rules = rulesFor(policy, context.name, context.origin)
  if (rules.length === 0) return kept.map(settle)
  const evidence = readEvidence(rules, context, kept)
  return kept.map(each => judgeVersion(policy, rules, evidence, each))
}

function judgeVersion(
  policy: Policy,
  rules: readonly Rule[],
  evidence: Evidence,
  kept: KeptFacts,
): VersionFacts {
  const { waivers, now } = evidence.context
  const granted = waivers.filter(
    each => each.version === kept.version && each.state === 'granted' && (each.endsAt ?? 0) > now,
  )
  const hits = rules
    .flatMap(rule => {
      const hit = hitBy(rule, evidence, kept)
      return hit === undefined ? [] : [settleHit(policy, rule, evidence, kept, granted, hit)]
    })
    .sort((a, b) => weigh(b) - weigh(a))
  const isOpen = kept.status === 'live' || kept.status === 'yanked'
  // What a person decided stands, whatever a rule says and however long it says so: only open versions are closed by rules.
  if (!isOpen) return { ...settle(kept), hits }
  const until = earliest([...hits.map(hit => hit.until), ...granted.map(each => each.endsAt)], now)
  const deciding = hits[0]
  if (deciding === undefined || weigh(deciding) === 0) return { ...settle(kept), hits, until }
  const closing = hits.filter(hit => weigh(hit) > 0)
  return {
    ...settle(kept),
    status: statusOf(deciding),
    reason: closing.map(hit => hit.why).join('; '),
    rule: deciding.rule,
    hits,
    until,
  }
}

/** Whether a hit is carried out, and why not. */
function settleHit(
  policy: Policy,
  rule: Rule,
  { context }: Evidence,
  { version }: KeptFacts,
  granted: readonly Waiver[],
  hit: Pick<RuleHit, 'why' | 'until' | 'grounds' | 'spared'>,
): RuleHit {
  const spared =
    hit.spared ??
    (rule.mode === 'monitor' ? 'monitor' : undefined) ??
    (isWaived(granted, rule, hit.grounds ?? []) ? 'waived' : undefined) ??
    (isGrandfathered(policy, rule, context.grandfathered.get(version)) ? 'grandfathered' : undefined)
  const { name, kind, action } = rule
  return {
    rule: name,
    kind,
    action,
    why: hit.why,
    until: hit.until,
    isEnforced: spared === undefined,
    ...(hit.grounds === undefined ? {} : { grounds: hit.grounds }),
    ...(spared === undefined ? {} : { spared }),
  }
}

/** Whether waivers lift the rule, and knew of everything that it goes by: a flaw that is found later was not looked at. */
function isWaived(
  granted: readonly Waiver[],
  { name }: Rule,
  grounds: readonly (readonly string[])[],
): boolean {
  const lifting = granted.filter(each => each.rules.includes(name))
  const known = new Set(lifting.flatMap(each => each.grounds))
  return lifting.length > 0 && grounds.every(names => names.some(each => known.has(each)))
}

function isGrandfathered(policy: Policy, rule: Rule, servedAt: number | undefined): boolean {
  if (servedAt === undefined || rule.kind === 'malware' || rule.kind === 'deny') return false
  return servedAt < (policy.enforcedSince.get(rule.name) ?? 0)
}

/** How strongly a hit closes; 0 where it does not. What passes by itself is the weakest. */
function weigh(hit: RuleHit): number {
  if (!hit.isEnforced || hit.action === 'warn') return 0
  if (hit.kind === 'release-age') return 1
  return hit.kind === 'malware' ? 4 : hit.action === 'block' ? 3 : 2
}

function statusOf(hit: RuleHit): Status {
  if (hit.kind === 'release-age') return 'cooling'
  return hit.action === 'block' ? 'blocked' : 'held'
}

function earliest(times: readonly (number | null)[], now: number): number | null {
  const ahead = times.filter(time => time !== null && time > now) as number[]
  return ahead.length === 0 ? null : ahead.reduce((a, b) => Math.min(a, b))
}
