// SPDX-License-Identifier: Apache-2.0
import { encodeCanonical } from '@holdfast/core'
import type { Ports } from '../ports.ts'

/**
 * What a client pins of this log: origin, keys, witness policy and the keys that sign versions. Canonical JSON, so that its
 * SHA-256 can be told over the telephone. For comparison with what was pinned, never a root of trust by itself.
 */
export function formatTrust(ports: Pick<Ports, 'log' | 'signer' | 'config' | 'witnesses' | 'clock'>): string {
  const { log, signer } = ports
  return encodeCanonical({
    origin: log.origin,
    vkeys: listSigning(ports),
    policy: formatPolicy(ports),
    npmKeys: signer.publicKeys,
  })
}

/** The witness policy as a file of C2SP tlog-policy. */
export function formatPolicy(ports: Pick<Ports, 'log' | 'config' | 'witnesses' | 'clock'>): string {
  const logs = listSigning(ports).map(vkey => `log ${vkey} ${ports.config.publicUrl}/log`)
  return `${[...logs, ...ports.witnesses.policy].join('\n')}\n`
}

/** Keys that sign checkpoints now, the newest first: what former ones signed nobody need believe again. */
function listSigning({ log, clock }: Pick<Ports, 'log' | 'clock'>): readonly string[] {
  const signing = log.keys.filter(({ signsUntil }) => signsUntil === null || signsUntil > clock())
  return signing.map(({ vkey }) => vkey).reverse()
}
