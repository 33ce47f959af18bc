// SPDX-License-Identifier: Apache-2.0
import { encodeCanonical } from '@holdfast/core'
import type { Ports } from '../ports.ts'

/**
 * What a client pins of this log: origin, keys, witness policy and the keys that sign versions. Canonical JSON, so that its
 * SHA-256 can be told over the telephone. For comparison with what was pinned, never a root of trust by itself.
 */
export function formatTrust(ports: Pick<Ports, 'log' | 'signer' | 'config'>): string {
  const { log, signer } = ports
  return encodeCanonical({
    origin: log.origin,
    vkeys: [log.vkey],
    policy: formatPolicy(ports),
    npmKeys: signer.publicKeys,
  })
}

/** The witness policy as a file of C2SP tlog-policy. */
export function formatPolicy({ log, config }: Pick<Ports, 'log' | 'config'>): string {
  return `log ${log.vkey} ${config.publicUrl}/log\nquorum none\n`
}
