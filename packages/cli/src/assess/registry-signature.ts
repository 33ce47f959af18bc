// SPDX-License-Identifier: Apache-2.0
/** npm's registry signatures, checked as `npm audit signatures` does. */
import { createPublicKey, verify } from 'node:crypto'

/** Keys as `/-/npm/v1/keys` lists them, in base64, by their ids. */
export type RegistryKeys = ReadonlyMap<string, string>

/** The keys out of that document; none where it is no such document. */
export function readKeys(document: unknown): RegistryKeys {
  const { keys } = Object(document) as { keys?: unknown }
  const listed = Array.isArray(keys) ? keys.map(Object) : []
  return new Map(listed.map(({ keyid, key }) => [String(keyid), String(key)]))
}

/** Whether one of these keys signed a version with this integrity; `signatures` is what its `dist` says. */
export function isSigned(spec: string, integrity: string, signatures: unknown, keys: RegistryKeys): boolean {
  const text = Buffer.from(`${spec}:${integrity}`)
  return (Array.isArray(signatures) ? signatures.map(Object) : []).some(({ keyid, sig }) => {
    const key = keys.get(String(keyid))
    return key !== undefined && isGood(key, text, String(sig))
  })
}

function isGood(key: string, text: Buffer, signature: string): boolean {
  try {
    const made = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' })
    return verify('sha256', text, made, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}
