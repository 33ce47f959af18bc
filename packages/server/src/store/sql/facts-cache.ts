// SPDX-License-Identifier: Apache-2.0
import type { PackageName } from '@holdfast/core'
import type { UpstreamVersion } from '../../catalog/index.ts'

interface Remembered {
  readonly revision: number
  readonly versions: readonly UpstreamVersion[]
  readonly bytes: number
}

/**
 * Facts of mirrors, read: for a package of thousands of versions that takes longer than everything else a look at it does.
 * Facts change with their revision only, in whatever process, so an entry is never wrong, only superseded. Bounded in bytes of
 * their text; the least recently used goes first.
 */
export class FactsCache {
  readonly #maxBytes: number
  readonly #kept = new Map<PackageName, Remembered>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(name: PackageName, revision: number): readonly UpstreamVersion[] | undefined {
    const found = this.#kept.get(name)
    if (found?.revision !== revision) return undefined
    this.#kept.delete(name)
    this.#kept.set(name, found)
    return found.versions
  }

  add(name: PackageName, entry: Remembered): void {
    this.#remove(name)
    if (entry.bytes > this.#maxBytes) return
    this.#kept.set(name, entry)
    this.#bytes += entry.bytes
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) return
      this.#remove(oldest)
    }
  }

  #remove(name: PackageName): void {
    this.#bytes -= this.#kept.get(name)?.bytes ?? 0
    this.#kept.delete(name)
  }
}
