// SPDX-License-Identifier: Apache-2.0
/**
 * What a signed pack of rules or names consists of: the text of a signed note.
 *
 *     holdfast-pack/v1
 *     2026-11-23T12:00:00.000Z
 *     9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 miners.yar
 */
import { problem } from './problem.ts'

export interface PackList {
  /** When it was signed, in milliseconds. */
  readonly madeAt: number
  /** The SHA-256 of each file, in hexadecimal, by its name. */
  readonly files: ReadonlyMap<string, string>
}

/** The file of a pack's folder that holds the note. */
export const packListName = 'PACK'
const heading = 'holdfast-pack/v1'
const fileName = /^[A-Za-z0-9][\w.-]{0,199}$/

/** Whether a file of this name can be part of a pack: no path, and not the list itself. */
export function isPackFile(name: string): boolean {
  return fileName.test(name) && name !== packListName
}

/** Reads a list, or throws `note-refused`. */
export function parsePackList(text: string): PackList {
  const [first, time = '', ...lines] = text.split('\n')
  const madeAt = Date.parse(time)
  if (first !== heading || lines.pop() !== '' || !Number.isFinite(madeAt))
    throw problem('note-refused', { why: 'it is no list of a pack' })
  const files = new Map<string, string>()
  for (const line of lines) {
    const [, digest = '', name = ''] = /^([0-9a-f]{64}) (\S+)$/.exec(line) ?? []
    if (!isPackFile(name) || files.has(name))
      throw problem('note-refused', { why: 'a line of the pack is no digest and new name' })
    files.set(name, digest)
  }
  return { madeAt, files }
}

/** Writes a list, the inverse of `parsePackList`; names in order. */
export function formatPackList({ madeAt, files }: PackList): string {
  const lines = [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, digest]) => `${digest} ${name}\n`)
  return `${heading}\n${new Date(madeAt).toISOString()}\n${lines.join('')}`
}
