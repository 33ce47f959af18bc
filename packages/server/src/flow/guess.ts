// SPDX-License-Identifier: Apache-2.0
import { type ProblemCode, problem } from '@holdfast/core'
import { type Budget, neighbourhoodOf, networkOf, randomText } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

/** What somebody guesses at; each has counters of its own. */
export type Guessed = 'password' | 'totp' | 'recovery' | 'passkey'

const windowMs = 15 * 60_000
/** The last in line for each account. */
const turnsOf = new WeakMap<Ports['store'], Map<string, Promise<unknown>>>()

/**
 * Evaluates one guess unless the account, the address or its network has failed too often in the last quarter of an
 * hour; throws `rate-limited` then, without evaluating. An attempt is booked before it is looked at, so that of ten
 * thousand at once, on whatever replicas, no more are evaluated than the budget says. Counters survive a restart.
 */
export async function guess(
  ports: Ports,
  what: Guessed,
  account: string,
  address: string,
  attempt: () => Promise<boolean>,
): Promise<boolean> {
  const ofAccount = { counter: `${what} account ${account}`, allowed: 10 }
  // Right ones that come at once must not use up the budget for each other.
  return inTurn(ports, ofAccount.counter, async () => {
    const booking = await book(ports, [ofAccount, ...addressBudgets(what, address)]).catch(refusal => {
      noteGuess(ports, what, account, address, 'rate-limited')
      throw refusal
    })
    const right = await attempt()
    if (right) {
      await ports.store.upkeep.unbookAttempt(booking)
      // The address keeps its failures: else one's own account would be the way to go on guessing at others'.
      await ports.store.upkeep.clearFailures(ofAccount.counter)
    } else noteGuess(ports, what, account, address, 'bad-credentials')
    return right
  })
}

/** Books one attempt and gives its id; throws `rate-limited` with the time when a counter allows the next. */
export async function book(ports: Ports, budgets: readonly Budget[]): Promise<string> {
  const now = ports.clock()
  const id = randomText(16)
  const oldestAt = await ports.store.upkeep.bookAttempt(id, budgets, now - windowMs, now)
  if (oldestAt === undefined) return id
  throw problem('rate-limited', { retryAfter: Math.max(1, Math.ceil((oldestAt + windowMs - now) / 1000)) })
}

/** What one address may do, and all of its neighbours together. */
export function addressBudgets(what: string, address: string, allowed = 100): readonly Budget[] {
  return [
    { counter: `${what} address ${networkOf(address)}`, allowed },
    { counter: `${what} network ${neighbourhoodOf(address)}`, allowed: allowed * 10 },
  ]
}

/** For the record; a name that is no account's may be a password typed into the wrong field. */
function noteGuess(ports: Ports, what: Guessed, account: string, address: string, why: ProblemCode): void {
  const accountId = /^a_[0-9a-f]{16}$/.test(account) ? account : ''
  ports.trail.note({ type: 'sign-in-failed', accountId, what, subject: '', why, address, client: '' })
}

/** One after the other for one key: what is counted before is counted for whoever comes next. */
export async function inTurn<T>(ports: Ports, key: string, work: () => Promise<T>): Promise<T> {
  const last = turns(ports)
  const mine = (last.get(key) ?? Promise.resolve()).then(work, work)
  last.set(key, mine)
  try {
    return await mine
  } finally {
    if (last.get(key) === mine) last.delete(key)
  }
}

function turns(ports: Ports): Map<string, Promise<unknown>> {
  const found = turnsOf.get(ports.store) ?? new Map<string, Promise<unknown>>()
  turnsOf.set(ports.store, found)
  return found
}
