// SPDX-License-Identifier: Apache-2.0
/** What is kept of one's own fetches is one's own: to read, to take along, to have forgotten. */
import { type Actor, actorId, authorize } from '../identity/index.ts'
import type { Holder, HolderMark } from '../incident/index.ts'
import type { Ports } from '../ports.ts'
import { formatHolders } from './blast.ts'
import { provePresence } from './presence.ts'

const shown = 100

/** The first of them. */
export async function listOwnDownloads(ports: Ports, actor: Actor): Promise<readonly Holder[]> {
  await authorize(ports, actor, 'account:read', actorId(actor))
  return ports.store.blast.listOwn(actorId(actor), undefined, shown)
}

/** All of them as lines of CSV or of JSON, page by page, with whole addresses: they are one's own. */
export async function exportOwnDownloads(
  ports: Ports,
  actor: Actor,
  form: 'csv' | 'json',
): Promise<AsyncIterable<Uint8Array>> {
  await authorize(ports, actor, 'account:read', actorId(actor))
  const readPage = (mark: HolderMark | undefined, limit: number) =>
    ports.store.blast.listOwn(actorId(actor), mark, limit)
  return formatHolders(form, readPage, each => each)
}

/**
 * Forgets them, and says how many records went. What a case that is not closed is about stays: whoever has it must be
 * found, and a thief must not wipe their traces.
 */
export async function forgetOwnDownloads(ports: Ports, actor: Actor): Promise<number> {
  const id = actorId(actor)
  const grant = await authorize(ports, actor, 'account:change', id)
  await provePresence(ports, grant)
  return ports.store.commit(grant, [], async tx => {
    const count = await tx.blast.forgetOwn(id)
    tx.record({ type: 'blast', detail: { op: 'forget-own', count } })
    return count
  })
}
