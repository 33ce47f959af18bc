// SPDX-License-Identifier: Apache-2.0
import type { PackageName, Version } from '@holdfast/core'
import { decide, type Mirror } from '../../catalog/index.ts'
import { currentPolicy, findKept, type PackageView, viewPackage, viewUnder } from '../../flow/index.ts'
import { touchedBy } from '../../integrity/index.ts'
import { Litter, mostBesideTheLoop } from '../../litter.ts'
import type {
  DocumentForm,
  DocumentRow,
  Documents,
  DocumentVariant,
  Encoding,
  ReadyDocument,
  UpstreamWords,
} from '../../ports.ts'
import { DocumentCache } from './document-cache.ts'
import {
  describeDocument,
  describeVersion,
  type MirrorMaking,
  type MirrorView,
  mirrorEtag,
} from './mirror-packument.ts'
import { MirrorPress } from './mirror-press.ts'
import { buildPackument, type Seen, seePackage, versionText } from './packument.ts'
import { Press } from './press.ts'

const contentTypes = {
  full: 'application/json; charset=utf-8',
  corgi: 'application/vnd.npm.install-v1+json',
} as const
const forms = ['full', 'corgi'] as const
const none = new Uint8Array()
/** Of an upstream package: so many versions, or facts of so many bytes as they are stored. */
const large = { versions: 1000, bytes: 64 * 1024 }

