// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import { Thread } from '../../thread.ts'

/** The bytes of a text in every encoding that clients take. */
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

const limits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 }
const threadUrl = new URL(`./press-thread${extname(import.meta.filename)}`, import.meta.url)

/** Joins, compresses and hashes documents in a thread, so that a packument of 20 MB holds nobody up. */
export class Press {
  readonly #thread = new Thread<readonly Piece[], Pressed>(threadUrl, limits)

  /** The pieces are handed over: their memory is empty afterwards. */
  press(pieces: readonly Piece[]): Promise<Pressed> {
    return this.#thread.run(
      pieces,
      pieces.map(piece => piece.buffer),
    )
  }
}
