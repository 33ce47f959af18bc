// SPDX-License-Identifier: Apache-2.0
/**
 * One entry with everything needed to check it years later and without a network, by C2SP tlog-proof.
 *
 *     c2sp.org/tlog-proof@v1
 *     extra eyJhY3RvciI6…
 *     index 2
 *     xgvRgUtO/nzLaOd/KMD1m0mZeEkf6l0iiSX+FcHivek=
 *
 *     registry.example/log
 *     …
 */
import { problem } from '../problem.ts'
import { decodeBase64, encodeBase64 } from './bytes.ts'
import { hashLength } from './merkle.ts'

const firstLine = 'c2sp.org/tlog-proof@v1'
const maxLength = 131_072
const maxHashes = 63

export interface LogProof {
  /** The leaf's bytes; nobody vouches for them before they were proven included. */
  readonly entry: Uint8Array
  readonly index: number
  /** Sibling hashes, leaf to root. */
  readonly path: readonly Uint8Array[]
  /** The signed note, as the log gave it. */
  readonly checkpoint: string
}

/** Writes a proof as text. */
export function formatLogProof({ entry, index, path, checkpoint }: LogProof): string {
  const head = [firstLine, `extra ${encodeBase64(entry)}`, `index ${index}`, ...path.map(encodeBase64)]
  return `${head.join('\n')}\n\n${checkpoint}`
}

/** Reads a proof, or throws `proof-refused`; it proves nothing before it is verified. */
export function parseLogProof(text: string): LogProof {
  if (text.length > maxLength) throw refuse('it is too long')
  const end = text.indexOf('\n\n')
  if (end < 0) throw refuse('it has no empty line')
  const [first, extra = '', place = '', ...hashes] = text.slice(0, end).split('\n')
  if (first !== firstLine) throw refuse('its first line is another')
  if (hashes.length > maxHashes) throw refuse(`it has more than ${maxHashes} hashes`)
  return {
    entry: parseEntry(extra),
    index: parseIndex(place),
    path: hashes.map(parseHash),
    checkpoint: text.slice(end + 2),
  }
}

function parseEntry(line: string): Uint8Array {
  const entry = line.startsWith('extra ') ? decodeBase64(line.slice('extra '.length)) : undefined
  if (entry === undefined) throw refuse('it does not hold the entry')
  return entry
}

function parseIndex(line: string): number {
  const [, digits = ''] = /^index (0|[1-9]\d{0,15})$/.exec(line) ?? []
  if (digits === '' || !Number.isSafeInteger(Number(digits))) throw refuse('it has no index')
  return Number(digits)
}

function parseHash(line: string): Uint8Array {
  const hash = decodeBase64(line)
  if (hash?.length !== hashLength) throw refuse('a hash is malformed')
  return hash
}

function refuse(why: string) {
  return problem('proof-refused', { why })
}
