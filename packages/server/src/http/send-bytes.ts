// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http'
import type { BlobReader } from '../ports.ts'

/** So much stays in a core's own cache between the read and the write: pieces of half a megabyte and more take nearly twice as long. */
const largeBytes = 256 * 1024
const smallBytes = 64 * 1024
const maxLarge = 16

/**
 * Buffers that blobs are read into on their way out. The large ones are few and used again: fresh memory for each read
 * costs more than the read. Whoever comes while all are lent, behind slow readers, gets by with a small one.
 */
class ReadBuffers {
  readonly #idle: Buffer[] = []
  #large = 0

  lend(length: number): Buffer {
    if (length <= smallBytes) return Buffer.allocUnsafeSlow(length)
    const ready = this.#idle.pop()
    if (ready !== undefined) return ready
    if (this.#large >= maxLarge) return Buffer.allocUnsafeSlow(smallBytes)
    this.#large += 1
    return Buffer.allocUnsafeSlow(largeBytes)
  }

  takeBack(buffer: Buffer): void {
    if (buffer.length === largeBytes) this.#idle.push(buffer)
  }

  /** For a buffer that a broken connection may still be reading from: it must not carry anybody else's bytes. */
  giveUp(buffer: Buffer): void {
    if (buffer.length === largeBytes) this.#large -= 1
  }
}

const buffers = new ReadBuffers()

/** Bytes of a blob as the body, in pieces, no faster than the peer reads. Returns how many were sent. */
export async function sendBytes(
  response: ServerResponse,
  reader: BlobReader,
  start: number,
  length: number,
): Promise<number> {
  const buffer = buffers.lend(length)
  let isOurs = true
  let sent = 0
  try {
    while (sent < length && isOurs && !response.destroyed) {
      const room = buffer.subarray(0, Math.min(buffer.length, length - sent))
      const piece = reader.readNow?.(start + sent, room) ?? (await reader.read(start + sent, room))
      if (piece.length === 0) throw new Error('the stored bytes end too early')
      sent += piece.length
      isOurs = await passOn(response, piece, sent >= length)
    }
    return sent
  } finally {
    if (isOurs) buffers.takeBack(buffer)
    else buffers.giveUp(buffer)
  }
}

/** Writes a piece and waits until its buffer is free again; false when the connection broke before that was said. */
function passOn(response: ServerResponse, piece: Uint8Array, isLast: boolean): Promise<boolean> {
  return new Promise(resolve => {
    const broken = () => resolve(false)
    const written = (error?: Error | null) => {
      response.off('close', broken)
      resolve(error == null)
    }
    response.once('close', broken)
    if (isLast) response.end(piece, () => written())
    else response.write(piece, written)
  })
}
