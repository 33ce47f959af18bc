// SPDX-License-Identifier: Apache-2.0
import { createHash, type KeyObject } from 'node:crypto'
import type { PublicKey } from '../ports.ts'

const KEY_TYPE = 'ecdsa-sha2-nistp256'
const CURVE = 'nistp256'

/** A P-256 key as `/-/npm/v1/keys` serves it, named by its OpenSSH fingerprint as npm's own keys are. */
export function formatPublicKey(key: KeyObject, expires: string | null): PublicKey {
  const der = key.export({ type: 'spki', format: 'der' })
  const fingerprint = createHash('sha256').update(encodeSsh(key)).digest('base64').replace(/=+$/, '')
  return {
    keyid: `SHA256:${fingerprint}`,
    keytype: KEY_TYPE,
    scheme: KEY_TYPE,
    key: der.toString('base64'),
    expires,
  }
}

/** RFC 5656, section 3.1: key type, curve and uncompressed point, each with its length in front. */
function encodeSsh(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  return Buffer.concat([Buffer.from(KEY_TYPE), Buffer.from(CURVE), point].map(withLength))
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
