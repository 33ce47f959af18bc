// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Digest,
  formatIntegrity,
  isProblem,
  type PackageName,
  type Problem,
  problem,
} from '@holdfast/core'
import type { Ingested, OriginName, UpstreamVersion } from '../catalog/index.ts'
import { checkNotFrozen } from '../identity/index.ts'
import {
  defaultInspectLimits,
  type InsideWords,
  lookInside,
  type NewEvent,
  type RecordPlace,
} from '../integrity/index.ts'
import type {
  Arrival,
  BlobWriter,
  FindsUpstream,
  Intake,
  KeptAttestations,
  Ports,
  Tx,
  WrittenBytes,
} from '../ports.ts'
import { checkNothingNew, type Looked, lookForBlocked } from './block.ts'
import { closeUnder } from './closing.ts'
import { isTrusted } from './own-signature.ts'
import { accuseProvenance, fetchProvenance, isAttested } from './provenance.ts'
import { findRecall, recall } from './recall.ts'
import { Remembered } from './remembered.ts'
import { readPieces } from './screen.ts'
import { keepDue, type Screened, screenArrival, toScreening, withDisagreement } from './screening.ts'
import { followArrival } from './takedown.ts'
import { alarm, faultOf, grantIngest, isDisbelieved, recordFaults } from './upstream-fault.ts'

type Taking = Pick<Ports, 'config' | 'store' | 'blobs' | 'signer' | 'clock'> & {
  readonly upstreams: FindsUpstream
}

/** A version on its way in. */
interface Wanted {
  readonly name: PackageName
  readonly origin: OriginName
  readonly version: UpstreamVersion
}

const hourMs = 3600_000
const dayMs = 24 * hourMs
const youngMs = 14 * dayMs
const pieceBytes = 64 * 1024
const gatherMs = 100
const maxAccused = 1000
/** Looked into one after the other and each whole in memory; npm's own limit is far below. */
const maxInspectedBytes = 64 * 1024 * 1024
/** Up to this size bytes stay in memory until they were looked into, and need not be read back. */
const maxHeldBytes = 256 * 1024

/** Whether nobody may have looked at a version yet: its bytes are looked into before the first of them goes out. */
export function isYoung({ knownSince }: Pick<UpstreamVersion, 'knownSince'>, now: number): boolean {
  return now - knownSince < youngMs
}

/** The bytes on their way into one instance. */
export function openIntake(ports: Taking): Intake {
  const arriving = new Map<string, Arriving>()
  const book = new Book(ports)
  return {
    bring(name, origin, version) {
      const key = `${origin} ${name} ${version.version}`
      const known = arriving.get(key)
      if (known !== undefined) return known
      const made = new Arriving(ports, book, { name, origin, version })
      arriving.set(key, made)
      const forget = () => void arriving.delete(key)
      made.done.then(forget, forget)
      return made
    },
    async finish() {
      const verified = [...arriving.values()].filter(each => each.isVerified)
      await Promise.allSettled(verified.map(each => each.done))
    },
  }
}

/** One arrival: a task of its own that nobody's leaving ends, and readers who follow it. */
class Arriving implements Arrival {
  readonly opened: Promise<number | undefined>
  readonly done: Promise<Ingested>
  readonly #ports: Taking
  readonly #book: Book
  readonly #wanted: Wanted
  #writer: BlobWriter | undefined
  /** Bytes that readers may have. */
  #shown = 0
  /** The last piece, which is shown when the digest held. */
  #tail: Uint8Array = new Uint8Array()
  /** All of them while they are few. */
  #held: Uint8Array[] | undefined = []
  #state: 'arriving' | 'verified' | 'failed' = 'arriving'
  #kept: Promise<WrittenBytes> | undefined
  #news = newsOf()

