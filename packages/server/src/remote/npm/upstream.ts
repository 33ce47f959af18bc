// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { extname } from 'node:path'
import { excerpt, isProblem, type PackageName, type Problem, problem } from '@holdfast/core'
import type { Mirror } from '../../catalog/index.ts'
import type { Origin } from '../../origin.ts'
import type { Clock, Upstream, UpstreamAnswer, UpstreamBytes } from '../../ports.ts'
import { Thread } from '../../thread.ts'
import { Breaker, InTrouble } from '../breaker.ts'
import { readSteadily } from '../steady.ts'
import { Turns } from '../turns.ts'
import { openWire, type Resolve, type Wire } from '../wire.ts'
import type { Reading, ReadingWords } from './read-packument.ts'
import { readyKeys, verifySignature } from './signature.ts'
import { parseKeys, UpstreamKeys } from './upstream-keys.ts'

/** What reading an upstream takes beside its address. */
export interface UpstreamSurroundings {
  readonly allowPrivateHosts: readonly string[]
  readonly resolve?: Resolve
  readonly maxPackumentBytes: number
  readonly maxTarballBytes: number
  readonly clock: Clock
  /** The id of the key that this instance signs with: an upstream that has it is this instance. */
  readonly ownKeyId?: string
  /** How long it may take to begin an answer, and to go on with it. */
  readonly patienceMs?: number
}

/** An upstream that is asked for 32 documents at once may make them one after another; clients wait 30 seconds at least. */
const defaultPatienceMs = 30_000
const minBytesPerSecond = 16 * 1024
/** Documents and tarballs apart: whoever reads a tarball slowly must not hold up resolving. */
const atOnce = { documents: 32, tarballs: 64 }
/** Of bodies above this size only so many come in at a time: what waits for the thread takes memory. */
const large = { bytes: 512 * 1024, atOnce: 2 }
const maxSmallBytes = 1024 * 1024
const redirects = 4

const threadUrl = new URL(`./packument-thread${extname(import.meta.filename)}`, import.meta.url)
const threadLimits = { maxYoungGenerationSizeMb: 3, maxOldGenerationSizeMb: 192 }

/** A registry upstream that is open. */
export interface OpenUpstream extends Upstream {
  /** Asks for the ids of its keys now; none where it has none. Throws `upstream-failed`. */
  listKeyIds(): Promise<readonly string[]>
  /** Ends the connections that are kept. */
  close(): void
}

/** Opens an upstream that speaks npm's protocol. Nothing is asked before somebody asks for something. */
export function openUpstream(origin: Origin, around: UpstreamSurroundings): OpenUpstream {
  return new NpmUpstream(origin, around)
}

class NpmUpstream implements OpenUpstream {
  readonly name: string
  readonly url: string
  readonly #origin: Origin
  readonly #around: UpstreamSurroundings
  readonly #wire: Wire
  readonly #breaker: Breaker
  readonly #keys: UpstreamKeys
  /** Of its own, so that an upstream holds up nobody but those who ask it. A document that fills it ends it. */
  readonly #reader = new Thread<ReadingWords, Reading>(threadUrl, threadLimits)
  readonly #documents = new Turns(atOnce.documents)
  readonly #largeDocuments = new Turns(large.atOnce)
  readonly #tarballs = new Turns(atOnce.tarballs)

  constructor(origin: Origin, around: UpstreamSurroundings) {
    this.name = origin.name
    this.url = origin.url
    this.#origin = origin
    this.#around = around
    const { proxy, ca } = origin
    this.#wire = openWire({ ...around, proxy, ca, keptConnections: atOnce.documents })
    this.#breaker = new Breaker(origin.name, around.clock)
    this.#keys = new UpstreamKeys(() => this.#readKeys(), around.clock)
  }

