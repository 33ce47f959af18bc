// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { parseDigest } from '@holdfast/core'
import type { WrittenBytes } from '../../ports.ts'

/** The digests of a growing run of bytes. */
export interface RunningDigests {
  sizeBytes(): number
  add(chunk: Uint8Array): void
  /** Over everything added so far. */
  written(): WrittenBytes
}

/** Starts with no bytes. */
export function runningDigests(): RunningDigests {
  const sha512 = createHash('sha512')
  const sha1 = createHash('sha1')
  let sizeBytes = 0
  return {
    sizeBytes: () => sizeBytes,
    add: chunk => {
      sha512.update(chunk)
      sha1.update(chunk)
      sizeBytes += chunk.length
    },
    written: () => ({
      digest: parseDigest(sha512.copy().digest('hex')),
      shasum: sha1.copy().digest('hex'),
      sizeBytes,
    }),
  }
}
