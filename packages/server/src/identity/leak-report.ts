// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, verify } from 'node:crypto'

/**
 * Whether this body was signed by the holder of the key: ECDSA P-256 over SHA-256, DER in base64, as GitHub's
 * secret-scanning partner programme signs. What cannot be read is no signature.
 */
export function isSignedReport(publicKey: string, body: Uint8Array, signature: string): boolean {
  try {
    const key = createPublicKey(publicKey)
    // A key of another kind would be used by another algorithm than the one that was agreed on.
    if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false
    return verify('sha256', body, key, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}
