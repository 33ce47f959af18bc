// SPDX-License-Identifier: Apache-2.0
/** Entries of the log for people: newest first, a page at a time, as far as whoever asks may read them. */
import { decodeLeaf, type PackageName } from '@holdfast/core'
import type { Actor } from '../identity/index.ts'
import type { LogEntry, Ports } from '../ports.ts'
import { checkMayReadHashes, checkMayReadWholeLog, readPackageLog } from './log-reading.ts'

/** One entry, read. */
export interface LogLine {
  readonly index: number
  /** The canonical bytes as text. */
  readonly text: string
  readonly leaf: Readonly<Record<string, unknown>>
}

/** Some lines, and what `before` is on the next page; undefined on the last one. */
export interface LogPage {
  readonly lines: readonly LogLine[]
  readonly next: number | undefined
}

/** A checkpoint that was published. */
export interface PastCheckpoint {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly size: number
  /** Of the one before it; 0 for the first. */
  readonly sizeBefore: number
  /** As it was signed, with its cosignatures; undefined for one that was published before notes were kept. */
  readonly note: string | undefined
}

const eventsAtOnce = 500

/** The entry as a page shows it. */
export function toLogLine({ index, entry }: LogEntry): LogLine {
  const text = Buffer.from(entry).toString('utf8')
  return { index, text, leaf: decodeLeaf(text) }
}

/** Entries of whatever package with an index below `before`. Throws `unauthenticated`, `forbidden`. */
export async function listLogEntries(
  ports: Ports,
  actor: Actor,
  before: number,
  limit: number,
): Promise<LogPage> {
  await checkMayReadWholeLog(ports, actor)
  const published = await ports.log.published()
  const to = Math.min(before, published?.size ?? 0)
  const from = Math.max(0, to - limit)
  const found = await ports.store.log.readEntries(from, to)
  return { lines: found.map(toLogLine).toReversed(), next: from > 0 ? from : undefined }
}

/** Entries of one package with an index below `before`. Throws `package-not-found`. */
export async function listPackageEntries(
  ports: Ports,
  actor: Actor,
  name: PackageName,
  before: number,
  limit: number,
): Promise<LogPage> {
  const { leaves } = await readPackageLog(ports, actor, name)
  const older = leaves.filter(({ index }) => index < before)
  const shown = older.slice(-limit)
  return {
    lines: shown.map(toLogLine).toReversed(),
    next: shown.length < older.length ? shown[0]?.index : undefined,
  }
}

/** Entries of what one actor did; `before` is a position of the event feed. Throws `unauthenticated`, `forbidden`. */
export async function listActorEntries(
  ports: Ports,
  actor: Actor,
  actorId: string,
  before: number,
  limit: number,
): Promise<LogPage> {
  await checkMayReadWholeLog(ports, actor)
  const size = (await ports.log.published())?.size ?? 0
  const events = await ports.store.events.search({ actorId }, before, eventsAtOnce)
  const lines: LogLine[] = []
  for (const { id, leaf, position } of events) {
    if (lines.length === limit) return { lines, next: position + 1 }
    const found = leaf === null ? undefined : await ports.store.log.findById(id)
    if (found !== undefined && found.index < size) lines.push(toLogLine(found))
  }
  return { lines, next: events.length < eventsAtOnce ? undefined : events.at(-1)?.position }
}

/** Checkpoints as they were published, newest first; `before` is a position of the event feed. */
export async function listCheckpoints(
  ports: Ports,
  actor: Actor,
  before: number,
  limit: number,
): Promise<{ readonly checkpoints: readonly PastCheckpoint[]; readonly next: number | undefined }> {
  checkMayReadHashes(ports, actor)
  const events = await ports.store.events.search({ type: 'checkpoint' }, before, limit + 1)
  const sizes = events.map(({ detail }) => Number(detail['size']))
  const checkpoints = events.slice(0, limit).map(({ at, detail }, index) => ({
    at,
    size: sizes[index] ?? 0,
    sizeBefore: sizes[index + 1] ?? 0,
    note: typeof detail['note'] === 'string' ? detail['note'] : undefined,
  }))
  return { checkpoints, next: events.length > limit ? events[limit - 1]?.position : undefined }
}
