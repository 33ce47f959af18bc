// SPDX-License-Identifier: Apache-2.0
/** How many people approve a version of a package. */
import { problem } from '@holdfast/core'
import { approvalsOf, type Package } from '../catalog/index.ts'
import { type Actor, actorId } from '../identity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { addNotice } from './letter.ts'

/** Time for the other owners to read their letter: one stolen account alone must not do away with the second person. */
const delayMs = 24 * 3600_000

/** A number of approvals, what it replaces, and from when. */
export interface ApprovalsChange {
  readonly approvals: number
  readonly before: number
  readonly from: number
}

/** More count at once; fewer after a day where others own the package too. Throws `invalid-body` for more than there are people. */
export async function planApprovals(
  { store, clock }: Ports,
  actor: Actor,
  known: Package,
  approvals: number,
): Promise<ApprovalsChange> {
  const holders = (await store.identity.listHolders(known.name)).filter(each => each.disabledAt === null)
  const people = new Set(
    holders.filter(each => each.role === 'owner' || each.role === 'maintainer').map(each => each.accountId),
  )
  if (!Number.isSafeInteger(approvals) || approvals < 0 || approvals > people.size)
    throw problem('invalid-body', { why: `${known.name} has ${people.size} people who may approve` })
  const now = clock()
  const before = approvalsOf(known, now)
  const hasOthers = holders.some(each => each.role === 'owner' && each.accountId !== actorId(actor))
  return { approvals, before, from: now + (approvals < before && hasOthers ? delayMs : 0) }
}

/** Sets it and tells the owners. */
export async function applyApprovals(
  tx: Tx,
  ports: Ports,
  known: Package,
  { approvals, before, from }: ApprovalsChange,
): Promise<void> {
  await tx.catalog.setApprovals(known.name, approvals, before, from)
  const since = from > ports.clock() ? `, from ${new Date(from).toISOString()} on,` : ''
  const what = `Versions of ${known.name} now need ${approvals} approvals${since}`
  for (const each of await tx.identity.listHolders(known.name))
    if (each.role === 'owner' && each.disabledAt === null) await addNotice(tx, ports, each, what)
}
