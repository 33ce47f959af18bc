// SPDX-License-Identifier: Apache-2.0
/** Files of a key folder: for the owner alone, made once however many processes begin at once. */
import { randomBytes } from 'node:crypto'
import { link, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { problem } from '@holdfast/core'

/** A file's bytes; made when it is not there, by one process for all. */
export async function readOrMake(path: string, make: () => Buffer): Promise<Buffer> {
  try {
    return await readKeyFile(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
  await linkNew(path, make())
  return readKeyFile(path)
}

/** A new file, unless it is there. A crash here leaves one of mode 0600 that nothing reads; the next open makes another. */
export async function linkNew(path: string, bytes: Buffer): Promise<void> {
  const aside = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.new`
  const file = await open(aside, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
    await link(aside, path)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error // another process was first: its key counts
  } finally {
    await file.close()
    await rm(aside, { force: true })
  }
  await syncFolder(dirname(path))
}

/** Throws `key-exposed` where others can read it. */
export async function readKeyFile(path: string): Promise<Buffer> {
  checkOwnersAlone(path, await stat(path))
  return readFile(path)
}

/** Throws `key-exposed` where others can read a file of this mode. */
export function checkOwnersAlone(path: string, { mode }: { readonly mode: number }): void {
  if ((mode & 0o077) !== 0) throw problem('key-exposed', { path, mode: formatMode(mode), wanted: '600' })
}

/** Who can write the folder can put a key of theirs in place of ours. */
export async function checkNotWritableByOthers(folder: string): Promise<void> {
  const { mode } = await stat(folder)
  if ((mode & 0o022) !== 0)
    throw problem('key-exposed', { path: folder, mode: formatMode(mode), wanted: '700' })
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

function formatMode(mode: number): string {
  return (mode & 0o777).toString(8)
}

/** The system's code of an error. */
export function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