  constructor(ports: Taking, book: Book, wanted: Wanted) {
    this.#ports = ports
    this.#book = book
    this.#wanted = wanted
    const opening = Promise.withResolvers<number | undefined>()
    this.opened = opening.promise
    this.done = this.#run(opening.resolve).catch(error => {
      this.#fail()
      opening.reject(error)
      throw error
    })
    // Whoever waits hears of it; where nobody does, it was for nothing.
    this.opened.catch(() => {})
    this.done.catch(() => {})
  }

  /** Whether all of its bytes may be out. */
  get isVerified(): boolean {
    return this.#state === 'verified'
  }

  async *follow(): AsyncGenerator<Uint8Array> {
    for (let position = 0; ; ) {
      if (this.#state === 'failed') await this.done
      if (this.#state === 'verified') {
        yield* this.#rest(position)
        return
      }
      const length = Math.min(pieceBytes, this.#shown - position)
      if (length === 0 || this.#writer === undefined) await this.#news.promise
      else {
        const piece = await this.#writer.readAt(position, Buffer.allocUnsafeSlow(length))
        position += piece.length
        yield piece
      }
    }
  }

  /** What a reader lacks when the digest held: from memory for who kept up, else from the kept blob. */
  async *#rest(from: number): AsyncGenerator<Uint8Array> {
    let position = from
    if (position < this.#shown) {
      const { digest } = (await this.#kept) ?? (await this.done)
      const reader = await this.#ports.blobs.open(digest)
      if (reader === undefined) throw problem('unavailable', { why: 'the bytes are gone' })
      try {
        while (position < this.#shown) {
          const room = Buffer.allocUnsafeSlow(Math.min(pieceBytes, this.#shown - position))
          const piece = await reader.read(position, room)
          position += piece.length
          yield piece
        }
      } finally {
        await reader.close()
      }
    }
    yield this.#tail
  }

  async #run(open: (sizeBytes: number | undefined) => void): Promise<Ingested> {
    const { blobs, upstreams } = this.#ports
    const { name, origin, version } = this.#wanted
    const writer = await blobs.begin()
    this.#writer = writer
    try {
      const upstream = upstreams.get(origin)
      if (upstream === undefined) throw problem('unavailable', { why: `there is no origin '${origin}'` })
      await checkNotFrozen(this.#ports.store, [
        `origin:${origin}`,
        ...(version.digest === undefined ? [] : [`hash:${version.digest}`]),
      ])
      const { sizeBytes, bytes } = await upstream.openTarball(version.tarball)
      open(sizeBytes)
      for await (const piece of bytes) await this.#take(writer, piece)
      const written = writer.digests()
      await this.#check(written)
      // Of what only has a SHA-1 upstream nobody knew before; and somebody may have blocked it while it came.
      await checkNotFrozen(this.#ports.store, [`hash:${written.digest}`])
      this.#state = 'verified'
      this.#kept = writer.keep()
      this.#tell()
      await this.#kept
      // A crash here leaves bytes that no version names, as after a publish.
      const [inside, attested, screened, looked] = await Promise.all([
        this.#look(written),
        this.#attest(written),
        this.#screen(written),
        lookForBlocked(this.#ports, () => readPieces(this.#ports, written.digest)),
      ])
      const ingested = await this.#book.enter(this.#wanted, written, { inside, attested, screened, looked })
      await followArrival(this.#ports, this.#wanted)
      return ingested
    } catch (error) {
      // Before the file is closed: who reads on would fail for that, and come again while this is still under way.
      this.#fail()
      if (isDisbelieved(error))
        await this.#book.accuse(name, origin, version.version, String(error.data['why']))
      throw error
    } finally {
      await writer.discard()
    }
  }

  async #take(writer: BlobWriter, piece: Uint8Array): Promise<void> {
    await writer.write(piece)
    this.#shown += this.#tail.length
    this.#tail = piece
    if (this.#shown + piece.length > maxHeldBytes) this.#held = undefined
    this.#held?.push(piece)
    this.#tell()
  }

  #fail(): void {
    this.#state = 'failed'
    this.#tell()
  }

  #tell(): void {
    const { resolve } = this.#news
    this.#news = newsOf()
    resolve()
  }

  /** What the upstream promised for ever; a version that only has a SHA-1 gets the SHA-512 found here. */
  async #check({ digest, shasum }: WrittenBytes): Promise<void> {
    const { version } = this.#wanted
    if (version.digest !== undefined && version.digest !== digest)
      throw await this.#accuse(
        digest,
        `they are ${formatIntegrity(digest)} and not ${formatIntegrity(version.digest)}`,
      )
    if (version.digest === undefined && version.shasum !== shasum)
      throw await this.#accuse(digest, `their SHA-1 is ${shasum} and not ${version.shasum}`)
  }

  async #accuse(digest: Digest, why: string): Promise<Problem> {
    const { name, origin, version } = this.#wanted
    await alarm(this.#ports, { package: name, version: version.version, origin, digest })
    await this.#book.accuse(name, origin, version.version, why)
    return problem('upstream-mismatch', { name, version: version.version, why })
  }

  /** Of young versions before anybody gets a byte; the others follow, see `settleProvenance`. */
  async #attest({ digest }: WrittenBytes): Promise<KeptAttestations | undefined> {
    const { name, origin, version } = this.#wanted
    if (!isAttested(version) || !isYoung(version, this.#ports.clock())) return undefined
    return fetchProvenance(this.#ports, name, origin, version, digest)
  }

  /** Young versions before anybody gets a byte; the others follow, see `rescreen`. */
  async #screen({ digest }: WrittenBytes): Promise<Screened | undefined> {
    const { name, version } = this.#wanted
    if (!isYoung(version, this.#ports.clock())) return undefined
    return screenArrival(this.#ports, name, version.publishedAt, digest)
  }

  async #look({ digest, sizeBytes }: WrittenBytes): Promise<InsideWords> {
    if (sizeBytes > maxInspectedBytes) return { hasInstallScript: true, fault: '', disagreement: '' }
    const bytes = this.#joinHeld(sizeBytes) ?? (await this.#readBack(digest, sizeBytes))
    const maxInflatedBytes = this.#ports.config.maxUnpackedBytes
    const limits = { ...defaultInspectLimits, maxInflatedBytes, maxTokens: 0 }
    return lookInside(bytes, limits, await this.#findRecord())
  }

  #joinHeld(sizeBytes: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#held === undefined) return undefined
    const bytes = new Uint8Array(sizeBytes)
    let at = 0
    for (const piece of this.#held) {
      bytes.set(piece, at)
      at += piece.length
    }
    this.#held = undefined
    return bytes
  }

  async #readBack(digest: WrittenBytes['digest'], sizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const reader = await this.#ports.blobs.open(digest)
    if (reader === undefined) throw problem('unavailable', { why: 'the bytes are gone' })
    try {
      const bytes = new Uint8Array(sizeBytes)
      await reader.read(0, bytes)
      return bytes
    } finally {
      await reader.close()
    }
  }

  async #findRecord(): Promise<RecordPlace> {
    const { name, version } = this.#wanted
    const { mirrors } = this.#ports.store
    const listed = (await mirrors.find(name))?.versions ?? []
    const index = listed.findIndex(each => each.version === version.version)
    return { version: version.version, source: (await mirrors.findSource(name)) ?? new Uint8Array(), index }
  }
}

function newsOf(): PromiseWithResolvers<void> {
  return Promise.withResolvers<void>()
}

/** What was found of the bytes that came in. */
interface Found {
  readonly inside: InsideWords
  readonly attested: KeptAttestations | undefined
  /** Undefined where nobody waited for it. */
  readonly screened: Screened | undefined
  readonly looked: Looked
}

/** What is to be written of one arrival. */
interface Entry {
  readonly ingested: Ingested
  readonly events: readonly NewEvent[]
  write(tx: Tx): Promise<void>
  resolve(): void
  reject(error: unknown): void
}

/** Records arrivals: one that comes alone at once, of many those of a moment together. */
class Book {
  readonly #ports: Taking
  /** When each version was last accused; the oldest are forgotten. */
  readonly #accused = new Remembered<number>(maxAccused)
  #waiting: Entry[] = []
  #writing: Promise<void> | undefined

  constructor(ports: Taking) {
    this.#ports = ports
  }

  async enter(wanted: Wanted, written: WrittenBytes, found: Found): Promise<Ingested> {
    const entry = await this.#describe(wanted, written, found)
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ ...entry, resolve, reject })
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined
      })
    })
    return entry.ingested
  }

  /** Once an hour: who asks for a bad version again and again must not fill the record. */
  async accuse(
    name: PackageName,
    origin: OriginName,
    ver: UpstreamVersion['version'],
    why: string,
  ): Promise<void> {
    const now = this.#ports.clock()
    const spec = `${name}@${ver}`
    if (now - (this.#accused.get(spec) ?? Number.NEGATIVE_INFINITY) < hourMs) return
    this.#accused.set(spec, now)
    await recordFaults(this.#ports, [faultOf(origin, name, ver, why)])
  }

  async #describe(
    { name, origin, version }: Wanted,
    { digest, shasum, sizeBytes }: WrittenBytes,
    { inside, attested, screened, looked }: Found,
  ): Promise<Pick<Entry, 'ingested' | 'events' | 'write'>> {
    const ports = this.#ports
    const { store, signer, clock } = ports
    const at = clock()
    const ver = version.version
    const held = findRecall(inside, isYoung(version, at))
    const signed = await store.mirrors.findSignatures(name, signer.keyId)
    // Of what nobody was shown yet no document needs to be made anew.
    const isSigned = signed.size === 0 || signed.has(digest) || !isTrusted(version)
    const provenance = isAttested(version) ? (attested?.finding.kind ?? 'due') : 'none'
    const faults = accuseProvenance(name, ver, origin, attested)
    const subject = { name, version: ver, origin, digest }
    // What is only warned of may have been shown early, as a fix.
    const isClosed = looked.hit !== undefined || (screened !== undefined && screened.words.state !== 'allow')
    const shown =
      isClosed || held !== undefined || faults.length > 0 || version.digest === undefined || !isSigned
    const { publishedAt } = version
    const { hasInstallScript, fault } = inside
    const found = { digest, shasum, sizeBytes, hasInstallScript }
    const times = { publishedAt, ingestedAt: at, lastUsedAt: at }
    const ingested = { package: name, version: ver, origin, ...found, ...times, provenance } as const
    const dist = { integrity: formatIntegrity(digest), size: sizeBytes }
    const fields = { upstream: origin, dist, signature: version.signature }
    const detail = { shown, ...(fault === '' ? {} : { fault }) }
    return {
      ingested,
      events: [{ type: 'ingest', pkg: name, ver, fields, detail }, ...faults],
      async write(tx) {
        await tx.upstream.addIngested(ingested)
        if (attested !== undefined) await tx.upstream.noteAttestations(name, ver, attested)
        await tx.screening.set(
          screened === undefined
            ? keepDue(subject, at)
            : toScreening(subject, withDisagreement(screened, inside.disagreement), at, true),
        )
        await checkNothingNew(tx, looked.blocks)
        if (looked.hit !== undefined) await closeUnder(tx, ports, looked.hit.id, { name, version: ver })
        if (held !== undefined) await recall(tx, ports, name, ver, held)
        if (shown) await tx.upstream.touchMirror(name)
      },
    }
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#commit(batch)
        for (const each of batch) each.resolve()
      } catch (error) {
        // One that contradicts what came in before must not take the others with it.
        if (batch.length > 1) for (const each of batch) await this.#commitAlone(each)
        else for (const each of batch) await this.#refuse(each, error)
      }
      // The first does not wait; of many, those of a moment share one sync of the disk.
      await delay(gatherMs)
    }
  }

  async #commitAlone(entry: Entry): Promise<void> {
    try {
      await this.#commit([entry])
      entry.resolve()
    } catch (error) {
      await this.#refuse(entry, error)
    }
  }

  async #refuse({ ingested, reject }: Entry, error: unknown): Promise<void> {
    try {
      if (isProblem(error) && error.code === 'upstream-changed') await alarm(this.#ports, ingested)
    } finally {
      reject(error)
    }
  }

  async #commit(batch: readonly Entry[]): Promise<void> {
    const grant = await grantIngest(this.#ports)
    const events = batch.flatMap(each => each.events)
    await this.#ports.store.commit(grant, events, async tx => {
      for (const each of batch) await each.write(tx)
    })
  }
}
