// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import type { Version } from '@holdfast/core'
import { Thread } from '../thread.ts'
import type { InspectLimits } from './inspect.ts'

/** What is in a tarball that came from an upstream. */
export interface InsideWords {
  /** True where nobody can tell. */
  readonly hasInstallScript: boolean
  /** Why no client would be given such bytes had they been published here; empty when nothing is wrong. */
  readonly fault: string
  /** What decides on an install and is other in its package.json than its registry says; empty when both agree. */
  readonly disagreement: string
}

/** A version and what its registry says of it, among the manifests of its package. */
export interface RecordPlace {
  readonly version: Version
  /** As `MirrorRows` keeps it; empty where nothing is kept. */
  readonly source: Uint8Array
  /** Of the version among those of its package; the source may be newer, and have it elsewhere. */
  readonly index: number
}

export interface InsideJob {
  readonly bytes: Uint8Array
  readonly limits: InspectLimits
  readonly record: RecordPlace
}

const threadUrl = new URL(`./look-inside-thread${extname(import.meta.filename)}`, import.meta.url)
const thread = new Thread<InsideJob, InsideWords>(threadUrl, {
  maxYoungGenerationSizeMb: 16,
  maxOldGenerationSizeMb: 128,
})

/**
 * Reads a whole tarball as npm would extract it, and holds it against what its registry says of it: beside the event loop, for
 * an install brings in a thousand of them.
 */
export function lookInside(
  bytes: Uint8Array<ArrayBuffer>,
  limits: InspectLimits,
  record: RecordPlace,
): Promise<InsideWords> {
  return thread.run({ bytes, limits, record }, [bytes.buffer])
}
