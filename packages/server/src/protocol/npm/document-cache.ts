// SPDX-License-Identifier: Apache-2.0
import type { Clock, ReadyDocument } from '../../ports.ts'

/** From this size on a document takes memory when it is wanted a second time: one that is wanted once would push out a hundred others. */
const largeBytes = 256 * 1024
/** Names of large documents that were wanted once. */
const maxWantedOnce = 4096

/** A document and whether somebody asked for it since it was last looked at. */
interface Cached {
  readonly document: ReadyDocument
  asked: boolean
}

/**
 * Oldest first out, with a second chance for what was asked for meanwhile: reading moves nothing. Bounded in bytes, so
 * that it grows neither with packages nor with their size.
 */
export class DocumentCache {
  readonly #maxBytes: number
  readonly #entries = new Map<string, Cached>()
  readonly #wanted = new Set<string>()
  readonly #clock: Clock
  #bytes = 0

  constructor(maxBytes: number, clock: Clock) {
    this.#maxBytes = maxBytes
    this.#clock = clock
  }

  get(key: string): ReadyDocument | undefined {
    const found = this.#entries.get(key)
    if (found === undefined) return undefined
    const { validUntil } = found.document
    if (validUntil !== null && validUntil <= this.#clock()) {
      this.remove(key)
      return undefined
    }
    found.asked = true
    return found.document
  }

  add(key: string, document: ReadyDocument): void {
    this.remove(key)
    if (document.sizeBytes > this.#maxBytes) return
    if (document.sizeBytes >= largeBytes && !this.#wasWanted(key)) return
    this.#makeRoom(this.#maxBytes - document.sizeBytes)
    this.#entries.set(key, { document, asked: false })
    this.#bytes += document.sizeBytes
  }

  /** Whether it was wanted before; from now on it was. */
  #wasWanted(key: string): boolean {
    if (this.#wanted.has(key)) return true
    const [oldest] = this.#wanted
    if (this.#wanted.size >= maxWantedOnce && oldest !== undefined) this.#wanted.delete(oldest)
    this.#wanted.add(key)
    return false
  }

  /** Each turn takes one out or takes its second chance, so it ends. */
  #makeRoom(bytes: number): void {
    for (const [oldest, cached] of this.#entries) {
      if (this.#bytes <= bytes) return
      if (!cached.asked) this.remove(oldest)
      else {
        this.#entries.delete(oldest)
        this.#entries.set(oldest, { document: cached.document, asked: false })
      }
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  remove(key: string): void {
    const found = this.#entries.get(key)
    if (found === undefined) return
    this.#entries.delete(key)
    this.#bytes -= found.document.sizeBytes
  }
}
