// SPDX-License-Identifier: Apache-2.0
/**
 * The log in a folder, laid out as C2SP tlog-tiles names it, so that any static server can serve it and any copy is a log.
 * Whoever owns the folder can change or remove bytes: readers check them against a signed root.
 */
import { type FileHandle, link, mkdir, open, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { problem } from '@holdfast/core'
import type { LogFiles } from '../../ports.ts'
import { makeIncomingName, removeLeftovers } from '../blob/incoming.ts'
import { explainDiskError } from '../unavailable.ts'

const checkpoint = 'checkpoint'
const pageBytes = 4096

/** Opens or creates the folder of a log, and removes what crashed processes left half written. */
export async function openLogFolder(folder: string): Promise<LogFiles> {
  const incoming = join(folder, '.incoming')
  await mkdir(incoming, { recursive: true, mode: 0o700 })
  await syncFolder(dirname(folder))
  await removeLeftovers(incoming)
  const aside = () => join(incoming, makeIncomingName())
  let unsettled = new Set<string>()
  return {
    write: files =>
      orExplain(async () => {
        const write = async ([path, bytes]: readonly [string, Uint8Array]) => {
          await writeOnce(aside(), join(folder, path), bytes)
          // Not before: whoever settles meanwhile would look for a file that is not there yet.
          unsettled.add(path)
        }
        await settleAll([...files].map(write))
      }),
    read: path => readIfThere(join(folder, path)),
    settle: paths =>
      orExplain(async () => {
        const all = [...new Set([...paths, ...unsettled])]
        unsettled = new Set()
        await settleAll(all.map(path => syncFile(join(folder, path))))
        await settleAll([...foldersAbove(all)].map(each => syncFolder(join(folder, each))))
      }),
    async replaceCheckpoint(note) {
      const path = join(folder, checkpoint)
      const next = aside()
      await orExplain(async () => {
        if (!(await readIfThere(path))?.equals(Buffer.from(note))) {
          await writeFile(next, note, { flag: 'wx', mode: 0o644 })
          await syncFile(next)
          await rename(next, path)
        }
        await syncFolder(folder)
      }).finally(() => unlink(next).catch(() => {}))
    },
  }
}

/** Linked to its name, which nothing whole has before: a name never gets other bytes. */
async function writeOnce(aside: string, target: string, bytes: Uint8Array): Promise<void> {
  await writeFile(aside, bytes, { flag: 'wx', mode: 0o644 })
  try {
    await linkInFolder(aside, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const found = await readIfThere(target)
    if (found?.equals(bytes)) return // another process was first, or this one before a crash
    if (found === undefined || !isTorn(found, bytes))
      throw problem('log-forked', { why: `${target} is there with other bytes` })
    await rename(aside, target)
  } finally {
    // Nobody waits for the second name to go; one that stays goes when the folder is opened again.
    unlink(aside).catch(() => {})
  }
}

async function linkInFolder(aside: string, target: string): Promise<void> {
  try {
    await link(aside, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await mkdir(dirname(target), { recursive: true, mode: 0o755 })
    await link(aside, target)
  }
}

/** What a power cut may leave of these bytes: fewer of them, and nothing where whole pages should be. It is no evidence of others. */
function isTorn(found: Buffer, bytes: Uint8Array): boolean {
  if (found.length > bytes.length) return false
  for (let at = 0; at < found.length; at += pageBytes) {
    const page = found.subarray(at, at + pageBytes)
    if (!page.equals(bytes.subarray(at, at + page.length)) && page.some(byte => byte !== 0)) return false
  }
  return true
}

/** Every folder that one of these names begins with: any of them may be new. */
function foldersAbove(paths: readonly string[]): ReadonlySet<string> {
  const folders = new Set(['.'])
  for (const path of paths)
    for (let above = dirname(path); !folders.has(above); above = dirname(above)) folders.add(above)
  return folders
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  await withFile(file, () => file.datasync().catch(refuseUnsynced))
}

async function syncFolder(folder: string): Promise<void> {
  const file = await open(folder, 'r')
  await withFile(file, () => file.sync().catch(refuseUnsynced))
}

/** The system tells once that it lost what was written, and then forgets: whoever tries again hears that all is well. */
function refuseUnsynced(error: unknown): never {
  throw problem('log-unsynced', { why: error instanceof Error ? error.message : String(error) })
}

async function withFile(file: FileHandle, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } finally {
    await file.close()
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A path below a tile, or a folder of one, is no file of the log either.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined
    throw error
  }
}

/** All have ended when this does, also where one of them fails: nothing is still being written then. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(work)
  const failed = ended.find(each => each.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

async function orExplain(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    throw explainDiskError(error)
  }
}
