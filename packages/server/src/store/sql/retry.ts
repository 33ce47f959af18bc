// SPDX-License-Identifier: Apache-2.0
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { unavailable } from '../unavailable.ts'

const RETRY_FOR_MS = 10_000
const LONGEST_PAUSE_MS = 50

/** Repeats an attempt while the engine says busy, with jitter, until a deadline; then `unavailable`. */
export async function retryWhileBusy<T>(
  attempt: () => Promise<T>,
  isBusy: (error: unknown) => boolean,
  retryForMs = RETRY_FOR_MS,
): Promise<T> {
  const deadline = performance.now() + retryForMs
  for (let round = 1; ; round++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isBusy(error)) throw error
      if (performance.now() >= deadline) throw unavailable('the database is busy', error)
    }
    await delay(Math.random() * Math.min(2 ** round, LONGEST_PAUSE_MS))
  }
}

/** Runs transactions of one driver, and refuses one within another: the inner would wait for the outer for ever. */
export function makeNestingGuard(): <T>(transaction: () => Promise<T>) => Promise<T> {
  const running = new AsyncLocalStorage<{ open: boolean }>()
  return async transaction => {
    if (running.getStore()?.open) throw new Error('transact was called inside transact')
    const mark = { open: true }
    try {
      return await running.run(mark, transaction)
    } finally {
      mark.open = false
    }
  }
}
