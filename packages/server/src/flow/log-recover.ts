// SPDX-License-Identifier: Apache-2.0
/** An older database catches up with the log that was published: its leaves come back from the files. */
import { type Checkpoint, decodeBundle, decodeLeaf, hashLeaf, problem } from '@holdfast/core'
import { nodeCrypto } from '../integrity/index.ts'
import type { LogFiles, LogHead } from '../ports.ts'
import { readPart } from './log-edge.ts'
import { entriesAtOnce, extend, type LogWorks, readKeptCheckpoint } from './log-round.ts'

/** One entry that the database had lost. */
export interface RecoveredEntry {
  readonly index: number
  /** What its leaf says. */
  readonly leaf: Readonly<Record<string, unknown>>
}

/**
 * Puts back every event for the log that the published checkpoint covers and the database does not have. What those events
 * did to packages and people is not done again, but for what protects (`protectAgain`): it is told. Throws `log-damaged` where the files are not the sequel of
 * what the database has. Broken off, it begins anew: until what protects is done again, the database counts as older than
 * its log, and no registry starts on it.
 */
export async function recoverLog<T>(
  works: LogWorks,
  protect: (recovered: readonly RecoveredEntry[]) => Promise<T>,
): Promise<{ readonly recovered: readonly RecoveredEntry[]; readonly again: T }> {
  const { store, files } = works
  const kept = await readKeptCheckpoint(works)
  if (kept === undefined) throw problem('log-damaged', { why: 'there is no checkpoint in its folder' })
  const head = await store.log.head()
  const from = (await store.log.findRecovery()) ?? head.size
  if (kept.size > head.size) await putBack(works, head, kept)
  const entries = from < kept.size ? await readEntries(files, from, kept.size) : []
  const leaves = entries.map(entry => Buffer.from(entry).toString('utf8'))
  const recovered = leaves.map((leaf, at) => ({ index: from + at, leaf: decodeLeaf(leaf) }))
  const again = await protect(recovered)
  await store.log.endRecovery()
  return { recovered, again }
}

async function putBack({ store, files }: LogWorks, head: LogHead, kept: Checkpoint): Promise<void> {
  const entries = await readEntries(files, head.size, kept.size)
  const hashes = await Promise.all(entries.map(entry => hashLeaf(nodeCrypto, entry)))
  const { root } = await extend(head, hashes)
  if (Buffer.compare(root, kept.root) !== 0)
    throw problem('log-damaged', { why: 'its files are not the sequel of what the database has' })
  await store.log.recover(entries.map(entry => Buffer.from(entry).toString('utf8')))
  // A crash here leaves events that wait: the next run finds them to be the first of these, and goes on.
  while ((await store.log.sequence(entriesAtOnce, extend)) !== undefined);
}

async function readEntries(files: LogFiles, from: number, to: number): Promise<readonly Uint8Array[]> {
  const entries: Uint8Array[] = []
  for (let index = Math.floor(from / 256); index * 256 < to; index += 1) {
    const width = Math.min(256, to - index * 256)
    const bundle = decodeBundle(await readPart(files, { kind: 'entries', index, width }, 0)).slice(0, width)
    if (bundle.length < width) throw problem('log-damaged', { why: `bundle ${index} is too short` })
    entries.push(...bundle.slice(Math.max(0, from - index * 256)))
  }
  return entries
}
