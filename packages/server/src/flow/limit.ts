// SPDX-License-Identifier: Apache-2.0
import { isProblem, type Problem, problem } from '@holdfast/core'
import { networkOf } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { addressBudgets, book } from './guess.ts'

const missesAllowed = 100
const maxRemembered = 10_000

/** Until when the misses of an address are used up: whoever goes on then costs the store nothing. */
const usedUpOf = new WeakMap<Ports['store'], Map<string, number>>()

/**
 * Counts one more use of something that costs us work and that anybody may ask for, by address and network; throws
 * `rate-limited` with an honest time when there were `allowed` in the last quarter of an hour.
 */
export async function takeTurn(ports: Ports, what: string, address: string, allowed: number): Promise<void> {
  await book(ports, addressBudgets(what, address, allowed))
}

/**
 * What to answer to a token or a link that is none: `otherwise`, or `rate-limited` when there were too many of them from
 * this address. It is asked after the look, so that a bad one never holds up a good one from the same address; 190
 * random bits are not found by guessing, and this keeps whoever tries from costing us more.
 */
export async function answerMiss(
  ports: Ports,
  what: 'token' | 'link' | 'job-token',
  address: string,
  otherwise: Problem,
): Promise<Problem> {
  const key = `${what} ${networkOf(address)}`
  const usedUp = remembered(ports)
  const leftMs = (usedUp.get(key) ?? 0) - ports.clock()
  if (leftMs > 0) return problem('rate-limited', { retryAfter: Math.ceil(leftMs / 1000) })
  try {
    await takeTurn(ports, what, address, missesAllowed)
    return otherwise
  } catch (error) {
    if (!isProblem(error)) throw error
    if (usedUp.size >= maxRemembered) usedUp.clear()
    usedUp.set(key, ports.clock() + Number(error.data['retryAfter']) * 1000)
    return error
  }
}

function remembered(ports: Ports): Map<string, number> {
  const found = usedUpOf.get(ports.store) ?? new Map<string, number>()
  usedUpOf.set(ports.store, found)
  return found
}
