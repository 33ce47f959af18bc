// SPDX-License-Identifier: Apache-2.0
import { authorize } from './identity/index.ts'
import type { NewEvent } from './integrity/index.ts'
import type { Clock, Ports, Refusal, Store, Trail } from './ports.ts'

const flushEveryMs = 10_000
/** Different refusals that wait for one write; what comes beyond is only counted. */
const maxWaiting = 100
/** Events that may be written at once, and how often one more: 8,640 a day, whoever is refused how often. */
const burst = 200
const refillMs = 10_000

interface Gathered {
  readonly refusal: Refusal
  count: number
  firstAt: number
  lastAt: number
}

/**
 * Gathers what was tried and refused, and writes it as events every ten seconds: the same refusal is one event with a
 * count, and there are never more than the budget, so that an attacker cannot fill the disk with refusals. What goes
 * beyond is one event that counts the rest.
 */
export function openTrail(
  ports: Pick<Ports, 'config'> & { readonly store: Store },
  clock: Clock,
): Trail & { close(): Promise<void> } {
  let waiting = new Map<string, Gathered>()
  let uncounted = 0
  let budget = burst
  let refilledAt = clock()
  let writing = Promise.resolve()
  const take = (wanted: number) => {
    const steps = Math.floor((clock() - refilledAt) / refillMs)
    budget = Math.min(burst, budget + steps)
    refilledAt += steps * refillMs
    const taken = Math.min(wanted, Math.floor(budget))
    budget -= taken
    return taken
  }
  const write = async () => {
    const all = [...waiting.values()]
    const needed = all.length + (uncounted > 0 ? 1 : 0)
    if (needed === 0) return
    const allowed = take(needed)
    // Nothing may be written now: it waits, and its counts grow.
    if (allowed === 0) return
    const shown = allowed < needed ? all.slice(0, allowed - 1) : all
    const total = all.reduce((sum, each) => sum + each.count, uncounted)
    const rest = shown.reduce((left, each) => left - each.count, total)
    waiting = new Map()
    uncounted = 0
    const events = [...shown.map(toEvent), ...(rest > 0 ? [restEvent(rest)] : [])]
    const grant = await authorize(ports, { kind: 'system', id: 'trail' }, 'instance:audit', '')
    try {
      await ports.store.commit(grant, events, async () => {})
    } catch (error) {
      // The store did not take them: that there were so many is still told.
      uncounted += total
      throw error
    }
  }
  // One at a time, and whoever waits for theirs waits for the one before: what was noted is then there to be read.
  const flush = (): Promise<void> => {
    writing = writing.catch(() => {}).then(write)
    return writing
  }
  const timer = setInterval(() => void flush().catch(() => {}), flushEveryMs)
  timer.unref()
  return {
    note(refusal) {
      const { type, accountId, what, subject, why, address } = refusal
      const key = [type, accountId, what, subject, why, address].join(' ')
      const now = clock()
      const found = waiting.get(key)
      if (found !== undefined) {
        found.count += 1
        found.lastAt = now
      } else if (waiting.size < maxWaiting) waiting.set(key, { refusal, count: 1, firstAt: now, lastAt: now })
      else uncounted += 1
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush().catch(() => {})
    },
  }
}

function toEvent({ refusal, ...counted }: Gathered): NewEvent {
  const { type, accountId, what, why, address } = refusal
  // Both come from outside, and only their beginning is of use.
  const [subject, client] = [refusal.subject.slice(0, 214), refusal.client.slice(0, 100)]
  return { type, detail: { account: accountId, what, subject, why, address, client, ...counted } }
}

function restEvent(count: number): NewEvent {
  return { type: 'denied', detail: { what: 'more than can be listed', count } }
}
