// SPDX-License-Identifier: Apache-2.0
import { type PeerName, peerNames } from '../server/peer.ts'

/** What a row counts. */
export type Unit = 'per second' | 'ms' | 's' | 'MB' | '×'

/** What a row should reach: a factor against a peer (above 1: Holdfast is faster or smaller), or an upper or lower limit. */
export type Target =
  | { readonly kind: 'factor'; readonly against: PeerName; readonly atLeast: number }
  | { readonly kind: 'limit'; readonly atMost: number }
  | { readonly kind: 'least'; readonly atLeast: number }

/** One line of the table. */
export type Row = {
  readonly id: string
  readonly title: string
  readonly unit: Unit
  readonly targets: readonly Target[]
}

export type Samples = Partial<Record<PeerName, readonly number[]>>

/** A row with what was measured, one number a round. */
export type Found = { readonly row: Row; readonly samples: Samples }

/** How long and how much to measure. */
export type Options = {
  readonly quick: boolean
  readonly rounds: number
  readonly seconds: number
  /** Measure reads and starts by the server's processor time instead of the clock. */
  readonly processorTime: boolean
  /** Folder of this run, removed at its end. */
  readonly folder: string
  /** Folder of downloads that outlive a run. */
  readonly cache: string
  /** Peers that are not on this machine. */
  readonly absent: ReadonlySet<PeerName>
  /** What was left out and why, for the foot of the report. */
  readonly notes: string[]
  /** Says on the terminal what is going on. */
  say(text: string): void
}

/** Rows that share their servers. */
export type Section = {
  readonly rows: readonly Row[]
  run(options: Options, rows: readonly Row[]): Promise<Found[]>
}

/** A factor that a row should reach against a peer. */
export function factor(against: PeerName, atLeast: number): Target {
  return { kind: 'factor', against, atLeast }
}

/** A number that a row should stay below. */
export function limit(atMost: number): Target {
  return { kind: 'limit', atMost }
}

/** A number that a row should reach. */
export function atLeast(least: number): Target {
  return { kind: 'least', atLeast: least }
}

/** Measures one thing on each peer in turn, round after round, so that a busy minute of the machine hits all of them. */
export async function interleave<T extends { readonly name: PeerName }>(
  peers: readonly T[],
  rounds: number,
  measure: (peer: T, round: number) => Promise<number>,
): Promise<Samples> {
  const samples = new Map<PeerName, number[]>(peers.map(peer => [peer.name, []]))
  for (let round = 0; round < rounds; round++)
    for (const peer of peers) samples.get(peer.name)?.push(await measure(peer, round))
  return Object.fromEntries(samples)
}

/** The middle of the numbers; the mean of the two middle ones where their count is even. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2
}

/** How often Holdfast is better than a peer: more answers, less time, less memory. */
export function factorOf(found: Found, against: PeerName): number | undefined {
  const ours = found.samples.holdfast
  const theirs = found.samples[against]
  if (!ours || !theirs) return undefined
  const ratio = median(ours) / median(theirs)
  return found.row.unit === 'per second' ? ratio : 1 / ratio
}

/** True or false where the row's targets can be judged, undefined where something was not measured. */
export function isReached(found: Found): boolean | undefined {
  const ours = found.samples.holdfast
  if (!ours || found.row.targets.length === 0) return undefined
  const verdicts = found.row.targets.map(target => {
    if (target.kind === 'limit') return median(ours) <= target.atMost
    if (target.kind === 'least') return median(ours) >= target.atLeast
    const factor = factorOf(found, target.against)
    return factor === undefined ? undefined : factor >= target.atLeast
  })
  if (verdicts.includes(false)) return false
  return verdicts.includes(undefined) ? undefined : true
}

/** The peers of a list in the order of the table, without those that did not start. */
export function present<T extends { readonly name: PeerName }>(peers: readonly (T | undefined)[]): T[] {
  const found = peers.filter(peer => peer !== undefined)
  return found.toSorted((a, b) => peerNames.indexOf(a.name) - peerNames.indexOf(b.name))
}
