// SPDX-License-Identifier: Apache-2.0
/**
 * The source of a mirror as `MirrorRows` keeps it: lines of JSON, the package first and then its versions, compressed by zstd in
 * pieces of their own. Of a document of 20 MB no more than a piece is text at a time. In front of each piece stands how many
 * bytes and how many lines it has.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const newline = 0x0a
const headBytes = 8
const pieceBytes = 512 * 1024
/** What a piece becomes: mostly one block of memory instead of many small ones that nobody can use afterwards. */
const chunkSize = 128 * 1024

/** A compressed piece of a source. */
export interface SourcePiece {
  readonly lines: number
  readonly compressed: Uint8Array
}

/** The pieces of a source in their order, none where nothing is kept. */
export function listSourcePieces(source: Uint8Array): readonly SourcePiece[] {
  const head = new DataView(source.buffer, source.byteOffset, source.length)
  const pieces: SourcePiece[] = []
  for (let at = 0; at < source.length; ) {
    const from = at + headBytes
    const to = from + head.getUint32(at)
    pieces.push({ lines: head.getUint32(at + 4), compressed: source.subarray(from, to) })
    at = to
  }
  return pieces
}

/** The lines of an inflated piece, as parts of it: only what somebody reads becomes text. */
export function* splitLines(text: Buffer): Generator<Buffer> {
  for (let from = 0; from <= text.length; ) {
    const end = text.indexOf(newline, from)
    const to = end < 0 ? text.length : end
    yield text.subarray(from, to)
    from = to + 1
  }
}

/** The lines of a source. For threads, since it takes long. */
export function* readSourceLines(source: Uint8Array): Generator<Buffer> {
  const pieces = listSourcePieces(source)
  // All of them but the last are as good as full.
  const made = pieces.length > 1 ? { chunkSize: pieceBytes + 1 } : {}
  for (const { compressed } of pieces) yield* splitLines(zstdDecompressSync(compressed, made))
}

/** One line, from 0; undefined where there is none. */
export function findSourceLine(source: Uint8Array, index: number): Buffer | undefined {
  let left = index
  for (const { lines, compressed } of listSourcePieces(source)) {
    if (left >= 0 && left < lines) return [...splitLines(zstdDecompressSync(compressed))][left]
    left -= lines
  }
  return undefined
}

/** A source while it is made. */
export class SourceWriter {
  readonly #pieces: Uint8Array[] = []
  #text: Buffer
  #size = 0
  #lines = 0

  /** `expectedBytes` spares memory where they are few. */
  constructor(expectedBytes: number) {
    this.#text = Buffer.allocUnsafeSlow(Math.min(pieceBytes, expectedBytes))
  }

  add(line: string | Buffer): void {
    // Three bytes a character are the most that UTF-8 takes of UTF-16; one more for the break.
    const most = line.length * 3 + 1
    if (this.#size + most > pieceBytes) this.#endPiece()
    if (this.#size + most > this.#text.length) this.#grow(this.#size + most)
    if (this.#lines > 0) this.#size += this.#text.write('\n', this.#size)
    this.#size +=
      typeof line === 'string' ? this.#text.write(line, this.#size) : line.copy(this.#text, this.#size)
    this.#lines += 1
  }

  end(): Uint8Array<ArrayBuffer> {
    this.#endPiece()
    const source = new Uint8Array(this.#pieces.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const piece of this.#pieces) {
      source.set(piece, at)
      at += piece.length
    }
    return source
  }

  #endPiece(): void {
    if (this.#lines === 0) return
    const compressed = zstdCompressSync(this.#text.subarray(0, this.#size), { chunkSize })
    const head = Buffer.alloc(headBytes)
    head.writeUInt32BE(compressed.length, 0)
    head.writeUInt32BE(this.#lines, 4)
    this.#pieces.push(head, compressed)
    this.#size = 0
    this.#lines = 0
  }

  #grow(neededBytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(neededBytes, Math.min(pieceBytes, this.#text.length * 2)))
    this.#text.copy(larger, 0, 0, this.#size)
    this.#text = larger
  }
}
