// SPDX-License-Identifier: Apache-2.0
/** The list of rules as people write it: read whole, with every fault told at once. */
import { type NamePattern, parseNamePattern, readVersionRange } from '@holdfast/core'
import * as v from 'valibot'
import type { Policy, Rule } from './policy.ts'

/** Everything that is wrong with a list of rules, at once. */
export class RuleFaults extends Error {
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'RuleFaults'
    this.faults = faults
  }
}

const pattern = v.pipe(
  v.string('must be text'),
  v.check(isPattern, 'must be a name or a pattern such as @acme/*'),
  v.transform(text => text as NamePattern),
)
const daysWords = 'must be a number of days, 0 to 3650'
const days = v.pipe(v.number(daysWords), v.minValue(0, daysWords), v.maxValue(3650, daysWords))
const range = v.pipe(
  v.string('must be text'),
  v.check(text => readVersionRange(text) !== undefined, 'must be versions such as 1.2.3 or >=1.0.0 <1.2.3'),
)

/** What every rule may say. */
const common = {
  name: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'must be a short word'))),
  action: v.optional(v.picklist(['warn', 'hold', 'block'], 'must be warn, hold or block')),
  mode: v.optional(v.picklist(['monitor', 'enforce'], 'must be monitor or enforce'), 'monitor'),
  packages: v.optional(v.array(pattern, 'must be a list'), ['*']),
  except: v.optional(v.array(pattern, 'must be a list'), []),
  origins: v.optional(v.union([v.literal('upstreams'), v.array(v.string())], 'must be a list'), 'upstreams'),
}
const named = v.pipe(v.array(pattern, 'must be a list'), v.minLength(1, 'must name packages'))

const entry = v.variant(
  'kind',
  [
    v.strictObject({ ...common, kind: v.literal('release-age'), days }),
    v.strictObject({ ...common, kind: v.literal('malware') }),
    v.strictObject({
      ...common,
      kind: v.literal('advisory'),
      severity: v.optional(v.picklist(['low', 'moderate', 'high', 'critical']), 'high'),
    }),
    v.strictObject({ ...common, kind: v.literal('install-script') }),
    v.strictObject({ ...common, kind: v.literal('deprecated') }),
    v.strictObject({
      ...common,
      kind: v.literal('signature'),
      allow: v.optional(v.picklist(['none', 'missing']), 'missing'),
    }),
    v.strictObject({
      ...common,
      kind: v.literal('provenance'),
      demand: v.optional(v.picklist(['required', 'not-downgraded']), 'not-downgraded'),
    }),
    v.strictObject({ ...common, kind: v.literal('publisher-change') }),
    v.strictObject({ ...common, kind: v.literal('new-name'), days }),
    v.strictObject({ ...common, kind: v.literal('look-alike'), days: v.optional(days, 365) }),
    v.strictObject({ ...common, kind: v.literal('unpopular') }),
    v.strictObject({ ...common, kind: v.literal('screening') }),
    v.strictObject({ ...common, kind: v.literal('behaviour') }),
    // Whom a list names must be said: `*` by oversight would deny everything.
    v.strictObject({ ...common, kind: v.literal('deny'), packages: named, versions: v.optional(range, '*') }),
    v.strictObject({ ...common, kind: v.literal('allow-only'), packages: named }),
  ],
  ({ expected }) =>
    expected === 'Object'
      ? 'must be a rule, such as {kind: release-age, days: 3}'
      : `there is no such kind of rule (known: ${String(expected).replaceAll(' | ', ', ').replace(/[(")]/g, '')})`,
)

/**
 * Turns what a configuration or a row says into rules; throws `RuleFaults` with all faults. A rule without a name is called by
 * its kind; two of one name are a fault, since waivers and grandfathering go by it.
 */
export function parseRules(input: unknown): readonly Rule[] {
  const parsed = v.safeParse(v.array(entry, 'must be a list of rules'), input)
  if (!parsed.success) throw new RuleFaults(parsed.issues.map(explain))
  const rules = parsed.output.map(each => ({
    ...each,
    name: each.name ?? each.kind,
    action: each.action ?? (each.kind === 'deprecated' ? 'warn' : 'block'),
  }))
  const twice = rules.filter((each, at) => rules.findIndex(other => other.name === each.name) !== at)
  if (twice.length > 0)
    throw new RuleFaults(
      twice.map(({ name }) => `${name}: two rules have this name; give one another \`name\``),
    )
  return rules
}

/** What a fresh instance starts from: what stops attacks is enforced, all else is watched until somebody looked at its preview. */
export const defaultRules: readonly Rule[] = parseRules([
  { kind: 'malware', mode: 'enforce' },
  { kind: 'signature', mode: 'enforce' },
  { kind: 'release-age', days: 3, mode: 'enforce' },
  { kind: 'screening', action: 'hold', mode: 'enforce' },
  { kind: 'screening', name: 'screening-publish', action: 'hold', mode: 'enforce', origins: ['hosted'] },
  { kind: 'behaviour', action: 'hold', mode: 'enforce', origins: ['hosted'] },
  { kind: 'advisory', severity: 'critical' },
  { kind: 'provenance', action: 'hold' },
  { kind: 'publisher-change', action: 'hold' },
  { kind: 'install-script', action: 'hold' },
  { kind: 'new-name', days: 7, action: 'hold' },
  { kind: 'look-alike', action: 'hold' },
  { kind: 'unpopular', action: 'hold' },
  { kind: 'deprecated' },
])

/** The policy of an instance where nobody set one. What it enforces was never turned on: nothing was served before. */
export const defaultPolicy: Policy = { version: 0, rules: defaultRules, enforcedSince: new Map() }

/**
 * The policy after a change of its list. What a rule newly closes, because it did not before or reaches for more now, it
 * closes from `at` on: what was served until then is left alone.
 */
export function nextPolicy(before: Policy, rules: readonly Rule[], at: number): Policy {
  const since = rules.filter(closes).map(rule => {
    const same = before.rules.find(each => each.name === rule.name)
    const isSame = same !== undefined && closes(same) && reachOf(same) === reachOf(rule)
    return [rule.name, isSame ? (before.enforcedSince.get(rule.name) ?? 0) : at] as const
  })
  return { version: before.version + 1, rules, enforcedSince: new Map(since) }
}

function closes(rule: Rule): boolean {
  return rule.mode === 'enforce' && rule.action !== 'warn'
}

function reachOf({ name: _name, action: _action, mode: _mode, except: _except, ...reach }: Rule): string {
  return JSON.stringify(Object.entries(reach).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isPattern(text: string): boolean {
  try {
    parseNamePattern(text)
    return true
  } catch {
    return false
  }
}

function explain(issue: v.BaseIssue<unknown>): string {
  const at = v.getDotPath(issue) ?? ''
  if (issue.type === 'strict_object') return `${at}: there is no such key in this kind of rule`
  return at === '' ? issue.message : `${at}: ${issue.message}`
}
