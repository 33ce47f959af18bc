// SPDX-License-Identifier: Apache-2.0
/** What each kind of rule asks of a version. */
import { readVersionRange, type Version, type VersionRange } from '@holdfast/core'
import { readCovered } from './advisory.ts'
import { findFix } from './fix.ts'
import { type History, isWeaker, readHistory } from './history.ts'
import type { JudgeContext } from './judge.ts'
import type { Advisory, Rule, RuleHit, Severity } from './policy.ts'
import type { KeptFacts } from './port.ts'

const dayMs = 24 * 3600_000
const severities: readonly Severity[] = ['low', 'moderate', 'high', 'critical']

/** An advisory with its range read. One whose range cannot be read counts for all versions: silence would be the danger. */
export interface ReadAdvisory extends Advisory {
  readonly covers: VersionRange
}

/** Everything rules look at, read once for a package. */
export interface Evidence {
  readonly context: JudgeContext
  readonly kept: readonly KeptFacts[]
  readonly advisories: readonly ReadAdvisory[]
  readonly siblingAdvisories: readonly Advisory[]
  readonly history: History
  /** The ranges of deny rules, by the rule's name. */
  readonly denied: ReadonlyMap<string, VersionRange>
}

/** What a rule finds, before anybody asks whether it is carried out. */
type Finding = Pick<RuleHit, 'why' | 'until' | 'grounds' | 'spared'>

export function readEvidence(
  rules: readonly Rule[],
  context: JudgeContext,
  kept: readonly KeptFacts[],
): Evidence {
  const all: VersionRange = () => true
  const denied = rules.flatMap(rule =>
    rule.kind === 'deny' ? [[rule.name, readVersionRange(rule.versions) ?? all] as const] : [],
  )
  return {
    context,
    kept,
    advisories: context.advisories
      .filter(each => each.withdrawnAt === null)
      .map(each => ({ ...each, covers: readCovered(each) })),
    siblingAdvisories: context.siblingAdvisories.filter(each => each.withdrawnAt === null),
    history: readHistory(kept),
    denied: new Map(denied),
  }
}

/** What one rule says of one version; undefined where it has nothing to say. */
export function hitBy(rule: Rule, evidence: Evidence, kept: KeptFacts): Finding | undefined {
  const { context, history } = evidence
  const { traits } = kept
  switch (rule.kind) {
    case 'release-age':
      return findYoung(rule.days, evidence, kept)
    case 'malware':
      return findMalware(evidence, kept)
    case 'advisory':
      return findVulnerable(rule.severity, evidence, kept.version)
    case 'install-script':
      return say(traits.hasInstallScript && 'it runs code of its own when it is installed')
    case 'deprecated':
      return say(kept.deprecated !== '' && `its maintainers deprecated it: ${kept.deprecated}`)
    case 'signature':
      return findUnsigned(rule.allow, history, kept)
    case 'provenance':
      return findUnproven(rule.demand, history, kept)
    case 'publisher-change':
      return say(
        history.isNewPublisher(kept) &&
          `${traits.publisher} published it, who has published no version of this package for two weeks or longer`,
      )
    case 'new-name':
      return findNew(rule.days, context)
    case 'look-alike':
      return findAlike(rule.days, context)
    case 'unpopular':
      return say(context.isPopular === false && 'its name is not among the well-used ones')
    case 'screening':
      return findScreened(context, kept.version)
    case 'behaviour':
      return undefined
    case 'deny':
      return say(
        evidence.denied.get(rule.name)?.(kept.version) === true && 'it is on the list of what is denied',
      )
    case 'allow-only':
      return say('it is not on the list of what is allowed')
  }
}

function say(why: string | false): Finding | undefined {
  return why === false ? undefined : { why, until: null }
}