/** Ready packuments of one instance: memory bounded in bytes, then the store, then made anew, once for all who wait. */
export function openDocuments(ports: MirrorMaking, publicUrl: string, cacheBytes: number): Documents {
  const cache = new DocumentCache(cacheBytes, ports.clock)
  const underWay = new Map<string, Promise<ReadyDocument | undefined>>()
  const making = { ports, publicUrl, press: new Press(), mirrorPress: new MirrorPress() }
  // What may be closed by now, without this process having heard of it, is looked at anew.
  const remembered = (key: string) => (ports.store.events.isCurrent() ? cache.get(key) : undefined)
  let largeTurn: Promise<unknown> = Promise.resolve()
  const litter = new Litter(mostBesideTheLoop)
  /** Packages of thousands of versions are looked at one after the other: each takes megabytes while it is. */
  const freshRowInTurn = async (name: PackageName, form: DocumentForm) => {
    const small = await smallRow(making, name, form)
    if (small !== 'large') return small
    const mine = largeTurn.then(() => freshRow(making, name, form))
    largeTurn = mine.then(
      fresh => litter.add(fresh?.versions ?? 0),
      () => {},
    )
    return mine
  }
  const drop = (name: string) => {
    for (const form of forms) {
      cache.remove(`${form} ${name}`)
      // What is being made may show the state before: whoever asks from now on makes it again.
      underWay.delete(`${form} ${name}`)
    }
  }
  ports.store.events.follow(events => {
    const touched = touchedBy(events)
    if (touched !== 'all') return touched.forEach(drop)
    cache.clear()
    underWay.clear()
  })
  return {
    peek: (name, form) => remembered(form === 'full' ? `full ${name}` : `corgi ${name}`),
    drop,
    get(name, form) {
      const key = `${form} ${name}`
      const kept = remembered(key)
      if (kept !== undefined) return Promise.resolve(kept)
      const known = underWay.get(key)
      if (known !== undefined) return known
      const made = freshRowInTurn(name, form).then(fresh => {
        const document = fresh && ready(fresh)
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
    getVersion: (name, version) => oneVersion(making, name, version),
    getWords: (mirror, version) => readWords(making, mirror, version),
    async make(name) {
      // Documents of upstream packages are made when somebody asks: few of them are ever wanted in both forms.
      const seen = await seePackage(ports, name)
      if (seen === undefined) return
      const made: DocumentRow[] = []
      for (const form of forms)
        if ((await storedRow(making, seen.view, form)) === undefined)
          made.push((await makeRow(making, seen, form)).row)
      if (made.length > 0) await ports.store.documents.save(...made)
    },
  }
}

/** What a document is made with. */
interface Making {
  readonly ports: MirrorMaking
  readonly publicUrl: string
  readonly press: Press
  readonly mirrorPress: MirrorPress
}

/** A document that shows the present state, and what its answers say of it. */
interface Fresh {
  readonly row: DocumentRow
  readonly access: ReadyDocument['access']
  readonly modifiedAt: number
  /** Milliseconds since the epoch until which nobody need be asked, or null. */
  readonly validUntil: number | null
  readonly warning: ReadyDocument['warning']
  /** How many were looked at. */
  readonly versions: number
}

/** The stored document while it shows the present revision, else a new one, which is stored for the next start. */
async function freshRow(making: Making, name: PackageName, form: DocumentForm): Promise<Fresh | undefined> {
  const view = await viewPackage(making.ports, name)
  return view && rowFor(making, view, form)
}

/** The same, unless it is large. Of a package that was never asked for only its upstream's answer tells that. */
async function smallRow(
  making: Making,
  name: PackageName,
  form: DocumentForm,
): Promise<Fresh | undefined | 'large'> {
  if ((await making.ports.store.mirrors.weigh(name)) >= large.bytes) return 'large'
  const found = await findKept(making.ports, name)
  if (found === undefined) return undefined
  if (found.known !== undefined && found.kept.length >= large.versions) return 'large'
  const policy = await currentPolicy(making.ports)
  return rowFor(making, await viewUnder(making.ports, policy, found), form)
}

async function rowFor(making: Making, view: PackageView, form: DocumentForm): Promise<Fresh | undefined> {
  if (isMirror(view)) return mirrorRow(making, view, form)
  const stored = await storedRow(making, view, form)
  if (stored !== undefined) return stored
  const seen = await seePackage(making.ports, view.name)
  if (seen === undefined) return undefined
  const made = await makeRow(making, seen, form)
  await making.ports.store.documents.save(made.row)
  return made
}

function isMirror(view: PackageView): view is MirrorView {
  return view.known !== undefined
}

/** The stored document of a package that is hosted here, while it shows the present state. */
async function storedRow(
  { ports, publicUrl }: Making,
  view: PackageView,
  form: DocumentForm,
): Promise<Fresh | undefined> {
  const { access, modifiedAt } = view
  const row = await ports.store.documents.find(view.name, form)
  const isFresh =
    row?.origin === view.origin &&
    row.revision === view.revision &&
    row.publicUrl === publicUrl &&
    row.policyVersion === view.policyVersion &&
    (row.validUntil === null || ports.clock() < row.validUntil)
  if (!isFresh) return undefined
  return { row, access, modifiedAt, validUntil: row.validUntil, warning: '', versions: view.versions.length }
}

async function makeRow({ ports, publicUrl, press }: Making, seen: Seen, form: DocumentForm): Promise<Fresh> {
  const { known, view } = seen
  const { hash, ...encodings } = await press.press(await buildPackument(ports, publicUrl, seen, form))
  // The revision stands in it, so that a 304 never makes npm use an old `_rev`.
  const etag = `W/"${known.revision}-${form}-${hash.slice(0, 27)}"`
  const row = { ...rowOf(view, form, publicUrl), etag, ...encodings }
  const { access, modifiedAt, versions } = view
  return { row, access, modifiedAt, validUntil: row.validUntil, warning: '', versions: versions.length }
}

/** Named by what it shows, so that nothing is made again because time went by or the policy changed elsewhere. */
async function mirrorRow(
  { ports, publicUrl, mirrorPress }: Making,
  view: MirrorView,
  form: DocumentForm,
): Promise<Fresh> {
  const { name, access, modifiedAt, known } = view
  const etag = mirrorEtag(view, form, publicUrl, ports.signer.keyId)
  const validUntil = Math.min(known.freshUntil, view.validUntil ?? known.freshUntil)
  const versions = view.versions.length
  const said = { access, modifiedAt, validUntil, warning: known.warning, versions }
  const stored = await ports.store.documents.find(name, form)
  if (stored?.origin === view.origin && stored.etag === etag) return { row: stored, ...said }
  const job = await describeDocument(ports, publicUrl, view, form)
  const gzip = await mirrorPress.press(job)
  const encodings = { identity: none, gzip, brotli: none, zstd: none }
  const row = { ...rowOf(view, form, publicUrl), etag, ...encodings }
  await ports.store.documents.save(row)
  return { row, ...said }
}

/** One version object, made for who asks. */
async function oneVersion(
  { ports, publicUrl, mirrorPress }: Making,
  name: PackageName,
  version: Version,
): Promise<string | undefined> {
  const view = await viewPackage(ports, name)
  const facts = view?.versions.find(each => each.version === version)
  if (view === undefined || facts === undefined || !decide(facts).listed) return undefined
  if (isMirror(view)) {
    const job = await describeVersion(ports, publicUrl, view, facts)
    return job && Buffer.from(await mirrorPress.press(job)).toString()
  }
  const found = await ports.store.catalog.findVersion(name, version)
  return found && versionText(publicUrl, found, facts)
}

/** Picked in the thread: neither a long README nor a package of a thousand manifests is read on the loop. */
async function readWords(
  { ports, mirrorPress }: Making,
  mirror: Mirror,
  version: Version,
): Promise<UpstreamWords> {
  const source = (await ports.store.mirrors.findSource(mirror.name)) ?? new Uint8Array()
  const index = mirror.versions.findIndex(each => each.version === version)
  return JSON.parse(
    Buffer.from(await mirrorPress.press({ kind: 'words', source, index, version })).toString(),
  )
}

function rowOf(view: PackageView, form: DocumentForm, publicUrl: string) {
  return {
    package: view.name,
    form,
    origin: view.origin,
    revision: view.revision,
    publicUrl,
    policyVersion: view.policyVersion,
    validUntil: view.validUntil,
  }
}

function ready({ row, access, modifiedAt, validUntil, warning }: Fresh): ReadyDocument {
  // With an ETag a 304 says no date (RFC 9110, section 15.4.5).
  const unchanged = [
    'etag',
    row.etag,
    'vary',
    'Accept, Accept-Encoding',
    'cache-control',
    access === 'public' ? 'public, max-age=0, must-revalidate' : 'private, max-age=0, must-revalidate',
  ]
  const common = [...unchanged, 'last-modified', new Date(modifiedAt).toUTCString()]
  const bodies = { identity: row.identity, gzip: row.gzip, br: row.brotli, zstd: row.zstd }
  const made = Object.entries(bodies).filter(([, bytes]) => bytes.length > 0)
  const variants = made.map(([encoding, bytes]): [string, DocumentVariant] => {
    const headers = [
      'content-type',
      contentTypes[row.form],
      'content-length',
      String(bytes.length),
      ...(encoding === 'identity' ? [] : ['content-encoding', encoding]),
      ...common,
    ]
    return [encoding, { headers, body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) }]
  })
  return {
    package: row.package,
    revision: row.revision,
    validUntil,
    access,
    warning,
    etag: row.etag,
    variants: Object.fromEntries(variants) as Partial<Record<Encoding, DocumentVariant>>,
    unchanged,
    sizeBytes: made.reduce((sum, [, bytes]) => sum + bytes.length, 1024),
  }
}
