// SPDX-License-Identifier: Apache-2.0
/** The policy as state: how it changes, and what a change would do to those who install here. */
import { createHash } from 'node:crypto'
import {
  encodeCanonical,
  isProblem,
  type PackageName,
  type ProblemCode,
  problem,
  type Version,
} from '@holdfast/core'
import { decide, defaultPolicy, nextPolicy, type Policy, type Rule, type RuleMode } from '../catalog/index.ts'
import { type Actor, authorize } from '../identity/index.ts'
import { saltDocument } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { keptMirrors } from './kept-mirrors.ts'
import { provePresence } from './presence.ts'
import { currentPolicy, findKept, type Viewing, viewUnder } from './view.ts'
import { fetchAct } from './why.ts'

const dayMs = 24 * 3600_000
const usedMs = 30 * dayMs
/** Packages that a preview looks at, those used most first. */
const maxPreviewed = 2000
/** The same where nobody asked for it, and a page or a start waits. */
export const maxGlanced = 200
const maxRefusals = 2000

/** A version that is installed here and that a policy would stop. */
export interface Hidden {
  readonly package: PackageName
  readonly version: Version
  readonly rule: string
  readonly why: string
}

/** What a policy would do to the versions that were fetched here in the last 30 days. */
export interface PolicyPreview {
  readonly usedVersions: number
  /** Open now, closed then. */
  readonly hidden: readonly Hidden[]
  /** How many of them each rule says something about, by its name, whether it is carried out or not. */
  readonly hits: ReadonlyMap<string, number>
  /** False when more packages are used than were looked at. */
  readonly isWhole: boolean
}

/** Looks at a list of rules as if it were in force from now on, over the most used packages. Asks no upstream. */
export async function previewPolicy(
  ports: Viewing,
  rules: readonly Rule[],
  packages = maxPreviewed,
): Promise<PolicyPreview> {
  const now = ports.clock()
  const policy = await currentPolicy(ports)
  const isSame = isInForce(policy, rules)
  // Whatever is used by the time somebody looks was served before these rules, also what is written down meanwhile.
  const next = isSame ? policy : nextPolicy(policy, rules, Number.POSITIVE_INFINITY)
  const offline = { ...ports, mirrors: keptMirrors(ports.store, now) }
  const used = await ports.store.downloads.listUsed(now - usedMs, packages + 1)
  const hidden: Hidden[] = []
  const hits = new Map<string, number>()
  let usedVersions = 0
  for (const [name, versions] of used.slice(0, packages)) {
    const found = await findKept(offline, name)
    if (found === undefined) continue
    const after = await viewUnder(offline, next, found)
    const before = isSame ? after : await viewUnder(offline, policy, found)
    const isOpen = new Set(before.versions.filter(each => decide(each).served).map(each => each.version))
    for (const facts of after.versions) {
      if (!versions.has(facts.version)) continue
      usedVersions += 1
      for (const { rule } of facts.hits) hits.set(rule, (hits.get(rule) ?? 0) + 1)
      if (isOpen.has(facts.version) && !decide(facts).served)
        hidden.push({ package: name, version: facts.version, rule: facts.rule, why: facts.reason })
    }
  }
  return { usedVersions, hidden, hits, isWhole: used.length <= packages }
}

/**
 * Puts a list of rules in force, on every path and replica within a second. The event tells what it does to those who install
 * here. Gives the preview, or undefined when the list is in force already. `presence` is proved by people.
 */
export async function applyPolicy(
  ports: Ports,
  actor: Actor,
  rules: readonly Rule[],
): Promise<PolicyPreview | undefined> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  if (isInForce(await currentPolicy(ports), rules)) return undefined
  await provePresence(ports, grant)
  // What was served a moment ago counts as served before.
  await ports.downloads.flush()
  const preview = await previewPolicy(ports, rules, actor.kind === 'system' ? maxGlanced : maxPreviewed)
  const at = ports.clock()
  const document = saltDocument({ rules })
  const event = {
    type: 'policy',
    fields: { op: 'set', config: document.digest },
    document,
    detail: {
      rules,
      hides: preview.hidden.length,
      of: preview.usedVersions,
      named: preview.hidden.slice(0, 100),
    },
  } as const
  try {
    await ports.store.commit(grant, event, async tx => {
      const before = (await tx.policy.current()) ?? defaultPolicy
      await tx.policy.setPolicy(nextPolicy(before, rules, at), at)
    })
  } catch (error) {
    if (!isProblem(error) || error.code !== 'revision-conflict') throw error
    // Another replica was first, mostly with the same list.
    return applyPolicy(ports, actor, rules)
  }
  return preview
}

/** Has a rule carried out, or only watched. Throws `rule-not-found`, `policy-configured`. */
export async function setRuleMode(
  ports: Ports,
  actor: Actor,
  name: string,
  mode: RuleMode,
): Promise<PolicyPreview | undefined> {
  return applyPolicy(ports, actor, await rulesWithMode(ports, name, mode))
}

/** The list in force with one rule in another mode. Throws `rule-not-found`, `policy-configured`. */
export async function rulesWithMode(ports: Ports, name: string, mode: RuleMode): Promise<readonly Rule[]> {
  // At the next start the configuration would undo it.
  if (ports.config.policy !== undefined) throw problem('policy-configured')
  const { rules } = await currentPolicy(ports)
  if (!rules.some(rule => rule.name === name)) throw problem('rule-not-found', { rule: name })
  return rules.map(rule => (rule.name === name ? { ...rule, mode } : rule))
}

/** A version whose bytes were asked for and refused. */
export interface Refused {
  readonly package: PackageName
  readonly version: Version
  readonly why: ProblemCode
  readonly count: number
  readonly lastAt: number
}

/** What was asked for and not given out since a time, the most wanted first; of very many the newest. */
export async function listRefused(ports: Ports, actor: Actor, sinceMs: number): Promise<readonly Refused[]> {
  await authorize(ports, actor, 'policy:read', '')
  await ports.trail.flush()
  const query = { type: 'denied', since: sinceMs } as const
  const refused = new Map<string, Refused>()
  for (const { at, detail } of await ports.store.events.search(query, Number.MAX_SAFE_INTEGER, maxRefusals)) {
    const subject = String(detail['subject'])
    const slash = subject.lastIndexOf('@')
    if (detail['what'] !== fetchAct || slash < 1) continue
    const before = refused.get(subject)
    refused.set(subject, {
      package: subject.slice(0, slash) as PackageName,
      version: subject.slice(slash + 1) as Version,
      why: detail['why'] as ProblemCode,
      count: (before?.count ?? 0) + Number(detail['count']),
      lastAt: Math.max(before?.lastAt ?? 0, at),
    })
  }
  return [...refused.values()].sort((a, b) => b.count - a.count)
}

function isInForce(policy: Policy, rules: readonly Rule[]): boolean {
  return digestRules(policy.rules) === digestRules(rules)
}

function digestRules(rules: readonly Rule[]): string {
  const text = encodeCanonical(JSON.parse(JSON.stringify(rules)))
  return `sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`
}
