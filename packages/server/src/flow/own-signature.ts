// SPDX-License-Identifier: Apache-2.0
import { type Digest, formatIntegrity, type PackageName, type Version } from '@holdfast/core'
import type { Ingested, Mirror, UpstreamVersion } from '../catalog/index.ts'
import type { OwnSignatures, Ports } from '../ports.ts'

type Signing = Pick<Ports, 'store' | 'signer'>

/** Older ones are signed when their bytes come in: a package may have thousands that nobody asks for. */
const signedAtOnce = 8

/** What npm's registry signature is over. */
export function signedText(name: PackageName, version: Version, digest: Digest): string {
  return `${name}@${version}:${formatIntegrity(digest)}`
}

/**
 * Our signatures over versions of an upstream's package, those made now included: the newest ones, those under a tag, and all
 * whose bytes came in. What the upstream signed badly, or not at all although it has keys, never gets ours.
 */
export async function signMirror(
  ports: Signing,
  mirror: Mirror,
  ingested: ReadonlyMap<Version, Ingested>,
): Promise<OwnSignatures> {
  const { store, signer } = ports
  const known = await store.mirrors.findSignatures(mirror.name, signer.keyId)
  const tagged = new Set(mirror.tags.values())
  const newest = mirror.versions.length - signedAtOnce
  const missing = new Map<Digest, string>()
  for (const [index, { version, digest: told, signature }] of mirror.versions.entries()) {
    const digest = told ?? ingested.get(version)?.digest
    const isWanted = index >= newest || tagged.has(version) || ingested.has(version)
    if (digest !== undefined && isWanted && isTrusted({ signature }) && !known.has(digest))
      missing.set(digest, signedText(mirror.name, version, digest))
  }
  if (missing.size === 0) return known
  const signatures = await signer.signAll([...missing.values()])
  const made = new Map([...missing.keys()].map((digest, index) => [digest, signatures[index] ?? '']))
  await store.mirrors.addSignatures(mirror.name, signer.keyId, made)
  return new Map([...known, ...made])
}

/** The upstream's own signature holds, or it has no keys to sign with. */
export function isTrusted({ signature }: Pick<UpstreamVersion, 'signature'>): boolean {
  return signature === 'verified' || signature === 'no-keys'
}
