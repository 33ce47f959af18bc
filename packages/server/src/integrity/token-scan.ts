// SPDX-License-Identifier: Apache-2.0
import { isToken, tokenLength, tokenPrefix } from '@holdfast/core'

/**
 * Looks for tokens in bytes that come in pieces, whatever the bytes are, and also where a token lies across the border
 * of two pieces. Gives a sink; `report` may hear of one token twice.
 */
export function scanForTokens(report: (token: string) => void): (bytes: Uint8Array) => void {
  // What came last, a character short of a token: it may be the beginning of one.
  let tail: Buffer = Buffer.alloc(0)
  return bytes => {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (tail.length > 0) search(Buffer.concat([tail, piece.subarray(0, tokenLength - 1)]), report)
    search(piece, report)
    tail = lastOf(piece.length < tokenLength ? Buffer.concat([tail, piece]) : piece)
  }
}

/** A copy, since the piece's memory is used again. */
function lastOf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(Math.max(0, bytes.length - tokenLength + 1)))
}

function search(bytes: Buffer, report: (token: string) => void): void {
  for (let at = bytes.indexOf(tokenPrefix); at >= 0; at = bytes.indexOf(tokenPrefix, at + 1)) {
    const text = bytes.toString('latin1', at, at + tokenLength)
    // The checksum: nobody writes a thousand look-alikes to hide the one that counts.
    if (isToken(text)) report(text)
  }
}
