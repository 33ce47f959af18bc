// SPDX-License-Identifier: Apache-2.0
import { readSourceLines, SourceWriter } from '../../mirror-source.ts'

/** Memory above this size is never shared with other buffers, as small ones are. */
const ownMemoryBytes = 1024 * 1024

/** Gives the memory of a large buffer back at once; nobody reads it afterwards. */
export function letGo(bytes: Buffer | undefined): void {
  if (bytes !== undefined && bytes.buffer.byteLength >= ownMemoryBytes && bytes.buffer instanceof ArrayBuffer)
    bytes.buffer.transfer(0)
}

/** The source of a mirror from lines in the order of its document, which is mostly the one in which they are kept. */
export class SourceLines {
  readonly #writer: SourceWriter
  #count = 0

  /** `expectedBytes` spares memory where they are few. */
  constructor(expectedBytes: number) {
    this.#writer = new SourceWriter(expectedBytes)
  }

  /** The line's place, from 0. */
  add(text: string): number {
    this.#writer.add(text)
    return this.#count++
  }

  /** The source with its lines in this order; each of them is named once. */
  inOrder(places: readonly number[]): Uint8Array<ArrayBuffer> {
    const source = this.#writer.end()
    if (places.every((place, index) => place === index)) return source
    const lines = [...readSourceLines(source)]
    const sorted = new SourceWriter(source.length)
    for (const place of places) sorted.add(lines[place] ?? Buffer.alloc(0))
    return sorted.end()
  }
}
