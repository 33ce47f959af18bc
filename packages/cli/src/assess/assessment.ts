// SPDX-License-Identifier: Apache-2.0
import type { Capability, CapabilityLevel, CapabilityTrack, TaxonomyQuestion } from '@holdfast/core'
import { capabilities, frameworkVersion, isApplicable } from '@holdfast/core'
import type { Evidence, Probe, ProbeInstance } from './probe.ts'

/** How one capability stands. */
export interface CapabilityResult {
  readonly id: string
  readonly level: CapabilityLevel
  readonly status: 'pass' | 'fail' | 'missing' | 'not-applicable'
  readonly evidence: Evidence
}

/** The framework's tracks that have levels; `beyond` has none. */
export type LevelTrack = Exclude<CapabilityTrack, 'beyond'>

/** The result of one assessment, as `holdfast assess --json` prints it. */
export interface Assessment {
  readonly framework: string
  readonly capabilities: readonly CapabilityResult[]
  /** 0 where not even the first level is reached. */
  readonly levels: Readonly<Record<LevelTrack, 0 | 1 | 2 | 3>>
}

/** Holdfast has accounts and serves built packages, so every track of the framework applies to it. */
const answers: Readonly<Record<TaxonomyQuestion, boolean>> = { accounts: true, 'built-packages': true }

/** Runs every probe against one instance, one after the other, so that none disturbs another's counters. */
export async function assess(instance: ProbeInstance, probes: readonly Probe[]): Promise<Assessment> {
  const results: CapabilityResult[] = []
  for (const capability of capabilities) results.push(await examine(capability, instance, probes))
  return { framework: frameworkVersion, capabilities: results, levels: deriveLevels(results) }
}

async function examine(
  capability: Capability,
  instance: ProbeInstance,
  probes: readonly Probe[],
): Promise<CapabilityResult> {
  const { id, level } = capability
  if (!isApplicable(capability, answers)) return { id, level, status: 'not-applicable', evidence: [] }
  const probe = probes.find(each => each.capability === id)
  if (probe === undefined) return { id, level, status: 'missing', evidence: [] }
  try {
    return { id, level, status: 'pass', evidence: await probe.run(instance) }
  } catch (error) {
    return { id, level, status: 'fail', evidence: [error instanceof Error ? error.message : String(error)] }
  }
}

/** The highest level of each track at which every applicable capability, of that level and below, passes. */
export function deriveLevels(results: readonly CapabilityResult[]): Assessment['levels'] {
  const levelOf = (track: LevelTrack) => deriveLevel(results.filter(({ id }) => trackOf(id) === track))
  return {
    authentication: levelOf('authentication'),
    authorization: levelOf('authorization'),
    general: levelOf('general'),
    cli: levelOf('cli'),
  }
}

function deriveLevel(results: readonly CapabilityResult[]): 0 | 1 | 2 | 3 {
  const open = results
    .filter(({ status }) => status === 'fail' || status === 'missing')
    .map(({ level }) => level)
  if (open.includes(1)) return 0
  if (open.includes(2)) return 1
  return open.includes(3) ? 2 : 3
}

function trackOf(id: string): CapabilityTrack | undefined {
  return capabilities.find(capability => capability.id === id)?.track
}
