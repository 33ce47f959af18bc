// SPDX-License-Identifier: Apache-2.0
/**
 * Gunzip by the letter: one member, its checksum right, nothing but zeros behind it. node:zlib's own gunzip reads on
 * into further members and passes over trailing bytes; clients differ there, and what one of them sees must not be
 * hidden from us.
 */
import { crc32, createInflateRaw, type InflateRaw, inflateRawSync } from 'node:zlib'
import { refuseTarball } from './tar-fault.ts'
import { isZero } from './tar-header.ts'

/** How far a compressed body may swell. */
export interface InflateLimits {
  readonly maxInflatedBytes: number
  /** Inflated bytes for each compressed byte, counted once more than 16 MiB have come out. */
  readonly maxRatio: number
}

const ratioCountsFromBytes = 16 * 1024 * 1024
const maxHeaderBytes = 64 * 1024
// One slice is inflated at a time, off the event loop; what comes of it is checked in pieces of the same size.
const sliceBytes = 64 * 1024
const trailerBytes = 8
/** Of what lies in memory as a whole: most packages are below, and their bytes are inflated at once. */
const small = { bytes: 1024 * 1024, inflatedBytes: 8 * 1024 * 1024 }

/**
 * Hands the inflated bytes of `source` to `take`, piece by piece; throws `bad-tarball`, or what `take` throws. Bytes that come
 * whole are those of a thread of its own, and mostly inflated there.
 */
export async function gunzip(
  source: AsyncIterable<Uint8Array> | Uint8Array,
  limits: InflateLimits,
  take: (bytes: Buffer) => void,
): Promise<void> {
  const whole = source instanceof Uint8Array ? inflateSmall(source, limits) : undefined
  if (whole !== undefined) return take(whole)
  await gunzipPieces(source instanceof Uint8Array ? onePiece(source) : source, limits, take)
}

/** What is inside of a small member that is right to its last byte; undefined for any other, which takes a closer look. */
function inflateSmall(source: Uint8Array, limits: InflateLimits): Buffer | undefined {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.length)
  const from = measureGzipHeader(bytes)
  const to = bytes.length - trailerBytes
  if (from === undefined || to <= from || bytes.length > small.bytes) return undefined
  const saidBytes = bytes.readUInt32LE(to + 4)
  if (saidBytes === 0 || saidBytes > Math.min(small.inflatedBytes, limits.maxInflatedBytes)) return undefined
  const found = inflateExactly(bytes.subarray(from, to), saidBytes)
  return found !== undefined && crc32(found) === bytes.readUInt32LE(to) ? found : undefined
}

function inflateExactly(deflated: Buffer, sizeBytes: number): Buffer | undefined {
  try {
    const options = { info: true, maxOutputLength: sizeBytes, chunkSize: Math.max(64, sizeBytes + 1) }
    const { buffer, engine } = inflateRawSync(deflated, options) as unknown as Inflated
    return buffer.length === sizeBytes && engine.bytesWritten === deflated.length ? buffer : undefined
  } catch {
    return undefined
  }
}

