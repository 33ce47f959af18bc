// SPDX-License-Identifier: Apache-2.0
import { isProblem, type PackageName } from '@holdfast/core'
import { type OriginName, originOf } from '../catalog/index.ts'
import type { Ports } from '../ports.ts'
import { mapAhead } from './map-ahead.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** What is used is read again within five minutes, with a minute for the round itself. */
const hot = { checkedAgoMs: 4 * minuteMs, usedAgoMs: dayMs, aMinute: 300 }
/** Everything is within a day: 144,000 packages at most. */
const cold = { checkedAgoMs: 20 * 60 * minuteMs, aMinute: 100 }
const atOnce = 8
/** An upstream that fails so often in a row is left alone until the next round. */
const maxFailures = 5

/**
 * Reads again what upstreams say of the packages kept here, the most recently used first: what they withdrew is found
 * though nobody asks for it. One round a minute, bounded for each upstream.
 */
export async function reconcile(ports: Ports): Promise<void> {
  const now = ports.clock()
  const hosted = await ports.store.catalog.listHosted()
  // A name that became ours, or comes from another upstream now, is never asked for where it was.
  const isOf = (name: PackageName, origin: OriginName) => originOf(name, hosted, ports.routes) === origin
  for (const origin of ports.upstreams.keys()) {
    const { mirrors } = ports.store
    const used = await mirrors.listStale(origin, now - hot.checkedAgoMs, now - hot.usedAgoMs, hot.aMinute)
    const rest = await mirrors.listUnasked(origin, now - cold.checkedAgoMs, cold.aMinute)
    await readAgain(ports, origin, new Set([...used, ...rest].filter(name => isOf(name, origin))))
  }
}

async function readAgain(ports: Ports, origin: OriginName, names: ReadonlySet<PackageName>): Promise<void> {
  let failures = 0
  const read = async (name: PackageName) => {
    if (failures >= maxFailures) return
    try {
      await ports.mirrors.refresh(name, origin)
      failures = 0
    } catch (error) {
      // What it could not say is said another time; it is told where requests meet it.
      if (!isProblem(error)) throw error
      failures += 1
    }
  }
  for await (const _ of mapAhead(names, atOnce, read));
}
