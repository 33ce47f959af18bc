// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { extname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Thread } from '../../thread.ts'

/** The bytes of a text in the encodings that clients take; empty ones were not worth making. */
export interface Pressed {
  readonly identity: Uint8Array
  readonly gzip: Uint8Array
  readonly brotli: Uint8Array
  readonly zstd: Uint8Array
  /** SHA-256 of the text. */
  readonly hash: string
}

/** UTF-8 in memory of its own, which goes to the thread without being copied. */
export type Piece = Uint8Array<ArrayBuffer>

/** To ask a thread takes longer than to compress so little, and other encodings would not save a packet. */
const smallBytes = 16 * 1024
const none = new Uint8Array()
const limits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 }
const threadUrl = new URL(`./press-thread${extname(import.meta.filename)}`, import.meta.url)

/** Joins, compresses and hashes documents in a thread, so that a packument of 20 MB holds nobody up. */
export class Press {
  readonly #thread = new Thread<readonly Piece[], Pressed>(threadUrl, limits)

  /** The pieces are handed over: their memory is empty afterwards. */
  async press(pieces: readonly Piece[]): Promise<Pressed> {
    if (pieces.reduce((sum, piece) => sum + piece.length, 0) < smallBytes) return pressSmall(pieces)
    return this.#thread.run(
      pieces,
      pieces.map(piece => piece.buffer),
    )
  }
}

function pressSmall(pieces: readonly Piece[]): Pressed {
  const identity = Buffer.concat(pieces)
  const hash = createHash('sha256').update(identity).digest('base64url')
  return { identity, gzip: gzipSync(identity, { level: 6 }), brotli: none, zstd: none, hash }
}
