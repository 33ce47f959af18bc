// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import type { DocumentForm } from '../../ports.ts'
import { Thread } from '../../thread.ts'

/** A document of an upstream package: its kept manifests, and our own words, which win over the upstream's. */
export interface DocumentJob {
  readonly kind: 'document'
  /** As `MirrorRows` keeps it. */
  readonly source: Uint8Array
  readonly form: DocumentForm
  readonly head: Readonly<Record<string, unknown>>
  /** Lines of UTF-8 by `formatOwnWords`, one for each line of the source after its first; empty where the version is not listed. */
  readonly versions: readonly Uint8Array<ArrayBuffer>[]
  /** Of a manifest only these members, in this order; all of them when undefined. */
  readonly fields: readonly string[] | undefined
  /** Further members as JSON text, with a comma in front, or empty. */
  readonly tail: string
}

/** A line of our own words on a version: its key and the JSON text of an object with at least one member. JSON text has no tab. */
export function formatOwnWords(version: string, text: string): string {
  return `${JSON.stringify(version)}\t${text}`
}

/** One version object of an upstream package. */
export interface VersionJob {
  readonly kind: 'version'
  readonly source: Uint8Array
  /** Its place among the versions, from 0. */
  readonly index: number
  readonly text: string
}

/** What people read of an upstream package and one of its versions: the answer is the JSON text of `UpstreamWords`. */
export interface WordsJob {
  readonly kind: 'words'
  readonly source: Uint8Array
  /** The version's place, from 0; -1 where it has none. */
  readonly index: number
  readonly version: string
}

export type MirrorJob = DocumentJob | VersionJob | WordsJob

const limits = { maxYoungGenerationSizeMb: 3, maxOldGenerationSizeMb: 128 }
const threadUrl = new URL(`./mirror-press-thread${extname(import.meta.filename)}`, import.meta.url)

/** Makes documents of upstream packages in a thread: one may have 20 MB. */
export class MirrorPress {
  readonly #thread = new Thread<MirrorJob, Uint8Array<ArrayBuffer>>(threadUrl, limits)

  /** A document in gzip; a version object and words as they are. Our own words are handed over: their memory is empty afterwards. */
  press(job: MirrorJob): Promise<Uint8Array<ArrayBuffer>> {
    return this.#thread.run(job, job.kind === 'document' ? job.versions.map(({ buffer }) => buffer) : [])
  }
}
