// SPDX-License-Identifier: Apache-2.0
/**
 * A tarball, read as a stream and so strictly that npm, pnpm, yarn and bun cannot extract anything else than what is
 * seen here. Clients cut off the first folder of every path (npm's `strip: 1`); the paths given out are without it.
 */
import { createHash, type Hash } from 'node:crypto'
import { excerpt } from '@holdfast/core'
import { refuseTarball } from './tar-fault.ts'
import { gunzip, type InflateLimits } from './tar-gunzip.ts'
import { blockBytes, cutAtZero, decodeHeader, decodePathBytes, isZero, type TarHeader } from './tar-header.ts'
import { PathSet, parseTarPath } from './tar-path.ts'
import { parsePax } from './tar-pax.ts'

/** What a tarball may cost. */
export interface TarLimits extends InflateLimits {
  readonly maxEntries: number
}

/** One file of a tarball. */
export interface TarFile {
  /** Inside the package, without the top folder: `lib/index.js`. */
  readonly path: string
  readonly sizeBytes: number
  /** Permission bits. */
  readonly mode: number
}

/** Takes the bytes of one file as they come. What it throws ends the reading. */
export type TarSink = (bytes: Uint8Array) => void

/** Reads a gzipped tarball; `visit` sees each file and may return a sink for its bytes. Throws `bad-tarball`. */
export async function readTarball(
  source: AsyncIterable<Uint8Array> | Uint8Array,
  limits: TarLimits,
  visit: (file: TarFile) => TarSink | undefined,
): Promise<void> {
  const reader = new TarReader(limits, visit)
  await gunzip(source, limits, bytes => reader.write(bytes))
  reader.end()
}

// node-tar passes over larger ones, and the paths in them.
const maxMetaBytes = 1024 * 1024
// Archives are padded to 10 KiB, some to 256.
const maxTailBytes = 1024 * 1024

/** What a pax header or a GNU long path says about the entry that follows. */
interface Pending {
  readonly path?: string
  readonly sizeBytes?: number
}

type Phase = 'header' | 'file' | 'meta' | 'padding' | 'tail'

class TarReader {
  readonly #limits: TarLimits
  readonly #visit: (file: TarFile) => TarSink | undefined
  readonly #paths = new PathSet()
  #phase: Phase = 'header'
  #kept: Buffer[] = []
  #remaining = blockBytes
  #padding = 0
  #tailBytes = 0
  #meta: TarHeader | undefined
  #pending: Pending | undefined
  #sink: TarSink | undefined
  #file: { readonly path: string; readonly isRepeated: boolean; readonly hash: Hash } | undefined
  readonly #digests = new Map<string, string>()
  #entries = 0
  #top: string | undefined

  constructor(limits: TarLimits, visit: (file: TarFile) => TarSink | undefined) {
    this.#limits = limits
    this.#visit = visit
  }

  write(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && this.#phase !== 'tail') at += this.#writePart(chunk.subarray(at))
    if (at < chunk.length) this.#writeTail(chunk.subarray(at))
  }

  /** Takes what belongs to the present part and says how much that was. */
  #writePart(chunk: Buffer): number {
    const part = chunk.subarray(0, this.#remaining)
    this.#remaining -= part.length
    if (this.#phase === 'file') this.#writeFile(part)
    else if (this.#phase !== 'padding') this.#kept.push(part)
    if (this.#remaining === 0) this.#finishPart()
    return part.length
  }

  #writeFile(part: Buffer): void {
    this.#file?.hash.update(part)
    this.#sink?.(part)
  }

  end(): void {
    if (this.#phase !== 'tail')
      throw refuseTarball('truncated', 'it ends in the middle of an entry or without an end mark')
    if (this.#pending !== undefined) throw refuseTarball('bad-pax', 'a pax header has no entry')
    this.#paths.checkFallbacks()
  }

  // What some parsers read behind the first end mark (node-tar) and others do not (pnpm) is refused.
  #writeTail(bytes: Buffer): void {
    this.#tailBytes += bytes.length
    if (!isZero(bytes) || this.#tailBytes > maxTailBytes) {
      throw refuseTarball('hidden-bytes', 'bytes follow the end of the archive')
    }
  }

  #finishPart(): void {
    const phase = this.#phase
    const bytes = this.#takeKept()
    if (phase === 'header' && isZero(bytes)) this.#start('tail', 0)
    else if (phase === 'header') this.#readHeader(bytes)
    else if (phase === 'meta') this.#readMeta(bytes)
    else if (phase === 'file') this.#finishFile()
    if (phase === 'meta' || phase === 'file') this.#startPadding()
    if (phase === 'padding') this.#start('header', blockBytes)
  }

  #takeKept(): Buffer {
    const [first, ...rest] = this.#kept
    this.#kept = []
    return first === undefined || rest.length > 0 ? Buffer.concat(first ? [first, ...rest] : []) : first
  }

  #start(phase: Phase, bytes: number): void {
    this.#phase = phase
    this.#remaining = bytes
  }

