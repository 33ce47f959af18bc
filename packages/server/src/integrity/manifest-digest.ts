// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { encodeCanonical } from '@holdfast/core'

/**
 * `sha256-` + base64 over the canonical version object as served, without `deprecated`, signatures, attestations,
 * the tarball's address and private keys: binds what npm resolves from (transparency-log reference, section 13).
 */
export function digestManifest(
  manifest: Readonly<Record<string, unknown>>,
  dist: Readonly<Record<string, unknown>>,
): string {
  const kept = Object.entries(manifest).filter(([key]) => !key.startsWith('_') && key !== 'deprecated')
  const text = encodeCanonical({ ...Object.fromEntries(kept), dist })
  return `sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`
}
