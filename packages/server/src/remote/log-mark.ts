// SPDX-License-Identifier: Apache-2.0
/** The mark of the largest tree that was signed: `log.mark` in the key folder, as log-key.ts describes it. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fdatasync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { problem } from '@holdfast/core'
import type { LogSigner } from '../ports.ts'
import { checkOwnersAlone, linkNew } from './key-file.ts'

const sync = promisify(fdatasync)
const slotBytes = 512
const lockWaitMs = 2000

/** A tree as it was signed. */
export type Tree = Parameters<LogSigner['sign']>[0]

/** The mark of one key folder, for a process. */
export interface Mark {
  /** The tree that was marked last; undefined before the first. */
  read(): Promise<Tree | undefined>
  /** Durable when it resolves. Throws where the tree is not the marked one or a larger one; `log-unsynced` where the disk failed. */
  raise(tree: Tree): Promise<void>
}

/** Opens the mark; nothing is written before the first is raised. */
export function openMark(path: string): Mark {
  const withLock = openLock(`${path}.lock`)
  let isDurable = false
  return {
    async read() {
      return newest(readSlots(path))
    },
    raise: tree =>
      withLock(async () => {
        await raise(path, tree, isDurable)
        isDurable = true
      }),
  }
}

/** A mark that this process did not write itself may be in memory only, after a disk that failed: it is written once more. */
async function raise(path: string, tree: Tree, isDurable: boolean): Promise<void> {
  const slots = readSlots(path)
  const last = newest(slots)
  if (last !== undefined && tree.size < last.size)
    throw problem('log-behind', { signed: last.size, found: tree.size })
  if (last?.size === tree.size) {
    if (Buffer.compare(last.root, tree.root) !== 0)
      throw problem('log-forked', { why: `another tree of ${tree.size} entries was signed before` })
    if (isDurable) return
  }
  if (slots.length === 0) await linkNew(path, Buffer.alloc(2 * slotBytes))
  const older = slots[0] === last && last !== undefined ? 1 : 0
  await writeDurably(path, formatSlot(tree), older * slotBytes).catch((error: Error) => {
    // The system tells once that it lost what was written: whoever tries again hears that all is well.
    throw problem('log-unsynced', { why: error.message })
  })
}

/** Only the sync is worth a thread: a kilobyte in memory is read and written faster than one is called. */
async function writeDurably(path: string, bytes: Buffer, at: number): Promise<void> {
  const file = openSync(path, 'r+')
  try {
    writeSync(file, bytes, 0, bytes.length, at)
    await sync(file)
  } finally {
    closeSync(file)
  }
}

/**
 * Two processes that raise it at once would write over one another. SQLite's lock of a file is one that the system lets go of
 * when its process is no more.
 */
function openLock(path: string): (work: () => Promise<void>) => Promise<void> {
  let lock: DatabaseSync | undefined
  return async work => {
    lock ??= new DatabaseSync(path, { timeout: 0 })
    for (const until = performance.now() + lockWaitMs; !isTaken(lock); await delay(5))
      if (performance.now() > until) throw problem('log-moved')
    try {
      chmodSync(path, 0o600)
      await work()
    } finally {
      lock.exec('rollback')
    }
  }
}

function isTaken(lock: DatabaseSync): boolean {
  try {
    lock.exec('begin immediate')
    return true
  } catch {
    return false // another process has it
  }
}

/** What stands in the two places; undefined for one that holds nothing whole. */
function readSlots(path: string): readonly (Tree | undefined)[] {
  if (!existsSync(path)) return []
  checkOwnersAlone(path, statSync(path))
  const bytes = readFileSync(path)
  const slots = [0, 1].map(at => parseSlot(bytes.subarray(at * slotBytes, (at + 1) * slotBytes)))
  if (slots.every(slot => slot === undefined) && bytes.some(byte => byte !== 0))
    throw problem('key-damaged', { path, why: 'neither of its two marks is whole' })
  return slots
}

function newest(slots: readonly (Tree | undefined)[]): Tree | undefined {
  return slots.filter(slot => slot !== undefined).sort((a, b) => b.size - a.size)[0]
}

function formatSlot({ size, root }: Tree): Buffer {
  const words = `${size} ${Buffer.from(root).toString('base64')}`
  return Buffer.from(`${digestOf(words)} ${words}`.padEnd(slotBytes - 1).concat('\n'))
}

function parseSlot(bytes: Buffer): Tree | undefined {
  const [digest, size = '', root = ''] = bytes.toString('latin1').trimEnd().split(' ')
  if (digest !== digestOf(`${size} ${root}`)) return undefined
  return { size: Number(size), root: new Uint8Array(Buffer.from(root, 'base64')) }
}

function digestOf(words: string): string {
  return createHash('sha256').update(words).digest('hex')
}
