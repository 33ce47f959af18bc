// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@holdfast/core'
import type { BlobReader, Blobs } from '../../ports.ts'

const maxOpen = 512

interface Lent {
  readonly reader: BlobReader
  users: number
  dropped: boolean
}

/** Blobs kept open for the next reader, the least recently used closed first; opening a file costs as much as reading it. */
export class OpenBlobs {
  readonly #blobs: Blobs
  readonly #open = new Map<Digest, Lent>()

  constructor(blobs: Blobs) {
    this.#blobs = blobs
  }

  /** A reader that stays valid until `done` is called; undefined when there are no such bytes. */
  async borrow(digest: Digest): Promise<{ reader: BlobReader; done: () => void } | undefined> {
    const ready = this.#open.get(digest)
    if (ready !== undefined) {
      this.#open.delete(digest)
      this.#open.set(digest, ready)
      return this.#lend(ready)
    }
    const reader = await this.#blobs.open(digest)
    if (reader === undefined) return undefined
    const made: Lent = { reader, users: 0, dropped: false }
    // Two that opened it at once: the later one is closed after its use.
    if (this.#open.has(digest)) made.dropped = true
    else this.#keep(digest, made)
    return this.#lend(made)
  }

  #keep(digest: Digest, made: Lent): void {
    this.#open.set(digest, made)
    for (const [oldest, lent] of this.#open) {
      if (this.#open.size <= maxOpen) return
      this.#open.delete(oldest)
      lent.dropped = true
      closeUnused(lent)
    }
  }

  #lend(lent: Lent): { reader: BlobReader; done: () => void } {
    lent.users += 1
    const done = () => {
      lent.users -= 1
      closeUnused(lent)
    }
    return { reader: lent.reader, done }
  }
}

function closeUnused(lent: Lent): void {
  if (lent.dropped && lent.users === 0) void lent.reader.close().catch(() => {})
}
