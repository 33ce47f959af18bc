// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@holdfast/core'
import type { BlobReader, Blobs, BlobWriter, WrittenBytes } from '../../ports.ts'
import type { BlobOptions } from './file.ts'
import { runningDigests } from './running-digests.ts'

interface Kept {
  readonly bytes: Uint8Array
  readonly keptAt: number
}

/** Blobs that live as long as this object; `fault` can fail `keep` before and after it persists. */
export function openMemoryBlobs(options: BlobOptions = {}): Blobs {
  const stored = new Map<Digest, Kept>()
  return {
    begin: async () => new MemoryBlobWriter(stored, options.fault ?? (() => undefined)),
    open: async digest => openBytes(stored.get(digest)?.bytes),
    size: async digest => stored.get(digest)?.bytes.length,
    list: async function* () {
      yield* [...stored.keys()]
    },
    remove: async digest => void stored.delete(digest),
    removeKeptBefore: async (digest, at) => (stored.get(digest)?.keptAt ?? at) < at && stored.delete(digest),
  }
}

class MemoryBlobWriter implements BlobWriter {
  readonly #stored: Map<Digest, Kept>
  readonly #fault: NonNullable<BlobOptions['fault']>
  readonly #digests = runningDigests()
  readonly #chunks: Uint8Array[] = []
  #state: 'writing' | 'failed' | 'kept' | 'discarded' = 'writing'

  constructor(stored: Map<Digest, Kept>, fault: NonNullable<BlobOptions['fault']>) {
    this.#stored = stored
    this.#fault = fault
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkWriting()
    this.#chunks.push(Uint8Array.from(chunk)) // the caller may use its buffer again
    this.#digests.add(chunk)
  }

  digests(): WrittenBytes {
    return this.#digests.written()
  }

  async *read(): AsyncIterable<Uint8Array> {
    yield* this.#chunks
  }

  async readAt(position: number, into: Uint8Array): Promise<Uint8Array> {
    into.set(Buffer.concat(this.#chunks).subarray(position, position + into.length))
    return into
  }

  async keep(): Promise<WrittenBytes> {
    const written = this.digests()
    if (this.#state === 'kept') return written
    this.#checkWriting()
    this.#state = 'failed'
    this.#fault('blob:written')
    this.#fault('blob:synced')
    this.#stored.set(written.digest, { bytes: Buffer.concat(this.#chunks), keptAt: Date.now() })
    this.#fault('blob:renamed')
    this.#state = 'kept'
    return written
  }

  async discard(): Promise<void> {
    if (this.#state !== 'kept') this.#state = 'discarded'
  }

  #checkWriting(): void {
    if (this.#state !== 'writing') throw new Error(`The blob can no longer be written: it is ${this.#state}`)
  }
}

function openBytes(bytes: Uint8Array | undefined): BlobReader | undefined {
  if (bytes === undefined) return undefined
  return {
    sizeBytes: bytes.length,
    read: async (position, into) => {
      const part = bytes.subarray(position, position + into.length)
      into.set(part)
      return into.subarray(0, part.length)
    },
    close: async () => undefined,
  }
}
