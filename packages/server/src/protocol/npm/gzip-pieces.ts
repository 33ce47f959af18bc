// SPDX-License-Identifier: Apache-2.0
import { constants, crc32, deflateRawSync } from 'node:zlib'

const level = 6
const pieceBytes = 512 * 1024
/** How far back deflate may point. */
const windowBytes = 32 * 1024
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])

/** One gzip member made piece by piece: what is large never lies whole in memory, and is no larger for it. For threads. */
export class GzipPieces {
  readonly #made: Buffer[] = [header]
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #window: Buffer = Buffer.alloc(0)
  #checksum = 0
  #sizeBytes = 0

  add(bytes: Buffer): void {
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes >= pieceBytes) this.#deflate(constants.Z_SYNC_FLUSH)
  }

  end(): Buffer {
    this.#deflate(constants.Z_FINISH)
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(this.#checksum, 0)
    trailer.writeUInt32LE(this.#sizeBytes % 2 ** 32, 4)
    return Buffer.concat([...this.#made, trailer])
  }

  #deflate(finishFlush: number): void {
    const piece = Buffer.concat(this.#waiting)
    const known = this.#window.length > 0 ? { dictionary: this.#window } : {}
    this.#made.push(deflateRawSync(piece, { level, finishFlush, ...known }))
    this.#checksum = crc32(piece, this.#checksum)
    this.#sizeBytes += piece.length
    this.#window = Buffer.from(piece.subarray(-windowBytes))
    this.#waiting = []
    this.#waitingBytes = 0
  }
}
