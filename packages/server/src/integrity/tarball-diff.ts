// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import type { PackageDiff } from '@holdfast/core'
import { Thread } from '../thread.ts'
import type { InspectLimits } from './inspect.ts'

export interface DiffJob {
  /** Undefined where there is no older version. */
  readonly before: Uint8Array | undefined
  readonly after: Uint8Array
  readonly limits: InspectLimits
}

/** What came of it, or why nothing did. */
export type DiffOutcome = { readonly diff: PackageDiff } | { readonly fault: string }

const threadUrl = new URL(`./tarball-diff-thread${extname(import.meta.filename)}`, import.meta.url)
const thread = new Thread<DiffJob, DiffOutcome>(threadUrl, {
  maxYoungGenerationSizeMb: 16,
  maxOldGenerationSizeMb: 384,
})

/** Compares two tarballs beside the event loop; the buffers are gone afterwards. */
export function diffTarballs(
  before: Uint8Array<ArrayBuffer> | undefined,
  after: Uint8Array<ArrayBuffer>,
  limits: InspectLimits,
): Promise<DiffOutcome> {
  const buffers = [...(before === undefined ? [] : [before.buffer]), after.buffer]
  return thread.run({ before, after, limits }, buffers)
}
