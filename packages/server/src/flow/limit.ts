// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import { networkOf } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

const windowMs = 15 * 60_000

/**
 * Counts one more use of something that costs us work and that anybody may ask for, by address; throws `rate-limited`
 * with an honest time when there were `budget` in the last quarter of an hour.
 */
export async function takeTurn(ports: Ports, what: string, address: string, budget: number): Promise<void> {
  const now = ports.clock()
  const counter = `${what} address ${networkOf(address)}`
  const { count, oldestAt } = await ports.store.identity.countFailures(counter, now - windowMs)
  if (count >= budget)
    throw problem('rate-limited', { retryAfter: Math.max(1, Math.ceil((oldestAt + windowMs - now) / 1000)) })
  await ports.store.upkeep.addFailure(counter, now)
}
