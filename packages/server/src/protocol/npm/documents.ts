// SPDX-License-Identifier: Apache-2.0
import type { PackageName } from '@holdfast/core'
import type { Package } from '../../catalog/index.ts'
import type { PackageView, Viewing } from '../../flow/index.ts'
import type { DocumentForm, DocumentRow, Documents, Encoding, ReadyDocument } from '../../ports.ts'
import { DocumentCache } from './document-cache.ts'
import { buildPackument } from './packument.ts'
import { Press, type Pressed } from './press.ts'

const contentTypes = {
  full: 'application/json; charset=utf-8',
  corgi: 'application/vnd.npm.install-v1+json',
} as const
const forms = ['full', 'corgi'] as const

/** Ready packuments of one instance: memory bounded in bytes, then the store, then made anew, once for all who wait. */
export function openDocuments(ports: Viewing, publicUrl: string, cacheBytes: number): Documents {
  const cache = new DocumentCache(cacheBytes, ports.clock)
  const underWay = new Map<string, Promise<ReadyDocument | undefined>>()
  const making = { ports, publicUrl, press: new Press() }
  const drop = (name: string) => {
    for (const form of forms) {
      cache.remove(`${form} ${name}`)
      // What is being made may show the state before: whoever asks from now on makes it again.
      underWay.delete(`${form} ${name}`)
    }
  }
  ports.store.events.follow(events => {
    for (const event of events) if (event.pkg !== null) drop(event.pkg)
  })
  return {
    peek: (name, form) => cache.get(form === 'full' ? `full ${name}` : `corgi ${name}`),
    drop,
    get(name, form) {
      const key = `${form} ${name}`
      const kept = cache.get(key)
      if (kept !== undefined) return Promise.resolve(kept)
      const known = underWay.get(key)
      if (known !== undefined) return known
      const made = freshRow(making, name, form).then(fresh => {
        const document = fresh && ready(fresh.row, fresh.known)
        if (document !== undefined && underWay.get(key) === made) cache.add(key, document)
        return document
      })
      underWay.set(key, made)
      const forget = () => {
        if (underWay.get(key) === made) underWay.delete(key)
      }
      made.then(forget, forget)
      return made
    },
    async make(name) {
      for (const form of forms) await freshRow(making, name, form)
    },
  }
}

/** What a document is made with. */
interface Making {
  readonly ports: Viewing
  readonly publicUrl: string
  readonly press: Press
}

/** The stored document while it shows the present revision, else a new one, which is stored for the next start. */
async function freshRow(
  { ports, publicUrl, press }: Making,
  name: PackageName,
  form: DocumentForm,
): Promise<{ row: DocumentRow; known: Package } | undefined> {
  const { store } = ports
  const known = await store.catalog.findPackage(name)
  if (known === undefined) return undefined
  const stored = await store.documents.find(name, form)
  if (
    stored?.revision === known.revision &&
    stored.publicUrl === publicUrl &&
    stored.policyVersion === 0 &&
    (stored.validUntil === null || ports.clock() < stored.validUntil)
  ) {
    return { row: stored, known }
  }
  const built = await buildPackument(ports, publicUrl, name, form)
  if (built === undefined) return undefined
  const row = rowOf(built.known, built.view, form, publicUrl, await press.press(built.pieces))
  await store.documents.save(row)
  return { row, known: built.known }
}

function rowOf(
  known: Package,
  view: PackageView,
  form: DocumentForm,
  publicUrl: string,
  pressed: Pressed,
): DocumentRow {
  const { hash, ...encodings } = pressed
  return {
    package: known.name,
    form,
    origin: 'hosted',
    revision: known.revision,
    publicUrl,
    policyVersion: view.policyVersion,
    validUntil: view.validUntil,
    // The revision stands in it, so that a 304 never makes npm use an old `_rev`.
    etag: `W/"${known.revision}-${form}-${hash.slice(0, 27)}"`,
    ...encodings,
  }
}

function ready(row: DocumentRow, known: Package): ReadyDocument {
  // With an ETag a 304 says no date (RFC 9110, section 15.4.5).
  const unchanged = [
    'etag',
    row.etag,
    'vary',
    'Accept, Accept-Encoding',
    'cache-control',
    known.access === 'public' ? 'public, max-age=0, must-revalidate' : 'private, max-age=0, must-revalidate',
  ]
  const common = [...unchanged, 'last-modified', new Date(known.modifiedAt).toUTCString()]
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
    unchanged,
    sizeBytes: Object.values(bodies).reduce((sum, bytes) => sum + bytes.length, 1024),
  }
}
