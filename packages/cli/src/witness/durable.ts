// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes a file that is not there yet, whole and durable when this resolves; false, with nothing changed, when it is there.
 * Whoever asks at the same time, in this process or another: one of them makes it. A crash leaves a file that nothing reads.
 */
export async function writeNew(path: string, bytes: Uint8Array): Promise<boolean> {
  const aside = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.new`
  const file = await open(aside, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
    await link(aside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await file.close()
    await rm(aside, { force: true })
  }
  await syncFolder(dirname(path))
  return true
}

/** Names that were made or removed in a folder stay so after a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}
