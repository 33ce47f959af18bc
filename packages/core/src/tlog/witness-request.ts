// SPDX-License-Identifier: Apache-2.0
/**
 * What a log sends to a witness (C2SP tlog-witness, `add-checkpoint`):
 *
 *   old <size the log believes the witness has>
 *   <base64 hash of the consistency proof>        0…63 lines
 *   <empty line>
 *   <checkpoint, signed by the log>
 */
import { problem } from '../problem.ts'
import { decodeBase64, encodeBase64 } from './bytes.ts'

const maxHashes = 63

/** One wish for a cosignature. */
export interface WitnessRequest {
  readonly oldSize: number
  /** From the tree of `oldSize` to the checkpoint's. */
  readonly path: readonly Uint8Array[]
  /** The note as the log signed it. */
  readonly checkpoint: string
}

/** The body that asks for a cosignature. */
export function formatWitnessRequest({ oldSize, path, checkpoint }: WitnessRequest): string {
  return `old ${oldSize}\n${path.map(hash => `${encodeBase64(hash)}\n`).join('')}\n${checkpoint}`
}

/** Reads a hostile body; throws `note-refused`. The checkpoint in it is not looked at yet. */
export function parseWitnessRequest(text: string): WitnessRequest {
  const end = text.indexOf('\n\n')
  const [first = '', ...hashes] = text.slice(0, Math.max(end, 0)).split('\n')
  const [, size] = /^old (0|[1-9]\d{0,15})$/.exec(first) ?? []
  const oldSize = Number(size)
  if (!Number.isSafeInteger(oldSize)) throw refuse('it does not begin with an old size')
  if (hashes.length > maxHashes) throw refuse(`its proof has more than ${maxHashes} hashes`)
  return { oldSize, path: hashes.map(readHash), checkpoint: text.slice(end + 2) }
}

function readHash(line: string): Uint8Array {
  const hash = decodeBase64(line)
  if (hash?.length !== 32) throw refuse('its proof has a line that is no hash')
  return hash
}

function refuse(why: string) {
  return problem('note-refused', { why })
}
