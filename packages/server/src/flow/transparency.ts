// SPDX-License-Identifier: Apache-2.0
/** What this registry was told, found and did, as numbers that anybody may see: counted from its record, no person and no package named. */
import { type EventType, isDrillName } from '@holdfast/core'
import type { StoredEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'

const dayMs = 24 * 3600_000
/** Days that a column of the report reaches back. */
export const reportPeriods = [30, 90, 365] as const
const mostCounted = 20_000
const keptMs = 10 * 60_000

/** One line of the report: how often something happened in each period. */
export interface TransparencyLine {
  readonly label: string
  readonly counts: readonly number[]
  /** There were more than are counted. */
  readonly isCut: boolean
}

export interface TransparencyReport {
  readonly madeAt: number
  readonly lines: readonly TransparencyLine[]
  /** Of cases closed in a year, half took no longer than this, in milliseconds; null where none was closed. */
  readonly medianCaseMs: number | null
}

interface Wanted {
  readonly label: string
  readonly type: EventType
  readonly isMeant?: (event: StoredEvent) => boolean
}

const opIs = (op: string) => (event: StoredEvent) => event.detail['op'] === op
const isPerson = (event: StoredEvent) => event.actorKind !== 'system'

const wanted: readonly Wanted[] = [
  { label: 'Reports that counted', type: 'report', isMeant: opIs('count') },
  { label: 'Reports that were right', type: 'report', isMeant: opIs('confirmed') },
  { label: 'Reports that were wrong', type: 'report', isMeant: opIs('dismissed') },
  { label: 'Cases opened', type: 'case', isMeant: opIs('open') },
  { label: 'Cases closed', type: 'case', isMeant: opIs('close') },
  { label: 'Versions held before anybody got them', type: 'hold' },
  { label: 'Versions quarantined by people', type: 'quarantine', isMeant: isPerson },
  { label: 'Versions quarantined by rule', type: 'quarantine', isMeant: event => !isPerson(event) },
  { label: 'Versions let go', type: 'release' },
  { label: 'Freezes and thaws', type: 'freeze' },
  { label: 'Versions and packages unpublished', type: 'unpublish' },
  { label: 'Tokens revoked', type: 'token-revoke' },
  { label: 'Accounts disabled, recovered or deleted', type: 'account' },
]

const kept = new WeakMap<Ports['store'], Promise<TransparencyReport>>()

/** The report as of the last ten minutes: anybody may ask, and counting costs. */
export async function readTransparency(ports: Pick<Ports, 'store' | 'clock'>): Promise<TransparencyReport> {
  const before = await kept.get(ports.store)?.catch(() => undefined)
  if (before !== undefined && before.madeAt > ports.clock() - keptMs) return before
  const made = makeReport(ports)
  kept.set(ports.store, made)
  return made
}

async function makeReport({ store, clock }: Pick<Ports, 'store' | 'clock'>): Promise<TransparencyReport> {
  const now = clock()
  const since = now - Math.max(...reportPeriods) * dayMs
  const found = new Map<EventType, readonly StoredEvent[]>()
  for (const type of new Set(wanted.map(each => each.type)))
    found.set(type, await store.events.search({ type, since }, Number.MAX_SAFE_INTEGER, mostCounted))
  const lines = wanted.map(({ label, type, isMeant = () => true }) => {
    const all = found.get(type) ?? []
    // What was rehearsed did not happen.
    const meant = all.filter(each => isMeant(each) && !isDrillName(each.pkg ?? ''))
    const counts = reportPeriods.map(days => meant.filter(each => each.at > now - days * dayMs).length)
    return { label, counts, isCut: all.length >= mostCounted }
  })
  return { madeAt: now, lines, medianCaseMs: medianOf(found.get('case') ?? []) }
}

function medianOf(events: readonly StoredEvent[]): number | null {
  const opened = new Map(events.filter(opIs('open')).map(each => [each.detail['case'], each.at]))
  const took = events
    .filter(opIs('close'))
    .flatMap(each => {
      const from = opened.get(each.detail['case'])
      return from === undefined ? [] : [each.at - from]
    })
    .sort((one, other) => one - other)
  return took[Math.floor((took.length - 1) / 2)] ?? null
}
