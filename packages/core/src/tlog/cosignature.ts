// SPDX-License-Identifier: Apache-2.0
/** What witnesses sign, by C2SP tlog-cosignature: a checkpoint, and the time at which they saw it. */
import { problem } from '../problem.ts'
import type { NoteSignature } from './note.ts'

/** The bytes that a witness signs: that at this time, in seconds, this was the largest tree it had seen for the origin. */
export function cosignedMessage(time: number, noteText: string): Uint8Array {
  return new TextEncoder().encode(`cosignature/v1\ntime ${time}\n${noteText}`)
}

/** When a witness cosigned, in seconds, or throws `note-refused`; to be believed only once the note was verified. */
export function readCosignatureTime({ bytes }: Pick<NoteSignature, 'bytes'>): number {
  if (bytes.length < 8) throw refuse()
  const time = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0))
  if (!Number.isSafeInteger(time)) throw refuse()
  return time
}

function refuse() {
  return problem('note-refused', { why: 'a cosignature has no time' })
}