  async listKeyIds() {
    return parseKeys(await this.#readKeys()).map(({ keyid }) => keyid)
  }

  health() {
    return this.#breaker.health()
  }

  close(): void {
    this.#wire.close()
  }

  async readPackument(name: PackageName, before: Mirror | undefined, now: number): Promise<UpstreamAnswer> {
    // What another registry said under this name is no word of this one.
    const own = before?.origin === this.name ? before : undefined
    const answer = await this.#readOnce(name, own, now)
    if (answer.kind !== 'told' || !answer.mirror.versions.some(({ signature }) => signature === 'broken'))
      return answer
    // Perhaps it signs with a key that is newer than what we know of its keys.
    return (await this.#keys.foundMore()) ? this.#readOnce(name, own, now) : answer
  }

  async #readOnce(name: PackageName, before: Mirror | undefined, now: number): Promise<UpstreamAnswer> {
    // Before the first request it is known whether it would come back to us.
    if (this.#keys.wereNeverRead) await this.#keys.current()
    const held = [await this.#documents.take()]
    try {
      if (this.#keys.has(this.#around.ownKeyId ?? '')) throw this.#refuse('it is this registry itself')
      const keys = this.#keys.current()
      const body = await this.#fetchPackument(name, before, held)
      if (!('pieces' in body)) return body
      if (isSameBody(before, body) && !this.#isOutdated(before)) return { kind: 'unchanged' }
      const { pieces, isGzip, ...validators } = body
      const reading = await read(this.#reader, {
        name,
        origin: this.name,
        url: this.url,
        pieces,
        isGzip,
        maxBytes: this.#around.maxPackumentBytes,
        keys: await keys,
        before: before && { checkedAt: before.checkedAt, versions: before.versions },
        now,
      })
      if (reading.kind === 'gone') return reading
      if (reading.kind === 'refused') throw this.#disbelieve(reading.why)
      const { content, source, leftOut } = reading
      return { kind: 'told', mirror: { ...content, ...validators }, source, leftOut }
    } finally {
      for (const release of held) release()
    }
  }

  /** The body of a packument, or the answer when there is none to read. Takes the turn of large ones, where it is large. */
  #fetchPackument(
    name: PackageName,
    before: Mirror | undefined,
    held: (() => void)[],
  ): Promise<Body | UpstreamAnswer> {
    const conditions = before === undefined || this.#isOutdated(before) ? {} : conditionsOf(before)
    const headers = { accept: 'application/json', 'accept-encoding': 'gzip', ...conditions }
    const address = `${this.url}/${name.replace('/', '%2f')}`
    return this.#breaker.run(subjectOf(address), async () => {
      const answer = await this.#send(address, headers)
      const { statusCode = 0, headers: said } = answer
      const encoding = said['content-encoding'] ?? 'identity'
      if (statusCode === 200 && (encoding === 'gzip' || encoding === 'identity'))
        return this.#readBody(answer, encoding === 'gzip', held)
      letGo(answer)
      if (statusCode === 304 && Object.keys(conditions).length > 0) return { kind: 'unchanged' }
      if (statusCode === 404 || statusCode === 410 || statusCode === 451) return { kind: 'gone' }
      throw this.#refuse(
        statusCode === 200
          ? `it answers in ${excerpt(encoding)}, which nobody asked for`
          : `it answers with status ${statusCode}`,
      )
    })
  }

