// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import type { Log } from './http/index.ts'
import type { StoredEvent } from './integrity/index.ts'
import type { Ports } from './ports.ts'

const leaseMs = 10_000
const pollMs = 2000
const batchSize = 100

/** Somebody who reads every event in order, safe to run again on events it saw before. */
export interface Consumer {
  readonly name: string
  handle(ports: Ports, events: readonly StoredEvent[]): Promise<void>
}

/** Makes packuments ready before somebody asks for them. */
const documents: Consumer = {
  name: 'documents',
  async handle(ports, events) {
    for (const name of new Set(events.flatMap(event => (event.pkg === null ? [] : [event.pkg])))) {
      await ports.documents.get(name, 'full')
      await ports.documents.get(name, 'corgi')
    }
  },
}

const consumers: readonly Consumer[] = [documents]

/** Runs every consumer from its own durable cursor, one owner at a time across all processes. Returns a stop that waits. */
export function runConsumers(ports: Ports, log: Log): () => Promise<void> {
  const owner = randomUUID()
  const runs = consumers.map(consumer => runOne(ports, log, consumer, owner))
  return async () => {
    await Promise.all(runs.map(stop => stop()))
  }
}

function runOne(ports: Ports, log: Log, consumer: Consumer, owner: string): () => Promise<void> {
  let stopped = false
  let wake = () => {}
  const unfollow = ports.store.events.follow(() => wake())
  const rest = () =>
    new Promise<void>(resolve => {
      const timer = setTimeout(resolve, pollMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  // Where nothing was left to do: while the feed's head stands there, no lease is written.
  let idleAt = -1
  const next = async (): Promise<boolean> => {
    const head = await ports.store.events.head()
    if (head === idleAt) return false
    const moved = await step(ports, consumer, owner)
    idleAt = moved ? -1 : head
    return moved
  }
  const loop = async () => {
    while (!stopped) {
      // A failure leaves the cursor where it was: the same events come again after a rest.
      const moved = await next().catch(error => {
        log.say('error', 'a consumer failed and will try again', {
          consumer: consumer.name,
          error: String(error),
        })
        return false
      })
      if (!moved && !stopped) await rest()
    }
    await ports.store.leases.release(consumer.name, owner).catch(() => {})
  }
  const running = loop()
  return async () => {
    stopped = true
    unfollow()
    wake()
    await running
  }
}

/** One batch; true when there was one. */
async function step(ports: Ports, consumer: Consumer, owner: string): Promise<boolean> {
  const { store } = ports
  const lease = await store.leases.acquire(consumer.name, owner, leaseMs)
  if (lease === undefined) return false
  const events = await store.events.read(lease.position, batchSize)
  const last = events.at(-1)
  if (last === undefined) return false
  await consumer.handle(ports, events)
  // A crash here handles the same events again.
  return store.leases.advance(consumer.name, lease.fence, last.position)
}
