// SPDX-License-Identifier: Apache-2.0
import { type ProblemCode, problem } from '@holdfast/core'
import { networkOf } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

/** What somebody guesses at; each has counters of its own. */
export type Guessed = 'password' | 'totp' | 'recovery' | 'passkey'

const windowMs = 15 * 60_000
const budgets = { account: 10, address: 100 } as const

interface Turns {
  /** The last in line for each account. */
  readonly last: Map<string, Promise<unknown>>
  /** Attempts being evaluated for each address. */
  readonly running: Map<string, number>
}

const turnsOf = new WeakMap<Ports['store'], Turns>()

/**
 * Evaluates one guess unless the account or the address has failed too often in the last quarter of an hour; throws
 * `rate-limited` then, without evaluating. Guesses on one account wait for each other, so that a thousand at once
 * are not a thousand evaluated. The counters lie in the store: they survive a restart and hold for all replicas.
 */
export async function guess(
  ports: Ports,
  what: Guessed,
  account: string,
  address: string,
  attempt: () => Promise<boolean>,
): Promise<boolean> {
  const counters = [`${what} account ${account}`, `${what} address ${networkOf(address)}`] as const
  return inTurn(ports, counters[0], async () => {
    await checkBudget(ports, counters[0], budgets.account)
    return whileRunning(ports, counters[1], async () => {
      const right = await attempt()
      // The address keeps its failures: else one's own account would be the way to go on guessing at others'.
      if (!right) noteGuess(ports, what, account, address, 'bad-credentials')
      if (right) await ports.store.upkeep.clearFailures(counters[0])
      else for (const counter of counters) await ports.store.upkeep.addFailure(counter, ports.clock())
      return right
    })
  })
}

/** For the record; a name that is no account's may be a password typed into the wrong field. */
function noteGuess(ports: Ports, what: Guessed, account: string, address: string, why: ProblemCode): void {
  const accountId = /^a_[0-9a-f]{16}$/.test(account) ? account : ''
  ports.trail.note({ type: 'sign-in-failed', accountId, what, subject: '', why, address, client: '' })
}

async function checkBudget(ports: Ports, counter: string, budget: number): Promise<void> {
  const now = ports.clock()
  const { count, oldestAt } = await ports.store.identity.countFailures(counter, now - windowMs)
  if (count >= budget)
    throw problem('rate-limited', { retryAfter: Math.max(1, Math.ceil((oldestAt + windowMs - now) / 1000)) })
}

async function whileRunning<T>(ports: Ports, counter: string, work: () => Promise<T>): Promise<T> {
  const { running } = turns(ports)
  const others = running.get(counter) ?? 0
  running.set(counter, others + 1)
  try {
    await checkBudget(ports, counter, budgets.address - others)
    return await work()
  } finally {
    const left = (running.get(counter) ?? 1) - 1
    if (left === 0) running.delete(counter)
    else running.set(counter, left)
  }
}

/** One after the other for one key: what is counted before is counted for whoever comes next. */
export async function inTurn<T>(ports: Ports, key: string, work: () => Promise<T>): Promise<T> {
  const { last } = turns(ports)
  const mine = (last.get(key) ?? Promise.resolve()).then(work, work)
  last.set(key, mine)
  try {
    return await mine
  } finally {
    if (last.get(key) === mine) last.delete(key)
  }
}

function turns(ports: Ports): Turns {
  const found = turnsOf.get(ports.store) ?? { last: new Map(), running: new Map() }
  turnsOf.set(ports.store, found)
  return found
}
