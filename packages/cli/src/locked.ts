// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises'
import { type LockEntry, readLockFile } from '@holdfast/core'
import { UsageError } from './usage-error.ts'

/** What a lock file of any client names, or throws `UsageError`. */
export async function readLocked(file: string): Promise<readonly LockEntry[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`, 'Check the name of the file.')
  })
  const locked = readLockFile(text)
  if (locked !== undefined) return locked
  throw new UsageError(
    `${file} is no lock file that can be read`,
    'Formats are those of npm, pnpm, yarn and bun; a binary bun.lockb becomes text with bun install --save-text-lockfile.',
  )
}