  /** What it said of signatures then may be other now, although the document is the same. */
  #isOutdated({ versions, checkedAt }: Mirror): boolean {
    const { isEmpty, changedAt } = this.#keys
    return versions.some(
      ({ signature }) =>
        (signature === 'no-keys' && !isEmpty) || (signature === 'broken' && changedAt > checkedAt),
    )
  }

  async #readBody(answer: IncomingMessage, isGzip: boolean, held: (() => void)[]): Promise<Body> {
    const lastModified = validator(answer.headers['last-modified'])
    const etag = validator(answer.headers.etag)
    const hash = etag === '' && lastModified === '' ? createHash('sha256') : undefined
    const pieces: Uint8Array<ArrayBuffer>[] = []
    let size = 0
    let isLarge = Number(answer.headers['content-length'] ?? 0) > large.bytes
    // What says that it is large waits on the wire, and not with its first half here.
    if (isLarge) held.push(await this.#largeDocuments.take())
    const { maxPackumentBytes } = this.#around
    for await (const chunk of this.#steadily(answer, Number.POSITIVE_INFINITY)) {
      size += chunk.length
      if (!isLarge && size > large.bytes) {
        isLarge = true
        held.push(await this.#largeDocuments.take())
      }
      if (size > maxPackumentBytes)
        throw this.#disbelieve(`its document has more than ${maxPackumentBytes} bytes`)
      hash?.update(chunk)
      pieces.push(new Uint8Array(chunk))
    }
    return { pieces, isGzip, etag: hash === undefined ? etag : bodyTag + hash.digest('hex'), lastModified }
  }

  async checkSignature(...[name, version]: Parameters<Upstream['checkSignature']>) {
    const check = async () => {
      const keys = readyKeys(await this.#keys.current())
      return keys.size === 0 ? undefined : verifySignature(keys, name, version)
    }
    const first = await check()
    const found = first === 'verified' || !(await this.#keys.foundMore()) ? first : await check()
    if (found === undefined) throw this.#refuse('it signs, and does not tell its keys any more')
    return found
  }

  async openTarball(address: string): Promise<UpstreamBytes> {
    this.#checkIsOwn(address)
    const release = await this.#tarballs.take()
    try {
      const answer = await this.#breaker.run(subjectOf(address), () => this.#askForTarball(address))
      const said = Number(answer.headers['content-length'] ?? Number.NaN)
      const bytes = this.#steadily(answer, this.#around.maxTarballBytes)
      return { sizeBytes: Number.isSafeInteger(said) ? said : undefined, bytes: releasing(bytes, release) }
    } catch (error) {
      release()
      throw error
    }
  }

  async #askForTarball(address: string): Promise<IncomingMessage> {
    const answer = await this.#send(address, { accept: '*/*', 'accept-encoding': 'identity' })
    const encoding = answer.headers['content-encoding'] ?? 'identity'
    if (answer.statusCode === 200 && encoding === 'identity') return answer
    letGo(answer)
    throw this.#refuse(
      answer.statusCode === 200
        ? `its tarball comes in ${excerpt(encoding)}, which nobody asked for`
        : `it answers with status ${answer.statusCode} where the tarball should be`,
    )
  }

  #readKeys(): Promise<string | undefined> {
    return this.#readText(`${this.url}/-/npm/v1/keys`)
  }

  async readAttestations(address: string): Promise<string | undefined> {
    this.#checkIsOwn(address)
    return this.#readText(address)
  }

  /** Addresses were on its host when they were read; the configuration may have moved since. */
  #checkIsOwn(address: string): void {
    if (!this.#isOwn(address)) throw this.#refuse(`${new URL(address).host} is not where it is any more`)
  }

  #isOwn(address: string): boolean {
    return new URL(address).origin === new URL(this.url).origin
  }

  /** The text at an address, or undefined where it says that there is none. */
  #readText(address: string): Promise<string | undefined> {
    return this.#breaker.run(subjectOf(address), async () => {
      const answer = await this.#send(address, { accept: 'application/json' })
      if (answer.statusCode !== 200) {
        letGo(answer)
        return undefined
      }
      const chunks: Buffer[] = []
      for await (const chunk of this.#steadily(answer, maxSmallBytes)) chunks.push(chunk)
      return Buffer.concat(chunks).toString('utf8')
    })
  }

  /** An answer of any status below 500 but 408 and 429: those say that it is in trouble. */
  async #send(url: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    const { authorization } = this.#origin
    const credentials = authorization === undefined ? {} : { authorization }
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(), this.#patienceMs)
    const answer = await this.#wire
      .send({ url, headers: { ...headers, ...credentials }, redirects }, patience.signal)
      .catch(error => {
        throw this.#ledInside(error) ?? error
      })
      .finally(() => clearTimeout(timer))
    const { statusCode = 0 } = answer
    if (statusCode < 500 && statusCode !== 408 && statusCode !== 429) return answer
    letGo(answer)
    const again = retryAfterMs(answer, this.#around.clock)
    throw new InTrouble(
      `it answers with status ${statusCode}`,
      again,
      statusCode === 429 && again !== undefined,
    )
  }

  /** A redirect into the private network is no trouble of the upstream: it would use us to ask what it cannot reach. */
  #ledInside(error: unknown): Problem | undefined {
    if (!isProblem(error) || error.code !== 'remote-private') return undefined
    const host = String(error.data['host'])
    if (host === new URL(this.url).hostname) return undefined
    return this.#disbelieve(`it leads to ${host}, which is on a private network`)
  }

  #steadily(answer: IncomingMessage, maxBytes: number): AsyncIterable<Buffer> {
    const pace = { maxBytes, patienceMs: this.#patienceMs, minBytesPerSecond }
    return readSteadily(answer, new URL(this.url).host, pace)
  }

  get #patienceMs(): number {
    return this.#around.patienceMs ?? defaultPatienceMs
  }

  #refuse(why: string) {
    return problem('upstream-failed', { origin: this.name, why })
  }

  /** The same for a document that is no trouble of the moment, but cannot be true: whoever watches is told. */
  #disbelieve(why: string) {
    return problem('upstream-failed', { origin: this.name, why, fault: 'disbelieved' })
  }
}

