// SPDX-License-Identifier: Apache-2.0
/** What a log commits itself to, by C2SP tlog-checkpoint: the text of a note with its name, size and root. */
import { problem } from '../problem.ts'
import { areEqualBytes, decodeBase64, encodeBase64 } from './bytes.ts'
import { emptyRoot, hashLength } from './merkle.ts'

export interface Checkpoint {
  /** The log's own name, the same for ever. */
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/** Reads a checkpoint from the text of a note, or throws `note-refused`. Lines after the third are let through unread. */
export function parseCheckpoint(noteText: string): Checkpoint {
  const [origin = '', digits = '', base64 = '', ...more] = noteText.replace(/\n$/, '').split('\n')
  const size = /^(0|[1-9]\d{0,15})$/.test(digits) ? Number(digits) : Number.NaN
  const root = decodeBase64(base64)
  if (!noteText.endsWith('\n') || origin === '' || more.includes('')) throw refuse('it has an empty line')
  if (!Number.isSafeInteger(size)) throw refuse('it has no size')
  if (root?.length !== hashLength) throw refuse('it has no root')
  if (size === 0 && !areEqualBytes(root, emptyRoot)) throw refuse('an empty tree has another root')
  return { origin, size, root }
}

/** Writes a checkpoint as the text of a note, without any further line. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`
}

function refuse(why: string) {
  return problem('note-refused', { why: `as a checkpoint, ${why}` })
}
