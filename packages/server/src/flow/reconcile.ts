// SPDX-License-Identifier: Apache-2.0
import { drillOrigin, isProblem, type PackageName } from '@holdfast/core'
import { type OriginName, originOf } from '../catalog/index.ts'
import type { Ports } from '../ports.ts'
import { mapAhead } from './map-ahead.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** What is used is read again within five minutes, with a minute for the round itself. */
const hot = { checkedAgoMs: 4 * minuteMs, usedAgoMs: dayMs, aMinute: 300 }
/** Everything is within a day: 144,000 packages at most. What cannot be read is tried again after an hour. */
const cold = { checkedAgoMs: 20 * 60 * minuteMs, againMs: 60 * minuteMs, aMinute: 100 }
const atOnce = 8
const roundMs = 50_000
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
  const rounds = [...ports.upstreams.keys(), drillOrigin].map(async origin => {
    const { mirrors } = ports.store
    const used = await mirrors.listStale(origin, now - hot.checkedAgoMs, now - hot.usedAgoMs, hot.aMinute)
    const rest = await mirrors.listUnasked(origin, now - cold.checkedAgoMs, cold.aMinute)
    const names = [...new Set([...used, ...rest])]
    const unread = await readAgain(
      ports,
      origin,
      names.filter(name => isOf(name, origin)),
      now + roundMs,
    )
    // Those that are never read would otherwise be the first of each round, and keep the others from it.
    for (const name of rest)
      if (unread.has(name) || !isOf(name, origin))
        await mirrors.confirm(name, now - cold.checkedAgoMs + cold.againMs)
  })
  await Promise.all(rounds)
}

/** Asks for these names again, and gives those of which the upstream gave no good answer. */
async function readAgain(
  ports: Ports,
  origin: OriginName,
  names: readonly PackageName[],
  until: number,
): Promise<ReadonlySet<PackageName>> {
  const unread = new Set<PackageName>()
  let failures = 0
  const read = async (name: PackageName) => {
    // What is left is first in the next round.
    if (failures >= maxFailures || ports.clock() > until) return
    try {
      await ports.mirrors.refresh(name, origin)
      failures = 0
    } catch (error) {
      // What it could not say is said another time; it is told where requests meet it.
      if (!isProblem(error)) throw error
      failures += 1
      unread.add(name)
    }
  }
  for await (const _ of mapAhead(names, atOnce, read));
  return unread
}
