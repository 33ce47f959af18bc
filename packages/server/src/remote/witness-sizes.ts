// SPDX-License-Identifier: Apache-2.0
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * The size of the tree that each witness acknowledged last, in a file. Not trusted: where it is wrong or gone the witness says
 * so, and is asked once more.
 */
export interface WitnessSizes {
  /** 0 where nobody knows. */
  get(name: string): number
  set(name: string, size: number): void
  /** Durable when this resolves. */
  save(): Promise<void>
}

/** Opens the file, which need not be there. */
export async function openWitnessSizes(path: string): Promise<WitnessSizes> {
  const sizes = await readSizes(path)
  let isSaved = true
  return {
    get: name => sizes.get(name) ?? 0,
    set(name, size) {
      isSaved &&= sizes.get(name) === size
      sizes.set(name, size)
    },
    async save() {
      if (isSaved) return
      isSaved = true
      await replaceFile(path, `${JSON.stringify(Object.fromEntries(sizes))}\n`)
    },
  }
}

async function readSizes(path: string): Promise<Map<string, number>> {
  try {
    const told: unknown = JSON.parse(await readFile(path, 'utf8'))
    const pairs = Object.entries(told ?? {}).filter(
      ([, size]) => Number.isSafeInteger(size) && Number(size) >= 0,
    )
    return new Map(pairs.map(([name, size]) => [name, Number(size)]))
  } catch {
    return new Map()
  }
}

/** A crash leaves the old file, or the new one. */
async function replaceFile(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  const folder = await open(dirname(path), 'r')
  await folder.sync().finally(() => folder.close())
}
