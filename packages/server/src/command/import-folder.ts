// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { problem } from '@holdfast/core'
import type { Arrival } from '../flow/index.ts'

/** Where versions come from. */
export interface ImportSource {
  /** How many versions there are, for the progress bar; undefined where that only shows itself. */
  readonly total: number | undefined
  readonly arrivals: AsyncIterable<Arrival>
  /** What was left out and why, complete once `arrivals` has ended. */
  readonly notes: string[]
}

const readBytes = 256 * 1024
const wholeBytes = 1024 * 1024

/** Every `.tgz` below a folder, in the order of paths; a version is as old as its file. */
export async function openTarballFolder(folder: string): Promise<ImportSource> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter(entry => !entry.isDirectory() && /\.(?:tgz|tar\.gz)$/i.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
  // So that widget-1.10.0 comes after widget-1.9.0.
  const order = new Intl.Collator('en', { numeric: true })
  paths.sort(order.compare)
  return { total: paths.length, arrivals: arrive(folder, paths), notes: [] }
}

async function* arrive(folder: string, paths: readonly string[]): AsyncIterable<Arrival> {
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined)
    yield {
      source: relative(folder, path),
      publishedAt: Math.floor(found?.mtimeMs ?? 0),
      read: () => readTarball(path),
    }
  }
}

/** The bytes of a file; a file that cannot be read is a problem of that file alone. */
export async function* readTarball(path: string): AsyncIterable<Uint8Array> {
  try {
    // One read for most packages; a stream costs more than the bytes of a small file.
    if ((await stat(path)).size <= wholeBytes) yield await readFile(path)
    else yield* createReadStream(path, { highWaterMark: readBytes })
  } catch (error) {
    throw problem('file-unreadable', { why: error instanceof Error ? error.message : String(error) })
  }
}
