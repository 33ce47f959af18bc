// SPDX-License-Identifier: Apache-2.0
/** A package's trust never silently drops (provenance reference, section 13): what its versions proved, the next one must. */
import { createHash, randomBytes } from 'node:crypto'
import { encodeCanonical, type PackageName, problem, type Version } from '@holdfast/core'
import type { Actor } from '../identity/index.ts'
import {
  explainDowngrade,
  type NewEvent,
  noTrust,
  type PackageTrust,
  raiseTrust,
} from '../integrity/index.ts'
import type { KeptProvenance, Tx } from '../ports.ts'

/**
 * Keeps the provenance of a version that comes in, and what later ones may not fall below. Asked in the transaction of the
 * publish, where nobody else changes the package. Throws `trust-downgrade`.
 */
export async function holdTrust(
  tx: Tx,
  actor: Actor,
  { name, version }: { readonly name: PackageName; readonly version: Version },
  proof: KeptProvenance | undefined,
  now: number,
): Promise<void> {
  const trust = (await tx.trust.findTrust(name)) ?? noTrust
  const shown = { isByJob: actor.kind === 'job', build: proof?.build }
  const why = explainDowngrade(trust, shown, now)
  if (why !== undefined) throw problem('trust-downgrade', { name, version, why })
  if (proof !== undefined) await tx.trust.addProvenance(name, version, proof)
  const raised = raiseTrust(trust, shown, now)
  if (JSON.stringify(raised) === JSON.stringify(trust)) return
  await tx.trust.setTrust(name, raised)
  tx.record(policyEvent(name, 'raise', raised))
}

/** The demand is in the private record; the log holds its digest with a salt, since names of private repositories could be guessed. */
export function policyEvent(
  name: PackageName,
  op: 'raise' | 'lower' | 'hold' | 'source-add' | 'source-remove',
  trust: PackageTrust,
): NewEvent {
  const configuration = { ...trust, salt: randomBytes(16).toString('hex') }
  const text = encodeCanonical(JSON.parse(JSON.stringify(configuration)))
  const digest = createHash('sha256').update(text).digest('base64')
  return {
    type: 'policy',
    pkg: name,
    fields: { op, config: `sha256-${digest}` },
    detail: { trust: configuration },
  }
}
