// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import type { PackageDiff } from '@holdfast/core'
import { isThreadLimit, Thread } from '../thread.ts'
import type { InspectLimits } from './inspect.ts'

export interface DiffJob {
  /** Undefined where there is no older version. */
  readonly before: Uint8Array<ArrayBuffer> | undefined
  readonly after: Uint8Array<ArrayBuffer>
  readonly limits: InspectLimits
}

/** What came of it, or why nothing did. */
export type DiffOutcome = { readonly diff: PackageDiff } | { readonly fault: string }

const threadUrl = new URL(`./tarball-diff-thread${extname(import.meta.filename)}`, import.meta.url)
const withinMs = 60_000

type Differ = Thread<DiffJob, DiffOutcome>

/** A thread that compares, each pair within a time. */
export function openDiffer(withinMs: number): Differ {
  return new Thread(threadUrl, { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 384 }, withinMs)
}

const oneDiffer = openDiffer(withinMs)
let turn: Promise<unknown> = Promise.resolve()

/** The bytes of two versions, or why they cannot be had. */
export type TarballPair =
  | { readonly before: Uint8Array<ArrayBuffer> | undefined; readonly after: Uint8Array<ArrayBuffer> }
  | { readonly fault: string }

/**
 * Compares two tarballs beside the event loop. One pair at a time is in memory, however many people look: `read` is called when
 * its turn has come.
 */
export function diffTarballs(
  read: () => Promise<TarballPair>,
  limits: InspectLimits,
  differ: Differ = oneDiffer,
): Promise<DiffOutcome> {
  const done = turn.then(async () => {
    const pair = await read()
    return 'fault' in pair ? pair : compare(differ, { ...pair, limits })
  })
  turn = done.catch(() => {})
  return done
}

async function compare(differ: Differ, job: DiffJob): Promise<DiffOutcome> {
  try {
    const buffers = [job.before, job.after].flatMap(each => each?.buffer ?? [])
    return await differ.run(job, buffers)
  } catch (error) {
    if (!isThreadLimit(error)) throw error
    return { fault: 'it takes more time or memory than it may' }
  }
}
