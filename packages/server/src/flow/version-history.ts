// SPDX-License-Identifier: Apache-2.0
import { decodeLeaf, type EventType, type PackageName, type Version } from '@holdfast/core'
import { defaultRules, type OriginName, type Rule, rulesFor } from '../catalog/index.ts'
import type { StoredEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'

/** Events of a package that are looked through for what happened to one version. */
const maxEvents = 500
const maxPolicies = 100

/** Something that was decided about a version. Who did it is not for everybody: the record of the instance knows. */
export interface Happening {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The type of the event; of a waiver and of the policy with what became of it. */
  readonly what: string
  /** Of a change of the policy: rules for this package that changed, came or went, by name. */
  readonly rules?: readonly string[]
}

const decisions: ReadonlySet<EventType> = new Set([
  'publish',
  'ingest',
  'hold',
  'quarantine',
  'release',
  'yank',
  'unyank',
  'unpublish',
  'deprecate',
  'waiver',
])

/** What happened to one version of a package since it was published, newest first. Whoever shows it asks who may read. */
export async function listHappenings(
  ports: Pick<Ports, 'store'>,
  { name, origin }: { readonly name: PackageName; readonly origin: OriginName },
  version: Version,
  publishedAt: number,
): Promise<readonly Happening[]> {
  const { events } = ports.store
  const own = await events.search({ package: name }, Number.MAX_SAFE_INTEGER, maxEvents)
  const lists = { type: 'policy', package: null } as const
  const policies = await events.search(lists, Number.MAX_SAFE_INTEGER, maxPolicies)
  const happened = own
    .filter(({ ver, type }) => ver === version && decisions.has(type))
    .map(({ at, type, leaf }) => ({
      at,
      what: type === 'waiver' ? `waiver-${String(decodeLeaf(leaf ?? '{}')['op'])}` : type,
    }))
  const changed = policyChanges(policies, name, origin).filter(({ at }) => at >= publishedAt)
  return [...happened, ...changed].sort((a, b) => b.at - a.at)
}

/** Changes of the policy that a package can feel: of every list in force, against the one before. */
function policyChanges(
  events: readonly StoredEvent[],
  name: PackageName,
  origin: OriginName,
): readonly Happening[] {
  const lists = events
    .filter(({ detail }) => Array.isArray(detail['rules']))
    .map(({ at, detail }) => ({ at, rules: detail['rules'] as readonly Rule[] }))
  return lists.flatMap(({ at, rules }, index) => {
    const before = lists[index + 1]?.rules ?? (events.length < maxPolicies ? defaultRules : undefined)
    if (before === undefined) return []
    const [then, now] = [before, rules].map(list => wordsByRule(list, name, origin)) as [Words, Words]
    const changed = [...new Set([...then.keys(), ...now.keys()])].filter(
      rule => then.get(rule) !== now.get(rule),
    )
    return changed.length === 0 ? [] : [{ at, what: 'set', rules: changed }]
  })
}

type Words = ReadonlyMap<string, string>

function wordsByRule(rules: readonly Rule[], name: PackageName, origin: OriginName): Words {
  const looking = rulesFor({ version: 0, rules, enforcedSince: new Map() }, name, origin)
  return new Map(looking.map(rule => [rule.name, JSON.stringify(Object.entries(rule).sort(byKey))]))
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}
