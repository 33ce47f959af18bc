// SPDX-License-Identifier: Apache-2.0
import { excerpt, problem } from '@holdfast/core'
import type { BlobWriter } from '../../ports.ts'
import { Base64Stream } from './publish-body-base64.ts'

/** How large a body may be. */
export interface PublishBodyLimits {
  readonly maxBodyBytes: number
  /** What remains when the data of tarballs is taken out; this part is held in memory. */
  readonly maxDocumentBytes: number
}

/** A tarball as its data went by. */
export interface ScannedTarball {
  readonly name: string
  readonly writer: BlobWriter
  readonly sizeBytes: number
}

const quote = 0x22
const backslash = 0x5c
const maxDepth = 64
// pnpm publishes several packages in one body; each costs a temporary file.
const maxTarballs = 16

/** One open object or array with the key that is being read in it. */
interface Container {
  readonly isObject: boolean
  key: string
}

interface OpenTarball {
  readonly name: string
  readonly writer: BlobWriter
  readonly base64: Base64Stream
  sizeBytes: number
}

/**
 * Takes a publish document apart while it arrives: the `data` of `_attachments["*.tgz"]` at the top goes to writers,
 * all else is kept. It follows strings and nesting only, so what it says holds for text that is JSON; the reader of
 * `document()` refuses the rest.
 */
export class PublishBodyScanner {
  readonly #limits: PublishBodyLimits
  readonly #begin: () => Promise<BlobWriter>
  readonly #kept: Buffer[] = []
  readonly #open: Container[] = []
  readonly #tarballs: OpenTarball[] = []
  #bodyBytes = 0
  #keptBytes = 0
  #phase: 'structure' | 'string' | 'tarball' = 'structure'
  #expectsKey = false
  /** The raw key being read. */
  #key: Buffer[] | undefined
  /** Whether a chunk ended behind the backslash of an escape. */
  #isEscaped = false

  constructor(limits: PublishBodyLimits, begin: () => Promise<BlobWriter>) {
    this.#limits = limits
    this.#begin = begin
  }

  async write(chunk: Buffer): Promise<void> {
    this.#bodyBytes += chunk.length
    if (this.#bodyBytes > this.#limits.maxBodyBytes) throw refuseSize(this.#limits.maxBodyBytes)
    let at = 0
    while (at < chunk.length) {
      at =
        this.#phase === 'tarball' ? await this.#writeTarball(chunk, at) : await this.#readDocument(chunk, at)
    }
  }

  /** Everything but the tarballs' data, in whose place stands an empty string. */
  document(): Buffer {
    if (this.#phase !== 'structure' || this.#open.length > 0) {
      throw problem('invalid-body', { why: 'it ends in the middle' })
    }
    return Buffer.concat(this.#kept)
  }

  tarballs(): readonly ScannedTarball[] {
    return this.#tarballs
  }

  /** Reads and keeps up to the end of the chunk or the beginning of a tarball's data. */
  async #readDocument(chunk: Buffer, start: number): Promise<number> {
    let at = start
    while (at < chunk.length && this.#phase !== 'tarball') {
      at = this.#phase === 'string' ? this.#readString(chunk, at) : this.#readStructure(chunk, at)
    }
    this.#keptBytes += at - start
    if (this.#keptBytes > this.#limits.maxDocumentBytes) throw refuseSize(this.#limits.maxDocumentBytes)
    this.#kept.push(chunk.subarray(start, at))
    if (this.#phase === 'tarball') await this.#startTarball()
    return at
  }

  /** Reads up to and with the next quote that begins a string. */
  #readStructure(chunk: Buffer, start: number): number {
    let at = start
    for (let byte = chunk[at]; byte !== undefined && byte !== quote; byte = chunk[++at]) {
      // Most signs are colons, digits and white space, of no interest here.
      if (byte === 0x2c || byte >= 0x5b) this.#readSign(byte)
    }
    if (at === chunk.length) return at
    this.#startString()
    return at + 1
  }

  #readSign(sign: number): void {
    if (sign === 0x7b || sign === 0x5b) {
      this.#expectsKey = sign === 0x7b
      this.#open.push({ isObject: this.#expectsKey, key: '' })
      if (this.#open.length > maxDepth)
        throw problem('invalid-body', { why: `it is nested deeper than ${maxDepth}` })
    } else if (sign === 0x7d || sign === 0x5d) {
      this.#expectsKey = false
      this.#open.pop()
    } else if (sign === 0x2c) {
      this.#expectsKey = this.#open.at(-1)?.isObject ?? false
    }
  }

  #startString(): void {
    this.#phase = !this.#expectsKey && this.#isTarballData() ? 'tarball' : 'string'
    this.#key = this.#expectsKey && this.#open.length <= 3 ? [] : undefined
    this.#expectsKey = false
    this.#isEscaped = false
  }

  // Deeper look-alikes, and those inside lists, are data of the document.
  #isTarballData(): boolean {
    const [top, attachments, attachment, ...deeper] = this.#open
    if (deeper.length > 0 || !top?.isObject || !attachments?.isObject || !attachment?.isObject) return false
    return top.key === '_attachments' && attachments.key.endsWith('.tgz') && attachment.key === 'data'
  }

