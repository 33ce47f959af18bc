// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, hash, verify } from 'node:crypto'
import type { LogCrypto } from '@holdfast/core'

const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** The primitives of log proofs without a promise each: a round hashes thousands of times. */
export const nodeCrypto: LogCrypto = {
  sha256: bytes => new Uint8Array(hash('sha256', bytes, 'buffer')),
  verifyEd25519(publicKey, message, signature) {
    if (publicKey.length !== 32) return false
    const der = Buffer.concat([spkiPrefix, publicKey])
    try {
      return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature)
    } catch {
      return false // a point that is none
    }
  },
}
