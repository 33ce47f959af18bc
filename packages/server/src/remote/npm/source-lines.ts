// SPDX-License-Identifier: Apache-2.0
import { zstdCompressSync } from 'node:zlib'

/** Where a line lies, with the break in front of it. */
export interface Line {
  readonly from: number
  readonly to: number
}

/** Memory above this size is never shared with other buffers, as small ones are. */
const ownMemoryBytes = 1024 * 1024

/** Gives the memory of a large buffer back at once; nobody reads it afterwards. */
export function letGo(bytes: Buffer | undefined): void {
  if (bytes !== undefined && bytes.buffer.byteLength >= ownMemoryBytes && bytes.buffer instanceof ArrayBuffer)
    bytes.buffer.transfer(0)
}

/** The source of a mirror while it is made: lines outside of the heap, where a large document costs no more than its size. */
export class SourceLines {
  #bytes: Buffer
  #size = 0

  /** `expectedBytes` spares copies where it is enough. */
  constructor(expectedBytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(expectedBytes)
  }

  add(text: string): Line {
    const line = this.#size === 0 ? text : `\n${text}`
    const from = this.#size
    // Three bytes a character are the most that UTF-8 takes of UTF-16.
    if (from + line.length * 3 > this.#bytes.length) this.#grow(from + line.length * 3)
    this.#size += this.#bytes.write(line, from)
    return { from, to: this.#size }
  }

  /** The first line, then these in their order, compressed by zstd. */
  compress(first: Line, others: readonly Line[]): Uint8Array<ArrayBuffer> {
    const text = this.#inOrder([first, ...others])
    const source = new Uint8Array(zstdCompressSync(text))
    letGo(text)
    letGo(this.#bytes)
    return source
  }

  #grow(neededBytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(neededBytes, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#size)
    letGo(this.#bytes)
    this.#bytes = larger
  }

  #inOrder(lines: readonly Line[]): Buffer {
    const isInOrder = lines.every(({ from }, index) => from === (lines[index - 1]?.to ?? 0))
    if (isInOrder) return this.#bytes.subarray(0, this.#size)
    return Buffer.concat(lines.map(({ from, to }) => this.#bytes.subarray(from, to)))
  }
}
