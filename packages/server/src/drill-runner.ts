// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { playWaitingDrill } from './flow/index.ts'
import type { Log } from './http/index.ts'
import type { Ports } from './ports.ts'

const lease = 'drills'
const leaseMs = 30_000
const renewMs = 10_000
/** For one begun where the event was missed. */
const lookEveryMs = 60_000
/** For one that somebody else plays: when their lease ends it is ours to clean up. */
const lookSoonMs = 5_000

/**
 * Plays drills when they are begun, in whichever process is free first. Returns what ends that: a drill under way breaks off, and
 * is cleaned up by whoever starts next.
 */
export function runDrills(ports: Ports, log: Log): () => Promise<void> {
  const owner = randomUUID()
  const end = new AbortController()
  let wake = new AbortController()
  const unfollow = ports.store.events.follow(events => {
    if (events.some(({ type, detail }) => type === 'drill' && detail['op'] === 'begin')) wake.abort()
  })
  const loop = async () => {
    while (!end.signal.aborted) {
      wake = new AbortController()
      const isOpen = await playOne(ports, owner, end.signal).catch(error => {
        if (!end.signal.aborted)
          log.say('error', 'a drill broke off and is cleaned up later', { error: String(error) })
        return true
      })
      const either = AbortSignal.any([wake.signal, end.signal])
      await delay(isOpen ? lookSoonMs : lookEveryMs, undefined, { signal: either, ref: false }).catch(
        () => {},
      )
    }
  }
  const running = loop()
  return async () => {
    unfollow()
    end.abort()
    await running
    await ports.store.leases.release(lease, owner).catch(() => {})
  }
}

/** Whether one is left that is not over. */
async function playOne(ports: Ports, owner: string, signal: AbortSignal): Promise<boolean> {
  const { leases, drills } = ports.store
  if ((await drills.findOpen()) === undefined) return false
  if ((await leases.acquire(lease, owner, leaseMs)) === undefined) return true
  const renewing = setInterval(() => void leases.acquire(lease, owner, leaseMs).catch(() => {}), renewMs)
  try {
    await playWaitingDrill(ports, signal)
    return false
  } finally {
    clearInterval(renewing)
  }
}
