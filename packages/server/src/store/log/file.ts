// SPDX-License-Identifier: Apache-2.0
/**
 * The log in a folder, laid out as C2SP tlog-tiles names it, so that any static server can serve it and any copy is a log.
 * Whoever owns the folder can change or remove bytes: readers check them against a signed root.
 */
import { type FileHandle, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { problem } from '@holdfast/core'
import type { LogFiles } from '../../ports.ts'
import { makeIncomingName, removeLeftovers } from '../blob/incoming.ts'
import { explainDiskError } from '../unavailable.ts'

const checkpoint = 'checkpoint'

/** Opens or creates the folder of a log, and removes what crashed processes left half written. */
export async function openLogFolder(folder: string): Promise<LogFiles> {
  const incoming = join(folder, '.incoming')
  await mkdir(incoming, { recursive: true, mode: 0o700 })
  await syncFolder(dirname(folder))
  await removeLeftovers(incoming)
  const write = (path: string, bytes: Uint8Array) =>
    writeOnce(join(incoming, makeIncomingName()), folder, path, bytes)
  return {
    async write(files) {
      const folders = new Set([...files.keys()].map(path => dirname(join(folder, path))))
      await orExplain(async () => {
        for (const each of folders) await makeFolder(each)
        await settleAll([...files].map(([path, bytes]) => write(path, bytes)))
        // A crash before this may lose names, never bytes that a name stands for.
        await settleAll([...folders].map(syncFolder))
      })
    },
    read: path => readIfThere(join(folder, path)),
    async replaceCheckpoint(note) {
      const path = join(folder, checkpoint)
      if ((await readIfThere(path))?.equals(Buffer.from(note))) return
      const aside = join(incoming, makeIncomingName())
      await orExplain(async () => {
        await writeSynced(aside, Buffer.from(note))
        await rename(aside, path)
        await syncFolder(folder)
      }).finally(() => rm(aside, { force: true }))
    },
  }
}

/** Linked to its name, which nothing has before: a name never gets other bytes. */
async function writeOnce(aside: string, folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const target = join(folder, path)
  if (await isThere(target, path, bytes)) return
  try {
    await writeSynced(aside, bytes)
    await link(aside, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    await isThere(target, path, bytes) // another process was first: it wrote the same, or there are two logs
  } finally {
    await rm(aside, { force: true })
  }
}

async function isThere(target: string, path: string, bytes: Uint8Array): Promise<boolean> {
  const found = await readIfThere(target)
  if (found === undefined) return false
  if (found.equals(bytes)) return true
  throw problem('log-forked', { why: `${path} is there with other bytes` })
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o644)
  await withFile(file, async () => {
    await file.writeFile(bytes)
    await file.datasync()
  })
}

/** Each folder exists durably before something is put in it. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o755 })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

async function syncFolder(folder: string): Promise<void> {
  const file = await open(folder, 'r')
  await withFile(file, () => file.sync())
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
