// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import { Thread } from '../thread.ts'
import type { InspectLimits } from './inspect.ts'

/** What is in a tarball that came from an upstream. */
export interface InsideWords {
  /** True where nobody can tell. */
  readonly hasInstallScript: boolean
  /** Why no client would be given such bytes had they been published here; empty when nothing is wrong. */
  readonly fault: string
}

export interface InsideJob {
  readonly bytes: Uint8Array
  readonly limits: InspectLimits
}

const threadUrl = new URL(`./look-inside-thread${extname(import.meta.filename)}`, import.meta.url)
const thread = new Thread<InsideJob, InsideWords>(threadUrl, {
  maxYoungGenerationSizeMb: 16,
  maxOldGenerationSizeMb: 128,
})

/** Reads a whole tarball as npm would extract it, beside the event loop: an install brings in a thousand of them. */
export function lookInside(bytes: Uint8Array<ArrayBuffer>, limits: InspectLimits): Promise<InsideWords> {
  return thread.run({ bytes, limits }, [bytes.buffer])
}
