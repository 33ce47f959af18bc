// SPDX-License-Identifier: Apache-2.0
/**
 * What a witness cosigned last, by origin, in files: `log/<hex SHA-256 of the origin>/<generation>`. It is trusted: who sets it
 * back can have the witness cosign a fork.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFolder, writeNew } from './durable.ts'

/** A cosigned checkpoint, and how often there was one before it. */
export interface Held {
  readonly generation: number
  /** The note with the log's signatures and ours. */
  readonly note: string
}

/** Remembers one checkpoint an origin. */
export interface Memory {
  find(originHash: string): Promise<Held | undefined>
  /**
   * Puts a note in the place of what was found, durable when this resolves; false, with nothing changed, when that is
   * no longer the last one. So for each origin only one of many who ask at once gets through, in however many processes.
   */
  replace(originHash: string, was: Held | undefined, note: string): Promise<boolean>
}

/** Under which name an origin's checkpoint is kept and served. */
export function hashOrigin(origin: string): string {
  return createHash('sha256').update(origin).digest('hex')
}

/** Opens the memory in a witness's folder. */
export async function openMemory(data: string): Promise<Memory> {
  const folder = join(data, 'log')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await syncFolder(data)
  return {
    find: originHash => find(join(folder, originHash)),
    replace: (originHash, was, note) => replace(join(folder, originHash), was, note),
  }
}

async function find(folder: string): Promise<Held | undefined> {
  const generation = (await listGenerations(folder)).at(-1)
  if (generation === undefined) return undefined
  try {
    return { generation, note: await readFile(join(folder, String(generation)), 'utf8') }
  } catch (error) {
    // Two generations came while we looked.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return find(folder)
    throw error
  }
}

async function replace(folder: string, was: Held | undefined, note: string): Promise<boolean> {
  const next = (was?.generation ?? 0) + 1
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await syncFolder(dirname(folder))
  if (!(await writeNew(join(folder, String(next)), Buffer.from(note)))) return false
  const all = await listGenerations(folder)
  // Whoever was so slow that its place was cleared meanwhile finds later ones here.
  if (all.at(-1) !== next) {
    await rm(join(folder, String(next)), { force: true })
    return false
  }
  // The one before stays, so that its name is taken for whoever began with it.
  for (const old of all.filter(each => each < next - 1)) await rm(join(folder, String(old)), { force: true })
  return true
}

async function listGenerations(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names
    .filter(name => /^[1-9]\d*$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
}
