// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { Digest, PackageName, Version } from '@holdfast/core'
import type { TarballGrant } from '../../flow/index.ts'
import type { BlobReader, Blobs, Store } from '../../ports.ts'

const maxBodyBytes = 4 * 1024 * 1024
const maxAsked = 20_000

/** A public tarball in memory, its bytes checked against their digest when they came in. */
export interface ReadyTarball {
  readonly name: PackageName
  readonly version: Version
  readonly etag: string
  readonly headers: readonly string[]
  readonly unchanged: readonly string[]
  readonly body: Buffer
}

/** Tarballs that were asked for more than once, in memory bounded in bytes; dropped the moment their package changes. */
export interface Tarballs {
  peek(url: string): ReadyTarball | undefined
  /** Notes that a URL led to these bytes, and loads them when it is not the first time. */
  offer(url: string, grant: TarballGrant): void
}

export function openTarballs(blobs: Blobs, store: Pick<Store, 'events'>, maxBytes: number): Tarballs {
  const ready = new Map<string, ReadyTarball>()
  const urlsOf = new Map<string, Set<string>>()
  const asked = new Set<string>()
  const loading = new Set<string>()
  let bytes = 0
  let epoch = 0
  const remove = (url: string) => {
    const found = ready.get(url)
    if (found === undefined) return
    ready.delete(url)
    urlsOf.get(found.name)?.delete(url)
    bytes -= found.body.length
  }
  store.events.follow(events => {
    epoch += 1
    for (const event of events) for (const url of [...(urlsOf.get(event.pkg ?? '') ?? [])]) remove(url)
  })
  const add = (url: string, tarball: ReadyTarball) => {
    ready.set(url, tarball)
    bytes += tarball.body.length
    const urls = urlsOf.get(tarball.name) ?? new Set()
    urlsOf.set(tarball.name, urls.add(url))
    for (const oldest of ready.keys()) {
      if (bytes <= maxBytes) return
      remove(oldest)
    }
  }
  return {
    peek(url) {
      const found = ready.get(url)
      if (found === undefined) return undefined
      ready.delete(url)
      ready.set(url, found)
      return found
    },
    offer(url, grant) {
      if (
        grant.access !== 'public' ||
        grant.notice !== '' ||
        grant.sizeBytes > Math.min(maxBodyBytes, maxBytes)
      )
        return
      if (asked.size > maxAsked) asked.clear()
      // Once is no reason to keep it: a cold sweep over many packages passes by.
      if (!asked.has(url)) {
        asked.add(url)
        return
      }
      if (loading.has(url) || ready.has(url)) return
      loading.add(url)
      const before = epoch
      load(blobs, grant)
        // What changed meanwhile may have closed the gate: the next request asks it again.
        .then(tarball => tarball !== undefined && before === epoch && add(url, tarball))
        .catch(() => {})
        .finally(() => loading.delete(url))
    },
  }
}

async function load(blobs: Blobs, grant: TarballGrant): Promise<ReadyTarball | undefined> {
  const reader = await blobs.open(grant.digest)
  if (reader === undefined) return undefined
  try {
    const body = await readAll(reader)
    // The blob store is not trusted: no bytes into memory without their digest.
    if (createHash('sha512').update(body).digest('hex') !== grant.digest) return undefined
    const { unchanged, headers, etag } = tarballHeaders(grant.digest, 'public', body.length)
    return { name: grant.name, version: grant.version, etag, headers, unchanged, body }
  } finally {
    await reader.close()
  }
}

async function readAll(reader: BlobReader): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < reader.sizeBytes; ) {
    const piece = await reader.read(at, reader.sizeBytes - at)
    if (piece.length === 0) break
    pieces.push(piece)
    at += piece.length
  }
  return Buffer.concat(pieces)
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