/** A packument as it came. */
interface Body {
  readonly pieces: readonly Uint8Array<ArrayBuffer>[]
  readonly isGzip: boolean
  readonly etag: string
  readonly lastModified: string
}

async function read(reader: Thread<ReadingWords, Reading>, words: ReadingWords): Promise<Reading> {
  try {
    return await reader.run(
      words,
      words.pieces.map(piece => piece.buffer),
    )
  } catch (error) {
    const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    if (!isMemory) throw error
    return { kind: 'refused', why: 'its document takes too much memory to read' }
  }
}

/** An answer that nobody reads: its connection is kept for the next request where little can be left on it. */
function letGo(answer: IncomingMessage): void {
  const left = answer.statusCode === 304 ? 0 : Number(answer.headers['content-length'] ?? Number.NaN)
  if (left <= 16 * 1024) answer.resume()
  else answer.destroy()
}

async function* releasing(bytes: AsyncIterable<Buffer>, release: () => void): AsyncGenerator<Buffer> {
  try {
    yield* bytes
  } finally {
    release()
  }
}

/** In place of a validator where an upstream sends none: to read what is the same again would cost a second for large ones. */
const bodyTag = 'body-sha256:'

function isSameBody(before: Mirror | undefined, { etag }: Body): before is Mirror {
  return etag.startsWith(bodyTag) && etag === before?.etag
}

function conditionsOf({ etag, lastModified }: Mirror): Readonly<Record<string, string>> {
  if (etag !== '' && !etag.startsWith(bodyTag)) return { 'if-none-match': etag }
  return lastModified === '' ? {} : { 'if-modified-since': lastModified }
}

/** The package that an address is of: its document and its tarballs fail together. */
function subjectOf(address: string): string {
  return new URL(address).pathname.replace(/\/-\/.*$/, '')
}

/** What can be sent back as it came. */
function validator(said: string | undefined): string {
  return said !== undefined && said.length <= 200 && /^[\x20-\x7e]*$/.test(said) ? said : ''
}

/** Seconds or a date; undefined when it says nothing that can be understood. */
function retryAfterMs({ headers }: IncomingMessage, clock: Clock): number | undefined {
  const said = headers['retry-after']
  if (said === undefined) return undefined
  const ms = /^\d{1,9}$/.test(said) ? Number(said) * 1000 : Date.parse(said) - clock()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
