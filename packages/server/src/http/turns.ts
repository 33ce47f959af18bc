// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import { networkOf } from '../identity/index.ts'
import type { Clock } from '../ports.ts'
import type { Answer, Call } from './call.ts'

const windowMs = 15 * 60_000
/** Of one mount: enough for a lock file of 1,500 packages, each looked up by itself, ten times over. */
const allowed = 20_000
const maxRemembered = 10_000

/** How much work each address asked for in the last quarter of an hour. */
export interface Turns {
  /** Does the work, unless this address used its share up: `rate-limited` with an honest time. */
  take(call: Call, weight: number, work: () => Promise<Answer>): Promise<Answer>
}

/**
 * Counted in memory, in this process alone: such questions guess at nothing, they only cost us work, and a count on disk would cost
 * more than the answer.
 */
export function openTurns(clock: Clock): Turns {
  const used = new Map<string, { readonly since: number; weight: number }>()
  return {
    take(call, weight, work) {
      const address = 'from' in call.actor ? networkOf(call.actor.from.address) : ''
      const now = clock()
      let share = used.get(address)
      if (share === undefined || now - share.since >= windowMs) {
        if (used.size >= maxRemembered) used.clear()
        share = { since: now, weight: 0 }
        used.set(address, share)
      }
      if (share.weight + weight > allowed)
        throw problem('rate-limited', { retryAfter: Math.ceil((share.since + windowMs - now) / 1000) })
      share.weight += weight
      return work()
    },
  }
}
