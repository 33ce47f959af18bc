// SPDX-License-Identifier: Apache-2.0
import type { Capability, CapabilityId, CapabilityLevel, CapabilityTrack } from '@holdfast/core'
import { capabilities, frameworkVersion, isApplicable } from '@holdfast/core'
import type { Sight } from './outside.ts'
import type { Evidence, Probe, ProbeInstance } from './probe.ts'
import { type Answer, type Questionnaire, unanswered } from './questionnaire.ts'

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

/** Runs every probe against one instance, one after the other, so that none disturbs another's counters. */
export async function assess(
  instance: ProbeInstance,
  probes: readonly Probe[],
  onProgress: (done: number) => void = () => undefined,
): Promise<Assessment> {
  const results: CapabilityResult[] = []
  for (const capability of capabilities) {
    results.push(await examine(capability, instance, probes))
    onProgress(results.length)
  }
  return summarise(results)
}

/** What was seen from outside and what was answered, as one result; what was seen counts for more than what is said. */
export function weigh(
  seen: ReadonlyMap<CapabilityId, Sight>,
  { taxonomy, answers }: Questionnaire,
): Assessment {
  const results = capabilities.map(capability => {
    const { id, level } = capability
    if (!isApplicable(capability, taxonomy))
      return { id, level, status: 'not-applicable', evidence: [] } as const
    const known = id as CapabilityId
    return { id, level, ...settle(seen.get(known), answers.get(known)) }
  })
  return summarise(results)
}

function settle(
  sight: Sight | undefined,
  answer: Answer | undefined,
): Pick<CapabilityResult, 'status' | 'evidence'> {
  const evidence = [...(sight?.evidence ?? []), ...(answer === undefined ? [] : [said(answer)])]
  if (sight?.status === 'pass' || sight?.status === 'fail') return { status: sight.status, evidence }
  if (answer === undefined) return { status: 'missing', evidence }
  return { status: answer.isMet ? 'pass' : 'fail', evidence }
}

function said({ isMet, words, evidence }: Answer): string {
  const claim = isMet ? 'said to be met' : 'said to be missing'
  return [`${claim}${words === '' ? '' : `: ${words}`}`, ...evidence].join(' ')
}

/** What a live instance shows from outside on top of what a throw-away one showed: it must not fail there either. */
export function withLive(result: Assessment, live: ReadonlyMap<CapabilityId, Sight>): Assessment {
  const results = result.capabilities.map((each): CapabilityResult => {
    const sight = live.get(each.id as CapabilityId)
    if (sight === undefined) return each
    const evidence = [...each.evidence, ...sight.evidence.map(line => `on the live instance: ${line}`)]
    return {
      ...each,
      evidence,
      status: sight.status === 'fail' && each.status === 'pass' ? 'fail' : each.status,
    }
  })
  return summarise(results)
}

function summarise(results: readonly CapabilityResult[]): Assessment {
  return { framework: frameworkVersion, capabilities: results, levels: deriveLevels(results) }
}

async function examine(
  capability: Capability,
  instance: ProbeInstance,
  probes: readonly Probe[],
): Promise<CapabilityResult> {
  const { id, level } = capability
  if (!isApplicable(capability, unanswered.taxonomy))
    return { id, level, status: 'not-applicable', evidence: [] }
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
