// SPDX-License-Identifier: Apache-2.0
/** Whether a registry serves what its log says, package by package. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Leaf, type PackageName, type ReplayedPackage, replayLeaves } from '@holdfast/core'
import type { Registry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'
import { comparePackage, hasOpenVersion, isHosted } from './difference.ts'
import { compareGateRows, type GateState } from './gate-state.ts'
import { startProgress } from './progress.ts'
import { fetchShown } from './shown.ts'
import { openLog } from './source.ts'

const packagesAtOnce = 8
const settledAfterMs = 1000
const firstBundles = ['tile/entries/000', 'tile/entries/000.p/1'] as const

/** What was found when a registry was compared with its log. */
export interface RegistryState {
  /** How many packages were looked at. */
  readonly packages: number
  /** One line each. */
  readonly differences: readonly string[]
  /** Open versions that the policy keeps back, as it may. */
  readonly hidden: number
  /** Packages that are restricted, or may be, and that the registry does not show to this reader: nothing is known of them. */
  readonly unseen: readonly PackageName[]
  /** Of its differences each is also among `differences`; undefined where the registry does not show it to this reader. */
  readonly gate: GateState | undefined
}

/**
 * Compares every package of a log, and the gate, with what the registry shows. What differs is looked at once more, under the leaves of
 * a newer checkpoint: a change that came in between is no lie.
 */
export async function compareRegistry(
  registry: Registry,
  leaves: readonly Leaf[],
  readAgain: () => Promise<readonly Leaf[]>,
): Promise<RegistryState> {
  const first = replay(leaves)
  const names = [...first.packages].flatMap(([name, told]) => (isBinding(told) ? [name] : []))
  const found = await compareAll(registry, first, names)
  const suspects = names.filter(name => found.get(name)?.differences.length)
  let gate = await compareGateRows(registry, leaves)
  if (suspects.length > 0 || gate?.differences.length) {
    await delay(settledAfterMs)
    const newer = await readAgain()
    for (const [name, each] of await compareAll(registry, replay(newer), suspects)) found.set(name, each)
    gate = stillThere(gate, await compareGateRows(registry, newer))
  }
  return summarize(found, first.faults, gate)
}

/** Whatever was just under way is another row, or another value, the second time. */
function stillThere(first: GateState | undefined, second: GateState | undefined): GateState | undefined {
  if (first === undefined || second === undefined) return second
  const before = new Set(first.differences)
  return { ...second, differences: second.differences.filter(each => before.has(each)) }
}

/** Of an upstream's package that nobody took a measure on, the log binds nothing. */
function isBinding(told: ReplayedPackage): boolean {
  return isHosted(told) || [...told.versions.values()].some(({ status }) => status !== 'live')
}

interface Told {
  readonly packages: ReadonlyMap<PackageName, ReplayedPackage>
  readonly access: ReadonlyMap<PackageName, unknown>
  readonly faults: readonly string[]
}

function replay(leaves: readonly Leaf[]): Told {
  const access = new Map<PackageName, unknown>()
  for (const { type, link, fields } of leaves)
    if (type === 'access' && link !== undefined) access.set(link.pkg, fields['access'])
  return { ...replayLeaves(leaves), access }
}

interface Finding {
  readonly differences: readonly string[]
  readonly hidden: number
  readonly isUnseen: boolean
}

async function compareAll(
  registry: Registry,
  told: Told,
  names: readonly PackageName[],
): Promise<Map<PackageName, Finding>> {
  const findings = new Map<PackageName, Finding>()
  const progress = startProgress('packages', names.length)
  const waiting = names.values()
  const work = async () => {
    for (const name of waiting) {
      findings.set(name, await compareOne(registry, told, name))
      progress.show(findings.size)
    }
  }
  await Promise.all(Array.from({ length: packagesAtOnce }, work)).finally(progress.end)
  return findings
}

async function compareOne(
  registry: Registry,
  { packages, access }: Told,
  name: PackageName,
): Promise<Finding> {
  const told = packages.get(name)
  const shown = await fetchShown(registry, name)
  if (told === undefined || (shown === undefined && !hasOpenVersion(told))) return nothing
  if (shown !== undefined) return { ...comparePackage(told, shown), isUnseen: false }
  if (await mayBeRestricted(registry, access.get(name))) return { ...nothing, isUnseen: true }
  return {
    ...nothing,
    differences: ['it has open versions by the log, and the registry shows no such package'],
  }
}

const nothing: Finding = { differences: [], hidden: 0, isUnseen: false }

/** One that was restricted from its first version has no entry that says so; the log's entries are then not for everybody. */
async function mayBeRestricted(registry: Registry, access: unknown): Promise<boolean> {
  if (access !== undefined) return access === 'restricted'
  const stranger = openLog({ ...registry, token: undefined })
  try {
    for (const path of firstBundles) await stranger.read(path, 256 * (8192 + 2))
    return false
  } catch (error) {
    if (error instanceof UsageError) return true
    throw error
  }
}

function summarize(
  found: ReadonlyMap<PackageName, Finding>,
  faults: readonly string[],
  gate: GateState | undefined,
): RegistryState {
  const all = [...found]
  return {
    packages: found.size,
    differences: [
      ...faults,
      ...all.flatMap(([name, { differences }]) => differences.map(each => `${name}: ${each}`)),
      ...(gate?.differences ?? []),
    ],
    hidden: all.reduce((sum, [, { hidden }]) => sum + hidden, 0),
    unseen: all.flatMap(([name, { isUnseen }]) => (isUnseen ? [name] : [])),
    gate,
  }
}
