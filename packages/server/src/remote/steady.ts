// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http'
import { problem } from '@holdfast/core'
import { explain } from './wire.ts'

/** What a body has to keep to. */
export interface Pace {
  readonly maxBytes: number
  /** Without a byte for so long, it is given up. */
  readonly patienceMs: number
  /** Slower than this, once `patienceMs` went by, it is given up: who sends drop by drop would hold us for days. */
  readonly minBytesPerSecond: number
}

/**
 * A body chunk by chunk. Only time that we wait for the other side counts, not time that our reader takes. Throws
 * `remote-failed`; leaving the loop ends the connection.
 */
export async function* readSteadily(
  answer: IncomingMessage,
  host: string,
  { maxBytes, patienceMs, minBytesPerSecond }: Pace,
): AsyncGenerator<Buffer> {
  // Neither is an accident of the network.
  const fail = (why: string, isMeant = false) =>
    problem('remote-failed', { host, why, ...(isMeant ? { fault: 'disbelieved' } : {}) })
  const chunks = (answer as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  let isWaiting = false
  const stalled = setTimeout(() => {
    if (isWaiting) answer.destroy(fail('it stopped in the middle'))
  }, patienceMs)
  let waitedMs = 0
  let size = 0
  try {
    for (;;) {
      stalled.refresh()
      isWaiting = true
      const began = performance.now()
      const { done, value } = await chunks.next()
      isWaiting = false
      waitedMs += performance.now() - began
      if (done) return
      size += value.length
      if (size > maxBytes) throw fail(`it answers more than ${maxBytes} bytes`, true)
      if (waitedMs > patienceMs && size < (minBytesPerSecond * waitedMs) / 1000)
        throw fail('it is too slow', true)
      yield value
    }
  } catch (error) {
    throw explain(error, host)
  } finally {
    clearTimeout(stalled)
    answer.destroy()
  }
}