/** What `info` makes of the answer of zlib. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function gunzipPieces(
  source: AsyncIterable<Uint8Array>,
  limits: InflateLimits,
  take: (bytes: Buffer) => void,
): Promise<void> {
  const member = new GzipMember(limits, take)
  try {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += sliceBytes) {
        await member.write(
          Buffer.from(chunk.buffer, chunk.byteOffset + at, Math.min(sliceBytes, chunk.length - at)),
        )
      }
    }
    member.end()
  } finally {
    member.close()
  }
}

class GzipMember {
  readonly #limits: InflateLimits
  readonly #take: (bytes: Buffer) => void
  readonly #inflate: InflateRaw = createInflateRaw({ chunkSize: sliceBytes })
  #phase: 'header' | 'body' | 'trailer' = 'header'
  #kept: Buffer = Buffer.alloc(0)
  #compressedBytes = 0
  #inflatedBytes = 0
  #checksum = 0
  #failure: unknown
  #wake: () => void = () => {}

  constructor(limits: InflateLimits, take: (bytes: Buffer) => void) {
    this.#limits = limits
    this.#take = take
    this.#inflate.on('data', (bytes: Buffer) => this.#receive(bytes))
    this.#inflate.on('error', () => {
      this.#failure ??= refuseTarball('not-gzip', 'its gzip data is damaged')
    })
    // A stream that fails never calls back the write that failed.
    this.#inflate.on('close', () => this.#wake())
  }

  async write(slice: Buffer): Promise<void> {
    this.#compressedBytes += slice.length
    if (this.#phase === 'header') await this.#writeHeader(slice)
    else if (this.#phase === 'body') await this.#writeBody(slice)
    else this.#writeTrailer(slice)
  }

  async #writeHeader(slice: Buffer): Promise<void> {
    this.#kept = this.#kept.length === 0 ? slice : Buffer.concat([this.#kept, slice])
    const length = measureGzipHeader(this.#kept)
    if (length === undefined && this.#kept.length <= maxHeaderBytes) return
    if (length === undefined) throw refuseTarball('not-gzip', 'its gzip header is too long')
    const body = this.#kept.subarray(length)
    this.#kept = Buffer.alloc(0)
    this.#phase = 'body'
    if (body.length > 0) await this.#writeBody(body)
  }

  async #writeBody(slice: Buffer): Promise<void> {
    const before = this.#inflate.bytesWritten
    await new Promise<void>(resolve => {
      this.#wake = resolve
      this.#inflate.write(slice, () => resolve())
    })
    if (this.#failure !== undefined) throw this.#failure
    const consumed = this.#inflate.bytesWritten - before
    if (consumed === slice.length) return
    // zlib leaves bytes alone only behind the end of the deflate stream.
    this.#phase = 'trailer'
    this.#writeTrailer(slice.subarray(consumed))
  }

  // Old packers filled up to a whole tape block with zeros, which every client passes over.
  #writeTrailer(slice: Buffer): void {
    const missing = trailerBytes - this.#kept.length
    this.#kept = Buffer.concat([this.#kept, slice.subarray(0, missing)])
    if (!isZero(slice.subarray(missing)))
      throw refuseTarball('hidden-bytes', 'bytes follow the end of its gzip data')
  }

  #receive(bytes: Buffer): void {
    if (this.#failure !== undefined) return
    try {
      this.#count(bytes)
      this.#take(bytes)
    } catch (failure) {
      // Thrown here it would end the process; the writer throws it on.
      this.#failure = failure
      this.#inflate.destroy()
    }
  }

  #count(bytes: Buffer): void {
    this.#inflatedBytes += bytes.length
    this.#checksum = crc32(bytes, this.#checksum)
    const { maxInflatedBytes, maxRatio } = this.#limits
    if (this.#inflatedBytes > maxInflatedBytes) {
      throw refuseTarball('too-large', `it unpacks to more than ${maxInflatedBytes} bytes`)
    }
    const isBomb =
      this.#inflatedBytes > ratioCountsFromBytes && this.#inflatedBytes > maxRatio * this.#compressedBytes
    if (isBomb) throw refuseTarball('bomb', `it unpacks to more than ${maxRatio} times its size`)
  }

  end(): void {
    if (this.#phase !== 'trailer' || this.#kept.length < trailerBytes) {
      throw refuseTarball('truncated', 'it ends in the middle of its gzip data')
    }
    const isRight =
      this.#kept.readUInt32LE(0) === this.#checksum &&
      this.#kept.readUInt32LE(4) === this.#inflatedBytes % 2 ** 32
    if (!isRight) throw refuseTarball('not-gzip', 'its gzip checksum is wrong')
  }

  close(): void {
    this.#inflate.destroy()
  }
}

/** Length of the header by RFC 1952, undefined when more bytes are needed. */
function measureGzipHeader(bytes: Buffer): number | undefined {
  const isGzip = [0x1f, 0x8b, 8].every((byte, at) => at >= bytes.length || bytes[at] === byte)
  if (!isGzip) throw refuseTarball('not-gzip', 'it is not compressed with gzip')
  if (bytes.length < 10) return undefined
  const flags = bytes[3] ?? 0
  if (flags >= 0x20) throw refuseTarball('not-gzip', 'its gzip header has unknown flags')
  let end: number | undefined = 10
  if (flags & 4) end = end + 2 <= bytes.length ? end + 2 + bytes.readUInt16LE(end) : undefined
  if (flags & 8) end = skipText(bytes, end)
  if (flags & 16) end = skipText(bytes, end)
  if (flags & 2 && end !== undefined) end += 2
  return end === undefined || end > bytes.length ? undefined : end
}

function skipText(bytes: Buffer, start: number | undefined): number | undefined {
  if (start === undefined || start > bytes.length) return undefined
  const zero = bytes.indexOf(0, start)
  return zero < 0 ? undefined : zero + 1
}
