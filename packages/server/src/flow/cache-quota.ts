// SPDX-License-Identifier: Apache-2.0
import type { Ingested, Mirror } from '../catalog/index.ts'
import type { Ports } from '../ports.ts'

const pageSize = 200
/** What came in a moment ago may be on its way out. */
const graceMs = 3600_000

/**
 * Drops bytes of upstream versions, the least recently used first, until they fit the quota. Only what could be had again
 * goes: not what is measured, withdrawn or changed upstream (evidence), nor what a lock file names. The digest stays pinned,
 * so that what comes again must be the same.
 */
export async function keepWithinQuota(ports: Ports): Promise<void> {
  const { cacheQuotaBytes } = ports.config
  if (cacheQuotaBytes === undefined) return
  const { mirrors } = ports.store
  let over = (await mirrors.sumKeptBytes()) - cacheQuotaBytes
  for (let after: Ingested | undefined; over > 0; ) {
    const page = await mirrors.listLeastUsed(after, pageSize)
    if (page.length === 0) return
    for (const each of page) if (over > 0 && (await drop(ports, each))) over -= each.sizeBytes
    after = page.at(-1)
  }
}

/** Says if the bytes went. */
async function drop({ store, blobs, clock }: Ports, kept: Ingested): Promise<boolean> {
  const mirror = await store.mirrors.find(kept.package)
  if (mirror === undefined || !isOffered(mirror, kept)) return false
  // Of what is gone already a crash kept the record from saying so.
  const isThere = (await blobs.size(kept.digest)) !== undefined
  if (isThere && !(await blobs.removeKeptBefore(kept.digest, clock() - graceMs))) return false
  await store.mirrors.noteDropped(kept.package, kept.version, clock())
  return true
}

/** Whether the upstream still offers these very bytes. */
function isOffered({ origin, isGone, versions }: Mirror, kept: Ingested): boolean {
  const told = versions.find(each => each.version === kept.version)
  if (told === undefined || isGone || origin !== kept.origin) return false
  return told.digest === undefined ? told.shasum === kept.shasum : told.digest === kept.digest
}
