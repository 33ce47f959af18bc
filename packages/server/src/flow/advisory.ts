// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { type Advisory, type BadDigest, defaultPolicy, nextPolicy } from '../catalog/index.ts'
import { type Actor, authorize } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { provePresence } from './presence.ts'

/**
 * Takes in what is known against packages and contents. Whatever it closes is closed on every path and replica within a second:
 * the policy gets a new version, so that every verdict is made anew. Advisories that are known as they are change nothing.
 * Gives how many were new or changed.
 */
export async function addAdvisories(
  ports: Ports,
  actor: Actor,
  advisories: readonly Advisory[],
  badDigests: readonly BadDigest[],
): Promise<number> {
  const grant = await authorize(ports, actor, 'instance:operate', '')
  const changed = await listChanged(ports, advisories)
  const known = await ports.store.policy.listBadDigests(badDigests.map(each => each.digest))
  const bad = badDigests.filter(each => known.get(each.digest) !== each.why)
  const count = changed.length + bad.length
  if (count === 0) return 0
  await provePresence(ports, grant)
  const at = ports.clock()
  const digest = createHash('sha256')
    .update(JSON.stringify([changed, bad]))
    .digest('base64')
  const events = [
    { type: 'advisory', fields: { op: 'load', count, doc: `sha256-${digest}` } },
    { type: 'policy', fields: { op: 'renew' } },
  ] as const
  await ports.store.commit(grant, events, async tx => {
    for (const each of changed) await tx.policy.setAdvisory(each)
    for (const each of bad) await tx.policy.setBadDigest(each)
    const policy = (await tx.policy.current()) ?? defaultPolicy
    await tx.policy.setPolicy(nextPolicy(policy, policy.rules, at), at)
  })
  return count
}

async function listChanged({ store }: Ports, advisories: readonly Advisory[]): Promise<Advisory[]> {
  const changed: Advisory[] = []
  const known = new Map<string, readonly Advisory[]>()
  for (const each of advisories) {
    const there = known.get(each.package) ?? (await store.policy.listAdvisories(each.package))
    known.set(each.package, there)
    const same = there.find(other => other.id === each.id)
    if (JSON.stringify(same, Object.keys(each).sort()) !== JSON.stringify(each, Object.keys(each).sort()))
      changed.push(each)
  }
  return changed
}
