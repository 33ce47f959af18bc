// SPDX-License-Identifier: Apache-2.0
/** The transparency log at work: rounds, one after another and one process at a time, and what is read from it. */
import { type FoldedTiles, openFoldedTiles, parseTilePath, problem, proveInclusions } from '@holdfast/core'
import { nodeCrypto } from '../integrity/index.ts'
import type { EntryProof, Log, LogEntry, LogState } from '../ports.ts'
import { checkLog, type LogWorks, tilesOf } from './log-round.ts'
import { Sequencer } from './log-sequencer.ts'

/** The log with its lifetime. */
export interface RunningLog extends Log {
  /** Throws `log-behind`, `log-forked` or `log-damaged` where the log must not go on. */
  check(): Promise<void>
  /** Rounds as events come, from anywhere, and every ten minutes; `tell` hears why one failed. Returns a stop. */
  follow(tell: (error: unknown) => void): () => void
  /** Waits for the running round, then lets others have the log. */
  close(): Promise<void>
}

const coverMs = 10_000
const maxWaiting = 4096
/** One for each package of a large lock file, and those above them in a tree of ten million; 33 megabytes at most. */
const tilesKept = 2048
const memoryMs = 60_000

/** Opens the log over its parts; nothing is written before somebody asks for it. */
export function openLog(works: LogWorks): RunningLog {
  const sequencer = new Sequencer(works)
  const memory = openMemory()
  const { store, files, signer } = works
  return {
    origin: store.instance.logOrigin,
    get vkey() {
      return signer.vkey
    },
    get keys() {
      return signer.keys
    },
    published: () => store.log.published(),
    covered: () => covered(works, sequencer),
    checkRoom: () => checkRoom(works, sequencer),
    read: async path => (parseTilePath(path) === undefined ? undefined : files.read(path)),
    prove: entries => prove(works, memory(), entries),
    state: () => stateOf(works, sequencer),
    check: () => checkLog(works),
    follow: tell => sequencer.follow(tell),
    close: () => sequencer.close(),
  }
}

async function covered(works: LogWorks, sequencer: Sequencer): Promise<boolean> {
  const { log } = works.store
  const { size, count } = await log.countWaiting(Number.MAX_SAFE_INTEGER)
  const until = performance.now() + coverMs
  for (;;) {
    if (((await log.published())?.size ?? 0) >= size + count) return true
    if (sequencer.halted !== undefined || performance.now() > until) return false
    // A round that failed is told to whoever follows, and tried again.
    await sequencer.turn().catch(() => {})
  }
}

async function checkRoom(works: LogWorks, sequencer: Sequencer): Promise<void> {
  if (sequencer.halted !== undefined) throw sequencer.halted
  const { waiting } = await countUncovered(works)
  if (waiting > maxWaiting) throw problem('log-busy', { waiting, retryAfter: 60 })
}

async function countUncovered({ store }: LogWorks) {
  const [{ size, count, oldestAt }, published] = await Promise.all([
    store.log.countWaiting(maxWaiting + 1),
    store.log.published(),
  ])
  const publishedSize = published?.size ?? 0
  return { size, published, publishedSize, waiting: size - publishedSize + count, oldestAt }
}

async function stateOf(works: LogWorks, sequencer: Sequencer): Promise<LogState> {
  const { size, published, publishedSize, waiting, oldestAt } = await countUncovered(works)
  const oldestPlaced = size > publishedSize ? await works.store.log.findTime(publishedSize) : undefined
  return {
    size,
    publishedSize,
    publishedAt: published?.at ?? null,
    waiting,
    oldestAt: oldestPlaced ?? oldestAt,
    halted: sequencer.halted?.message ?? '',
  }
}

async function prove(
  { store, files }: LogWorks,
  memory: FoldedTiles,
  entries: readonly LogEntry[],
): Promise<readonly EntryProof[]> {
  const published = await store.log.published()
  const missing = entries.find(({ index }) => index >= (published?.size ?? 0))
  if (published === undefined || missing !== undefined)
    throw problem('log-entry-not-found', { entry: missing?.index ?? 0 })
  const indexes = entries.map(({ index }) => index)
  const paths = await proveInclusions(nodeCrypto, tilesOf(files), indexes, published.size, memory)
  return entries.map((each, at) => ({ ...each, path: paths[at] ?? [], checkpoint: published.note }))
}

/** Files are trusted by nobody: what was read of a wrong one is forgotten within a minute, and takes no room after. */
function openMemory(): () => FoldedTiles {
  const memory = openFoldedTiles(tilesKept)
  let isForgetting = false
  const forget = () => {
    isForgetting = false
    memory.clear()
  }
  return () => {
    if (!isForgetting) setTimeout(forget, memoryMs).unref()
    isForgetting = true
    return memory
  }
}
