// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { Digest } from '@holdfast/core'
import type { TarballGrant } from '../../flow/index.ts'
import { touchedBy } from '../../integrity/index.ts'
import type { BlobReader, Ports } from '../../ports.ts'
import { OpenBlobs } from './open-blobs.ts'

const maxBodyBytes = 4 * 1024 * 1024
const maxGrants = 50_000

/** A public tarball that the gate lets out, with its answers made. Dropped the moment its package changes. */
export interface KnownTarball {
  readonly grant: TarballGrant
  readonly etag: string
  readonly headers: readonly string[]
  readonly unchanged: readonly string[]
  /** Its bytes while they are in memory, checked against their digest when they came in. */
  body: Buffer | undefined
  /** How often it was asked for, halved now and then: what is asked for most stays in memory. */
  asked: number
}

/** What is known of tarballs by their address, so that the hot path asks neither the store nor, mostly, the disk. */
export interface Tarballs {
  /**
   * The tarball behind an address, if the gate let it out since its package last changed. Nothing while this process cannot
   * hear of changes: it may be quarantined by now.
   */
  peek(url: string): KnownTarball | undefined
  /** Remembers what the gate let out at an address. `epoch` is what `epoch()` was before the gate was asked. */
  remember(url: string, grant: TarballGrant, epoch: number): void
  /** Moves with every event that may close the gate. */
  epoch(): number
  /** An open blob for reading a tarball that is not in memory; `done` gives it back. */
  borrow(tarball: KnownTarball): Promise<{ reader: BlobReader; done: () => void } | undefined>
}

/** `maxBytes` bounds the bodies in memory. */
export function openTarballs(
  { blobs, store, clock }: Pick<Ports, 'blobs' | 'store' | 'clock'>,
  maxBytes: number,
): Tarballs {
  const known = new Map<string, KnownTarball>()
  const urlsOf = new Map<string, Set<string>>()
  const bodies = new Bodies(maxBytes)
  const open = new OpenBlobs(blobs)
  let epoch = 0
  const forget = (url: string) => {
    const found = known.get(url)
    if (found === undefined) return
    known.delete(url)
    bodies.remove(found)
    const urls = urlsOf.get(found.grant.name)
    urls?.delete(url)
    if (urls?.size === 0) urlsOf.delete(found.grant.name)
  }
  store.events.follow(events => {
    const touched = touchedBy(events)
    if (touched !== 'all' && touched.size === 0) return
    epoch += 1
    const names = touched === 'all' ? [...urlsOf.keys()] : touched
    for (const name of names) for (const url of [...(urlsOf.get(name) ?? [])]) forget(url)
  })
  return {
    peek(url) {
      const found = known.get(url)
      if (found === undefined || !store.events.isCurrent()) return undefined
      const { validUntil } = found.grant
      if (validUntil !== null && validUntil <= clock()) {
        forget(url)
        return undefined
      }
      bodies.ask(found)
      return found
    },
    epoch: () => epoch,
    remember(url, grant, before) {
      // What changed since the gate was asked may have closed it.
      if (before !== epoch || grant.access !== 'public' || grant.notice !== '') return
      forget(url)
      for (const oldest of known.keys()) {
        if (known.size < maxGrants) break
        forget(oldest)
      }
      known.set(url, {
        grant,
        ...tarballHeaders(grant.digest, 'public', grant.sizeBytes),
        body: undefined,
        asked: 1,
      })
      urlsOf.set(grant.name, (urlsOf.get(grant.name) ?? new Set()).add(url))
    },
    async borrow(tarball) {
      const lent = await open.borrow(tarball.grant.digest)
      if (lent !== undefined && bodies.wants(tarball)) void bodies.load(tarball, lent.reader)
      return lent
    },
  }
}

/**
 * The bodies in memory. When it is full, a newcomer gets in only over something that is asked for less: a sweep over
 * more packages than fit costs no hashing and drives nothing out.
 */
class Bodies {
  readonly #maxBytes: number
  readonly #held = new Set<KnownTarball>()
  readonly #loading = new Set<KnownTarball>()
  #bytes = 0
  #asks = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  ask(tarball: KnownTarball): void {
    tarball.asked += 1
    this.#asks += 1
    // Old fame fades, so that what was popular last week makes room.
    if (this.#asks > 100_000) {
      this.#asks = 0
      for (const each of this.#held) each.asked = Math.ceil(each.asked / 2)
    }
  }

  wants(tarball: KnownTarball): boolean {
    const size = tarball.grant.sizeBytes
    if (size > Math.min(maxBodyBytes, this.#maxBytes) || tarball.asked < 2 || this.#loading.has(tarball))
      return false
    const [oldest] = this.#held
    return this.#bytes + size <= this.#maxBytes || (oldest !== undefined && oldest.asked * 2 < tarball.asked)
  }

  async load(tarball: KnownTarball, reader: BlobReader): Promise<void> {
    this.#loading.add(tarball)
    try {
      const body = Buffer.allocUnsafeSlow(tarball.grant.sizeBytes)
      await reader.read(0, body)
      // The blob store is not trusted: no bytes into memory without their digest.
      if (createHash('sha512').update(body).digest('hex') === tarball.grant.digest) this.#add(tarball, body)
    } catch {
      // It stays on disk; reading it there says what is wrong.
    } finally {
      this.#loading.delete(tarball)
    }
  }

  remove(tarball: KnownTarball): void {
    if (tarball.body === undefined) return
    this.#held.delete(tarball)
    this.#bytes -= tarball.body.length
    tarball.body = undefined
  }

  #add(tarball: KnownTarball, body: Buffer): void {
    for (const oldest of this.#held) {
      if (this.#bytes + body.length <= this.#maxBytes) break
      this.remove(oldest)
    }
    tarball.body = body
    this.#held.add(tarball)
    this.#bytes += body.length
  }
}

/** Headers of a tarball: never encoded, since its hash is over these very bytes. */
export function tarballHeaders(digest: Digest, access: 'public' | 'restricted', sizeBytes: number) {
  const etag = `"${digest.slice(0, 32)}"`
  const unchanged = [
    'etag',
    etag,
    'cache-control',
    access === 'public' ? 'public, immutable, max-age=31557600' : 'private, max-age=300',
  ]
  const headers = [
    'content-type',
    'application/octet-stream',
    'content-length',
    String(sizeBytes),
    'accept-ranges',
    'bytes',
    'x-content-type-options',
    'nosniff',
    ...unchanged,
  ]
  return { etag, unchanged, headers }
}
