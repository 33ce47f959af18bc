// SPDX-License-Identifier: Apache-2.0
import { constants, crc32, deflateRawSync } from 'node:zlib'

const level = 6
const pieceBytes = 512 * 1024
/** How far back deflate may point. */
const windowBytes = 32 * 1024
/** What a piece becomes: mostly one block of memory instead of many small ones that nobody can use afterwards. */
const chunkSize = 128 * 1024
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])

/**
 * One gzip member made piece by piece: what is large never lies whole in memory, and is no larger for it. What is added is written
 * behind the window of what was there before, always into the same memory. For threads.
 */
export class GzipPieces {
  readonly #made: Buffer[] = [header]
  #text = Buffer.allocUnsafeSlow(windowBytes + pieceBytes)
  /** Where the piece begins, and in front of it what deflate may point at. */
  #from = 0
  #to = 0
  #checksum = 0
  #sizeBytes = 0

  add(part: Buffer | string): void {
    // Three bytes a character are the most that UTF-8 takes of UTF-16.
    const most = typeof part === 'string' ? part.length * 3 : part.length
    if (this.#to - this.#from + most > pieceBytes) this.#deflate(constants.Z_SYNC_FLUSH)
    if (this.#to + most > this.#text.length) this.#grow(this.#to + most)
    this.#to += typeof part === 'string' ? this.#text.write(part, this.#to) : part.copy(this.#text, this.#to)
  }

  end(): Buffer {
    this.#deflate(constants.Z_FINISH)
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(this.#checksum, 0)
    trailer.writeUInt32LE(this.#sizeBytes % 2 ** 32, 4)
    return Buffer.concat([...this.#made, trailer])
  }

  #deflate(finishFlush: number): void {
    const piece = this.#text.subarray(this.#from, this.#to)
    const known = this.#from > 0 ? { dictionary: this.#text.subarray(0, this.#from) } : {}
    this.#made.push(deflateRawSync(piece, { level, finishFlush, chunkSize, ...known }))
    this.#checksum = crc32(piece, this.#checksum)
    this.#sizeBytes += piece.length
    const window = Math.max(0, this.#to - windowBytes)
    this.#text.copyWithin(0, window, this.#to)
    this.#from = this.#to - window
    this.#to = this.#from
  }

  #grow(neededBytes: number): void {
    const larger = Buffer.allocUnsafeSlow(neededBytes)
    this.#text.copy(larger, 0, 0, this.#to)
    this.#text = larger
  }
}