  #startPadding(): void {
    if (this.#padding > 0) this.#start('padding', this.#padding)
    else this.#start('header', blockBytes)
  }

  #readHeader(block: Buffer): void {
    const header = decodeHeader(block)
    this.#entries += 1
    if (this.#entries > this.#limits.maxEntries) {
      throw refuseTarball('too-many-entries', `it has more than ${this.#limits.maxEntries} entries`)
    }
    if (header.sizeBytes > this.#limits.maxInflatedBytes) {
      throw refuseTarball('too-large', `it unpacks to more than ${this.#limits.maxInflatedBytes} bytes`)
    }
    this.#padding = (blockBytes - (header.sizeBytes % blockBytes)) % blockBytes
    if (header.type === 'file' || header.type === 'directory') this.#readEntry(header)
    else this.#startMeta(header)
  }

  #startMeta(header: TarHeader): void {
    // Two before one entry are merged by some parsers; others take the last, or the first.
    if (this.#pending !== undefined) throw refuseTarball('bad-pax', 'two headers describe one entry')
    if (header.sizeBytes === 0 || header.sizeBytes > maxMetaBytes) {
      throw refuseTarball('bad-pax', 'a pax header or long path is empty or too long')
    }
    this.#meta = header
    this.#start('meta', header.sizeBytes)
  }

  #readMeta(body: Buffer): void {
    if (this.#meta?.type === 'long-path') {
      this.#pending = { path: decodePathBytes(cutAtZero(body)) }
      return
    }
    const records = parsePax(body)
    if (this.#meta?.type === 'local-pax') {
      this.#pending = records
      return
    }
    // A path or size for all that follows: node-tar ignores the one and obeys the other.
    if (records.path !== undefined || records.sizeBytes !== undefined) {
      throw refuseTarball('bad-pax', 'a global pax header sets a path or size')
    }
  }

  #readEntry(header: TarHeader): void {
    const path = this.#choosePath(header)
    if (this.#pending?.sizeBytes !== undefined && this.#pending.sizeBytes !== header.sizeBytes) {
      throw refuseTarball('bad-pax', 'a pax header gives another size than its entry')
    }
    this.#pending = undefined
    // An old way to write a folder. Parsers differ on whether one with a size has a body.
    const isFolder = header.type === 'directory' || path.endsWith('/')
    if (isFolder && header.sizeBytes > 0) throw refuseTarball('bad-header', 'a folder has a size')
    const inside = this.#stripTop(path.replace(/\/$/, ''), isFolder)
    if (isFolder) this.#addFolder(inside)
    else this.#addFile(inside, header)
  }

  #choosePath(header: TarHeader): string {
    const path = this.#pending?.path
    if (path === undefined) {
      if (!header.isPathUtf8) throw refuseTarball('bad-path', 'a path is not UTF-8')
      return header.path
    }
    if (path !== header.path) this.#addFallback(header)
    return path
  }

  #addFallback(header: TarHeader): void {
    const segments = parseTarPath(header.path.replace(/\/$/, ''))
    const inside = segments.slice(1).join('/')
    if (inside !== '') this.#paths.addFallback(inside)
  }

  #stripTop(path: string, isFolder: boolean): string {
    const [top, ...inside] = parseTarPath(path)
    this.#top ??= top
    // npm drops such files, pnpm keeps them; with two top folders their files are mixed.
    if (top !== this.#top || (inside.length === 0 && !isFolder)) {
      throw refuseTarball('outside-top-folder', `'${excerpt(path)}' is not inside the one top folder`)
    }
    return inside.join('/')
  }

  #addFolder(path: string): void {
    if (path !== '') this.#paths.addFolder(path)
    this.#start('header', blockBytes)
  }

  #addFile(path: string, header: TarHeader): void {
    const isRepeated = !this.#paths.addFile(path)
    // Two manifests are too much even when they are equal: they are what everybody decides by.
    if (isRepeated && path === 'package.json')
      throw refuseTarball('duplicate-path', 'it has two package.json')
    this.#file = { path, isRepeated, hash: createHash('sha256') }
    this.#sink = isRepeated
      ? undefined
      : this.#visit({ path, sizeBytes: header.sizeBytes, mode: header.mode })
    if (header.sizeBytes > 0) this.#start('file', header.sizeBytes)
    else {
      this.#finishFile()
      this.#start('header', blockBytes)
    }
  }

  /** Some packers write `main` twice. With the same bytes nobody can tell which one was extracted; with others it is an attack. */
  #finishFile(): void {
    if (this.#file === undefined) return
    const { path, isRepeated, hash } = this.#file
    const digest = hash.digest('base64')
    if (isRepeated && this.#digests.get(path) !== digest)
      throw refuseTarball('duplicate-path', `it holds '${excerpt(path)}' twice, with different bytes`)
    this.#digests.set(path, digest)
    this.#file = undefined
  }
}
