// SPDX-License-Identifier: Apache-2.0
/**
 * Blobs in a folder: `sha512/ab/cdef…`, written under `incoming/` in the same file system and renamed into place.
 * Whoever owns the folder can change or remove bytes; readers of a blob check its digest.
 */
import { constants, readSync } from 'node:fs'
import { type FileHandle, link, mkdir, open, opendir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Digest, parseDigest } from '@holdfast/core'
import type { BlobReader, Blobs, BlobWriter, WrittenBytes } from '../../ports.ts'
import { explainDiskError } from '../unavailable.ts'
import { makeIncomingName, removeLeftovers } from './incoming.ts'
import { runningDigests } from './running-digests.ts'

const READ_BACK_BYTES = 256 * 1024
/** What was read so lately is taken to be in the system's cache still, and of a blob so much is copied from there at once. */
const inMemoryMs = 10_000
const readNowBytes = 2 * 1024 * 1024

/** Where a test may stop `keep`: before bytes are synced, before they have their name, before the name is synced. */
export type BlobFault = 'blob:written' | 'blob:synced' | 'blob:renamed'

export interface BlobOptions {
  /** Called at each point; throws, or kills the process, to see what a fault there leaves behind. */
  readonly fault?: (point: BlobFault) => void
}

/** Opens or creates a blob folder, and removes what crashed processes left half written. */
export async function openFileBlobs(folder: string, options: BlobOptions = {}): Promise<Blobs> {
  const incoming = join(folder, 'incoming')
  const stored = join(folder, 'sha512')
  await mkdir(incoming, { recursive: true, mode: 0o700 })
  await mkdir(stored, { recursive: true, mode: 0o700 })
  await syncFolder(folder)
  await removeLeftovers(incoming)
  await makeShards(stored)
  return {
    begin: () => beginBlob(stored, join(incoming, makeIncomingName()), options.fault ?? (() => undefined)),
    open: digest => openBlob(pathOf(stored, digest)),
    size: async digest => (await ignoreMissing(stat(pathOf(stored, digest))))?.size,
    list: () => listBlobs(stored),
    remove: digest => rm(pathOf(stored, digest), { force: true }),
    removeKeptBefore: (digest, at) =>
      removeKeptBefore(pathOf(stored, digest), join(incoming, makeIncomingName()), at),
  }
}

function pathOf(stored: string, digest: Digest): string {
  return join(stored, digest.slice(0, 2), digest.slice(2))
}

/** The folders by first two characters: made at once and durable, so that no blob waits for its own. */
async function makeShards(stored: string): Promise<void> {
  const made = new Set(await readdir(stored))
  for (let byte = 0; byte < 256; byte++) {
    const shard = byte.toString(16).padStart(2, '0')
    if (!made.has(shard)) await ignoreExisting(mkdir(join(stored, shard), { mode: 0o700 }))
  }
  await syncFolder(stored) // also when another process made them: it may not have come so far
}

async function beginBlob(
  stored: string,
  path: string,
  fault: (point: BlobFault) => void,
): Promise<BlobWriter> {
  return new FileBlobWriter(stored, path, await open(path, 'wx+', 0o600), fault)
}

/** Bytes in a temporary file; after the first failure they can only be discarded. */
class FileBlobWriter implements BlobWriter {
  readonly #stored: string
  readonly #path: string
  readonly #file: FileHandle
  readonly #fault: (point: BlobFault) => void
  readonly #digests = runningDigests()
  #state: 'writing' | 'failed' | 'kept' | 'discarded' = 'writing'

  constructor(stored: string, path: string, file: FileHandle, fault: (point: BlobFault) => void) {
    this.#stored = stored
    this.#path = path
    this.#file = file
    this.#fault = fault
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkWriting()
    const position = this.#digests.sizeBytes()
    await this.#orFail(writeAll(this.#file, chunk, position))
    this.#digests.add(chunk)
  }

  digests(): WrittenBytes {
    return this.#digests.written()
  }

