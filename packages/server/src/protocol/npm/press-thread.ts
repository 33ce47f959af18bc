// SPDX-License-Identifier: Apache-2.0
/** The thread behind the press: pieces of a document in, its encodings out. */
import { createHash } from 'node:crypto'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { answerJobs, standBack } from '../../thread.ts'
import type { Piece } from './press.ts'

// Documents of what is hosted are made when something changes.
standBack()
answerJobs(press, ({ identity, gzip, brotli, zstd }) =>
  [identity, gzip, brotli, zstd].map(bytes => bytes.buffer),
)

function press(pieces: readonly Piece[]) {
  const identity = join(pieces)
  const gzip = own(gzipSync(identity, { level: 6 }))
  const brotli = own(
    brotliCompressSync(identity, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: identity.length },
    }),
  )
  const zstd = own(zstdCompressSync(identity, { params: { [constants.ZSTD_c_compressionLevel]: 6 } }))
  return { identity, gzip, brotli, zstd, hash: createHash('sha256').update(identity).digest('base64url') }
}

function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** In memory of its own size: what zlib gives back may lie in a larger piece, or in one that is shared. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
