// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, hash, verify } from 'node:crypto'
import type { LogCrypto } from '@holdfast/core'

// What stands before the 32 bytes of an Ed25519 key in its DER form.
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** Node's own primitives: several times as fast as the browser's. */
export const nodeCrypto: LogCrypto = {
  sha256: bytes => hash('sha256', bytes, 'buffer'),
  verifyEd25519(publicKey, message, signature) {
    try {
      const key = createPublicKey({
        key: Buffer.concat([spkiPrefix, publicKey]),
        format: 'der',
        type: 'spki',
      })
      return verify(null, message, key, signature)
    } catch {
      return false
    }
  },
}