function findYoung(days: number, evidence: Evidence, kept: KeptFacts): Finding | undefined {
  const { now, agesUntil } = evidence.context
  const until = kept.traits.knownSince + days * dayMs
  if (agesUntil >= until) return undefined
  const passes =
    now >= until
      ? 'waits longer, because what is known to be bad has not been heard for a day'
      : `passes at ${new Date(until).toISOString()}`
  const why = `${now >= until ? 'it was younger' : 'it is younger'} than ${days} ${days === 1 ? 'day' : 'days'} and ${passes}`
  const fix = findFix(evidence, kept, now - days * dayMs)
  return fix === undefined ? { why, until } : { why: `${why}, but ${fix.why}`, until, spared: fix.kind }
}

function findMalware({ context, advisories }: Evidence, { version, traits }: KeptFacts): Finding | undefined {
  const bad = traits.digest === undefined ? undefined : context.badDigests.get(traits.digest)
  if (bad !== undefined) return say(`its bytes are known to be bad: ${bad}`)
  const found = advisories.find(each => each.kind === 'malware' && each.covers(version))
  return found && say(`it is known malware (${found.id}): ${found.title}`)
}

function findVulnerable(least: Severity, { advisories }: Evidence, version: Version): Finding | undefined {
  const found = advisories.filter(
    each =>
      each.kind === 'vulnerability' &&
      severities.indexOf(each.severity) >= severities.indexOf(least) &&
      each.covers(version),
  )
  if (found.length === 0) return undefined
  return {
    why: `it has known flaws: ${found.map(each => `${each.id} (${each.severity}) ${each.title}`).join(', ')}`,
    until: null,
    grounds: found.map(each => [each.id, ...each.aliases]),
  }
}

function findUnsigned(allow: 'none' | 'missing', history: History, kept: KeptFacts): Finding | undefined {
  const { signature } = kept.traits
  if (signature === 'broken') return say("its registry's signature does not match it")
  if (signature !== 'missing') return undefined
  // Unsigned after signed: whoever dropped the signature had a reason.
  if (history.wasSignedBefore(kept)) return say('it is not signed, and earlier versions were')
  return say(allow === 'none' && 'it is not signed')
}

function findUnproven(
  demand: 'required' | 'not-downgraded',
  history: History,
  kept: KeptFacts,
): Finding | undefined {
  const before = history.provenanceBefore(kept)
  const { provenance } = kept.traits
  if (provenance === 'broken') return say('what attests where it was built does not hold')
  if (isWeaker(provenance, before))
    return say(`earlier versions told where they were built (${before}), this one less (${provenance})`)
  return say(demand === 'required' && provenance === 'none' && 'nothing tells where it was built')
}

function findScreened({ screenings }: JudgeContext, version: Version): Finding | undefined {
  const found = screenings.get(version)
  if (found === undefined || found.hold === 'released') return undefined
  if (found.state === 'hold') {
    // What was found exactly is for those who respond: whoever tries to get past learns nothing. Established versions are told about and stay open: thousands of builds must not stop for a guess.
    return {
      why: 'screening found in it what malware does, and a responder has to look at it',
      until: null,
      grounds: [['found-by-screening']],
      ...(found.mayHold ? {} : { spared: 'established' }),
    }
  }
  const waits = found.mayHold && (found.state === 'due' || found.state === 'failed')
  return waits
    ? { why: 'it could not be screened yet', until: null, grounds: [['not-screened-yet']] }
    : undefined
}

function findNew(days: number, { createdAt, now }: JudgeContext): Finding | undefined {
  const until = createdAt + days * dayMs
  if (now >= until) return undefined
  return { why: `its name is younger than ${days} ${days === 1 ? 'day' : 'days'}`, until }
}

function findAlike(days: number, { createdAt, now, lookAlike }: JudgeContext): Finding | undefined {
  const until = createdAt + days * dayMs
  if (lookAlike === undefined || now >= until) return undefined
  const { target, technique } = lookAlike
  return { why: `its name is likely taken for ${target} (${technique}): did you mean ${target}?`, until }
}