  #readString(chunk: Buffer, start: number): number {
    const end = this.#findEnd(chunk, start)
    this.#key?.push(chunk.subarray(start, end ?? chunk.length))
    if (end === undefined) return chunk.length
    const container = this.#open.at(-1)
    if (this.#key !== undefined && container !== undefined)
      container.key = decodeKey(Buffer.concat(this.#key))
    this.#key = undefined
    this.#phase = 'structure'
    return end + 1
  }

  /** Where the string's closing quote is; undefined when it is not in this chunk. */
  #findEnd(chunk: Buffer, start: number): number | undefined {
    let isEscaped = this.#isEscaped
    let at = start
    for (let byte = chunk[at]; byte !== undefined; byte = chunk[++at]) {
      if (isEscaped) isEscaped = false
      else if (byte === quote) return at
      else if (byte === backslash) isEscaped = true
    }
    this.#isEscaped = isEscaped
    return undefined
  }

  async #startTarball(): Promise<void> {
    const name = this.#open[1]?.key ?? ''
    if (this.#tarballs.some(tarball => tarball.name === name)) {
      throw problem('invalid-body', { why: `the attachment '${excerpt(name)}' has data twice` })
    }
    if (this.#tarballs.length >= maxTarballs) {
      throw problem('invalid-body', { why: `it has more than ${maxTarballs} tarballs` })
    }
    this.#tarballs.push({ name, writer: await this.#begin(), base64: new Base64Stream(), sizeBytes: 0 })
  }

  /** Decodes up to the closing quote, which belongs to the document: base64 has no quotes, escaped ones neither. */
  async #writeTarball(chunk: Buffer, start: number): Promise<number> {
    const found = chunk.indexOf(quote, start)
    const end = found < 0 ? chunk.length : found
    await writePiece(this.#tarballs.at(-1), chunk.subarray(start, end))
    if (found < 0) return end
    this.#tarballs.at(-1)?.base64.finish()
    this.#phase = 'string'
    return found
  }
}

async function writePiece(tarball: OpenTarball | undefined, piece: Buffer): Promise<void> {
  const bytes = tarball?.base64.decode(piece)
  if (tarball === undefined || bytes === undefined || bytes.length === 0) return
  tarball.sizeBytes += bytes.length
  await tarball.writer.write(bytes)
}

// `\u0064ata` is the key `data`.
function decodeKey(raw: Buffer): string {
  const text = raw.toString('utf8')
  if (!text.includes('\\')) return text
  try {
    return String(JSON.parse(`"${text}"`))
  } catch {
    throw problem('invalid-body', { why: 'it is not JSON' })
  }
}

function refuseSize(limit: number) {
  return problem('body-too-large', { limit })
}
