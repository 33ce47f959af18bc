// SPDX-License-Identifier: Apache-2.0
/** What can be seen of a registry that is not ours, from outside, without an account and without harm. */
import type { CapabilityId } from '@holdfast/core'
import type { Evidence } from './probe.ts'
import type { Target } from './target.ts'

/** What was seen of one capability. `unseen`: from outside nothing tells, or not enough. */
export interface Sight {
  readonly status: 'pass' | 'fail' | 'unseen'
  readonly evidence: Evidence
}

/** Looks at one capability from outside: it only reads, or asks what changes nothing. */
export interface OutsideProbe {
  readonly capability: CapabilityId
  look(target: Target): Promise<Sight>
}

/** Looks at a registry with each probe; what goes wrong while looking tells nothing. */
export async function lookFromOutside(
  target: Target,
  probes: readonly OutsideProbe[],
): Promise<ReadonlyMap<CapabilityId, Sight>> {
  const found = new Map<CapabilityId, Sight>()
  for (const probe of probes) found.set(probe.capability, await lookSafely(target, probe))
  return found
}

async function lookSafely(target: Target, probe: OutsideProbe): Promise<Sight> {
  try {
    return await probe.look(target)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return unseen(`could not be looked at: ${why}`)
  }
}

export const pass = (...evidence: Evidence): Sight => ({ status: 'pass', evidence })
export const fail = (...evidence: Evidence): Sight => ({ status: 'fail', evidence })
export const unseen = (...evidence: Evidence): Sight => ({ status: 'unseen', evidence })

export type { Target }
