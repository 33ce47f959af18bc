// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip, zstdCompress } from 'node:zlib'
import type { PackageName } from '@holdfast/core'
import type { Package } from '../../catalog/index.ts'
import type { DocumentForm, DocumentRow, Documents, Encoding, ReadyDocument, Store } from '../../ports.ts'
import { buildPackument } from './packument.ts'

const contentTypes = {
  full: 'application/json; charset=utf-8',
  corgi: 'application/vnd.npm.install-v1+json',
} as const
const policyVersion = 0

/** Ready packuments of one instance: memory bounded in bytes, then the store, then made anew, once for all who wait. */
export function openDocuments(
  store: Pick<Store, 'catalog' | 'documents' | 'events'>,
  publicUrl: string,
  cacheBytes: number,
): Documents {
  const cache = new DocumentCache(cacheBytes)
  const making = new Map<string, Promise<ReadyDocument | undefined>>()
  const drop = (name: string) => {
    for (const form of ['full', 'corgi'] as const) {
      cache.remove(`${form} ${name}`)
      // What is being made may show the state before: whoever asks from now on makes it again.
      making.delete(`${form} ${name}`)
    }
  }
  store.events.follow(events => {
    for (const event of events) if (event.pkg !== null) drop(event.pkg)
  })
  return {
    peek: (name, form) => cache.get(form === 'full' ? `full ${name}` : `corgi ${name}`),
    drop,
    get(name, form) {
      const key = `${form} ${name}`
      const ready = cache.get(key)
      if (ready !== undefined) return Promise.resolve(ready)
      const known = making.get(key)
      if (known !== undefined) return known
      const made = prepare(store, publicUrl, name, form).then(document => {
        if (document !== undefined && making.get(key) === made) cache.add(key, document)
        return document
      })
      making.set(key, made)
      const forget = () => {
        if (making.get(key) === made) making.delete(key)
      }
      made.then(forget, forget)
      return made
    },
  }
}

/** The stored document while it shows the present revision, else a new one, which is stored for the next start. */
async function prepare(
  store: Pick<Store, 'catalog' | 'documents'>,
  publicUrl: string,
  name: PackageName,
  form: DocumentForm,
): Promise<ReadyDocument | undefined> {
  const known = await store.catalog.findPackage(name)
  if (known === undefined) return undefined
  const stored = await store.documents.find(name, form)
  if (
    stored?.revision === known.revision &&
    stored.publicUrl === publicUrl &&
    stored.policyVersion === policyVersion
  ) {
    return ready(stored, known)
  }
  const built = await buildPackument(store, publicUrl, name, form)
  if (built === undefined) return undefined
  const row = await compress(built.known, form, publicUrl, built.text)
  await store.documents.save(row)
  return ready(row, built.known)
}

async function compress(
  known: Package,
  form: DocumentForm,
  publicUrl: string,
  text: string,
): Promise<DocumentRow> {
  const identity = Buffer.from(text, 'utf8')
  const [gzipped, brotli, zstd] = await Promise.all([
    promisify(gzip)(identity, { level: 6 }),
    promisify(brotliCompress)(identity, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: identity.length },
    }),
    promisify(zstdCompress)(identity, { params: { [constants.ZSTD_c_compressionLevel]: 6 } }),
  ])
  const hash = createHash('sha256').update(form).update(identity).digest('base64url').slice(0, 27)
  return {
    package: known.name,
    form,
    revision: known.revision,
    publicUrl,
    policyVersion,
    validUntil: null,
    // The revision stands in it, so that a 304 never makes npm use an old `_rev`.
    etag: `W/"${known.revision}-${hash}"`,
    identity,
    gzip: gzipped,
    brotli,
    zstd,
  }
}

function ready(row: DocumentRow, known: Package): ReadyDocument {
  const common = [
    'etag',
    row.etag,
    'vary',
    'Accept, Accept-Encoding',
    'cache-control',
    known.access === 'public' ? 'public, max-age=0, must-revalidate' : 'private, max-age=0, must-revalidate',
    'last-modified',
    new Date(known.modifiedAt).toUTCString(),
  ]
  const variant = (encoding: Encoding, bytes: Uint8Array) => ({
    headers: [
      'content-type',
      contentTypes[row.form],
      'content-length',
      String(bytes.length),
      ...(encoding === 'identity' ? [] : ['content-encoding', encoding]),
      ...common,
    ],
    body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
  })
  const bodies = { identity: row.identity, gzip: row.gzip, br: row.brotli, zstd: row.zstd }
  return {
    package: row.package,
    revision: row.revision,
    validUntil: row.validUntil,
    access: known.access,
    etag: row.etag,
    variants: {
      identity: variant('identity', bodies.identity),
      gzip: variant('gzip', bodies.gzip),
      br: variant('br', bodies.br),
      zstd: variant('zstd', bodies.zstd),
    },
    unchanged: common,
    sizeBytes: Object.values(bodies).reduce((sum, bytes) => sum + bytes.length, 1024),
  }
}

/** Least recently used first out; bounded in bytes, so that it grows neither with packages nor with their size. */
class DocumentCache {
  readonly #maxBytes: number
  readonly #entries = new Map<string, ReadyDocument>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(key: string): ReadyDocument | undefined {
    const found = this.#entries.get(key)
    if (found === undefined) return undefined
    this.#entries.delete(key)
    if (found.validUntil !== null && found.validUntil <= Date.now()) {
      this.#bytes -= found.sizeBytes
      return undefined
    }
    this.#entries.set(key, found)
    return found
  }

  add(key: string, document: ReadyDocument): void {
    this.remove(key)
    if (document.sizeBytes > this.#maxBytes) return
    this.#entries.set(key, document)
    this.#bytes += document.sizeBytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return
      this.remove(oldest)
    }
  }

  remove(key: string): void {
    const found = this.#entries.get(key)
    if (found === undefined) return
    this.#entries.delete(key)
    this.#bytes -= found.sizeBytes
  }
}
