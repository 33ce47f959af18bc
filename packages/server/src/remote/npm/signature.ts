// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { formatIntegrity, type PackageName } from '@holdfast/core'
import type { UpstreamVersion } from '../../catalog/index.ts'
import type { PublicKey } from '../../ports.ts'

type Signed = Pick<UpstreamVersion, 'version' | 'digest' | 'publishedAt' | 'upstreamSignatures'>

/** Keys ready to check with, by id. */
export type ReadyKeys = ReadonlyMap<string, { readonly key: KeyObject; readonly expiresAt: number }>

/** What of an upstream's keys can be used: ECDSA on P-256, as registries sign; anything else among them is left out. */
export function readyKeys(keys: readonly PublicKey[]): ReadyKeys {
  return new Map(keys.flatMap(each => readyKey(each)))
}

function readyKey({ keyid, key, expires }: PublicKey) {
  try {
    const ready = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' })
    const expiresAt = expires === null ? Number.POSITIVE_INFINITY : Date.parse(expires)
    if (ready.asymmetricKeyDetails?.namedCurve !== 'prime256v1' || Number.isNaN(expiresAt)) return []
    return [[keyid, { key: ready, expiresAt }] as const]
  } catch {
    return []
  }
}

/** What can be said without a check of the signature itself, which costs a tenth of a millisecond. */
export function signatureAtSight(
  hasKeys: boolean,
  { upstreamSignatures, digest }: Signed,
): UpstreamVersion['signature'] {
  if (!hasKeys) return 'no-keys'
  if (upstreamSignatures === '') return 'missing'
  // What is signed is the SHA-512: a version that has none cannot have been.
  return digest === undefined ? 'broken' : 'unverified'
}

/**
 * Checks the signatures of a version that has some (provenance reference, section 2). One that is good is enough; a key that
 * has expired counts for versions published before. Signatures by keys that are not known, with no good one, are `broken`.
 */
export function verifySignature(
  keys: ReadyKeys,
  name: PackageName,
  version: Signed,
): Extract<UpstreamVersion['signature'], 'verified' | 'broken'> {
  if (version.digest === undefined) return 'broken'
  const text = Buffer.from(`${name}@${version.version}:${formatIntegrity(version.digest)}`)
  const isGood = readSignatures(version.upstreamSignatures).some(({ keyid, sig }) => {
    const known = keys.get(keyid)
    return (
      known !== undefined &&
      known.expiresAt > version.publishedAt &&
      verify('sha256', text, known.key, Buffer.from(sig, 'base64'))
    )
  })
  return isGood ? 'verified' : 'broken'
}

/** More than a few are no rotation of keys but a way to keep us busy. */
const mostSignatures = 4

/** The ids and signatures in `dist.signatures`; whatever is malformed among them is left out. */
export function readSignatures(text: string): readonly { keyid: string; sig: string }[] {
  const list: unknown = text === '' ? [] : JSON.parse(text)
  return (Array.isArray(list) ? list : [])
    .slice(0, mostSignatures)
    .filter(
      each =>
        typeof each === 'object' &&
        each !== null &&
        typeof each.keyid === 'string' &&
        typeof each.sig === 'string',
    )
}