  async *read(): AsyncIterable<Uint8Array> {
    const sizeBytes = this.#digests.sizeBytes()
    for (let position = 0; position < sizeBytes; position += READ_BACK_BYTES) {
      const length = Math.min(READ_BACK_BYTES, sizeBytes - position)
      yield await readAt(this.#file, position, Buffer.allocUnsafeSlow(length))
    }
  }

  readAt(position: number, into: Uint8Array): Promise<Uint8Array> {
    return readAt(this.#file, position, into)
  }

  async keep(): Promise<WrittenBytes> {
    const written = this.digests()
    if (this.#state === 'kept') return written
    this.#checkWriting()
    await this.#orFail(this.#moveIntoPlace(written.digest))
    this.#state = 'kept'
    await this.#file.close()
    return written
  }

  async discard(): Promise<void> {
    if (this.#state === 'kept' || this.#state === 'discarded') return
    this.#state = 'discarded'
    await this.#file.close()
    await rm(this.#path, { force: true })
  }

  async #moveIntoPlace(digest: Digest): Promise<void> {
    this.#fault('blob:written') // a crash until the rename leaves a temporary file, removed when the store opens
    await this.#file.sync()
    this.#fault('blob:synced')
    const place = pathOf(this.#stored, digest)
    // Also over bytes that are there already: ours were checked just now, theirs may have rotted.
    await rename(this.#path, place)
    this.#fault('blob:renamed') // a crash here leaves a whole blob that nothing refers to, or none
    await syncFolder(dirname(place))
  }

  async #orFail(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#state = 'failed' // what the disk holds is unknown now; a second fsync could claim success falsely
      throw explainDiskError(error)
    }
  }

  #checkWriting(): void {
    if (this.#state !== 'writing') throw new Error(`The blob can no longer be written: it is ${this.#state}`)
  }
}

async function openBlob(path: string): Promise<BlobReader | undefined> {
  const file = await ignoreMissing(open(path, constants.O_RDONLY))
  if (file === undefined) return undefined
  return new FileBlobReader(file, (await file.stat()).size)
}

/** An open file, which knows what of it the system has in memory: what was read from its start a moment ago. */
class FileBlobReader implements BlobReader {
  readonly sizeBytes: number
  readonly #file: FileHandle
  #inMemoryBytes = 0
  #lastReadAt = 0

  constructor(file: FileHandle, sizeBytes: number) {
    this.sizeBytes = sizeBytes
    this.#file = file
  }

  async read(position: number, into: Uint8Array): Promise<Uint8Array> {
    const piece = await readAt(this.#file, position, this.#withinBlob(position, into))
    if (position <= this.#inMemoryBytes)
      this.#inMemoryBytes = Math.min(Math.max(this.#inMemoryBytes, position + piece.length), readNowBytes)
    this.#lastReadAt = performance.now()
    return piece
  }

  readNow(position: number, into: Uint8Array): Uint8Array | undefined {
    const room = this.#withinBlob(position, into)
    const now = performance.now()
    if (position + room.length > this.#inMemoryBytes || now - this.#lastReadAt > inMemoryMs) return undefined
    this.#lastReadAt = now
    // What comes short is for `read` to explain.
    return readSync(this.#file.fd, room, 0, room.length, position) === room.length ? room : undefined
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  #withinBlob(position: number, into: Uint8Array): Uint8Array {
    return into.subarray(0, Math.max(0, this.sizeBytes - position))
  }
}

/**
 * Taken aside before its age is looked at: a writer that keeps the same bytes meanwhile puts its own file in place, and
 * a file that grew young between two looks goes back, unless such a one is there.
 */
async function removeKeptBefore(place: string, aside: string, at: number): Promise<boolean> {
  const found = await ignoreMissing(stat(place))
  if (found === undefined || found.mtimeMs >= at) return false
  await ignoreMissing(rename(place, aside))
  const taken = await ignoreMissing(stat(aside))
  if (taken === undefined) return false
  const isOld = taken.mtimeMs < at
  if (!isOld) await ignoreExisting(link(aside, place))
  await rm(aside, { force: true })
  return isOld
}

async function* listBlobs(stored: string): AsyncIterable<Digest> {
  for await (const shard of await opendir(stored)) {
    if (!/^[0-9a-f]{2}$/.test(shard.name)) continue
    for await (const { name } of await opendir(join(stored, shard.name))) {
      if (/^[0-9a-f]{126}$/.test(name)) yield parseDigest(shard.name + name)
    }
  }
}

async function readAt(file: FileHandle, position: number, into: Uint8Array): Promise<Uint8Array> {
  let filled = 0
  while (filled < into.length) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, position + filled)
    if (bytesRead === 0) throw new Error('The blob is shorter than it was when it was opened')
    filled += bytesRead
  }
  return into
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}

/** Makes names in a folder durable: a renamed file whose folder was not synced may be gone after power loss. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function ignoreExisting(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

async function ignoreMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
