// SPDX-License-Identifier: Apache-2.0
/** A log of leaves with a key of its own, as static files and behind a registry's addresses; tests may make it lie. */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import {
  type BundleAddress,
  type Checkpoint,
  emptyFrontier,
  encodeBase64,
  encodeBundle,
  encodeCanonical,
  encodeLeaf,
  extendFrontier,
  type Frontier,
  formatCheckpoint,
  formatIntegrity,
  formatLogProof,
  formatNote,
  formatTilePath,
  formatVerifierKey,
  hashLeaf,
  keyType,
  listNewTiles,
  makeVerifierKey,
  parseDigest,
  proveInclusion,
  rootOf,
  type TileAddress,
} from '@holdfast/core'
import { nodeCrypto } from '../src/log/node-crypto.ts'

export const origin = 'registry.example/log'

/** What a leaf says beside what every leaf says. */
type Said = Readonly<Record<string, unknown>> & { readonly type: string; readonly pkg?: string }

export interface SampleLog {
  readonly vkey: string
  readonly entries: readonly Uint8Array[]
  /** One more leaf, in its package's chain. */
  add(said: Said): void
  /** One more entry, whatever it is. */
  addRaw(entry: Uint8Array): void
  /** The same key over the same leaves, which may go another way from here. */
  fork(): SampleLog
  note(size?: number): Promise<string>
  files(): Promise<ReadonlyMap<string, Uint8Array>>
  prove(index: number): Promise<readonly Uint8Array[]>
  /** The proof of an entry as a file. */
  proof(index: number): Promise<string>
}

/** The digest that the sample log has of a version. */
export function integrityOf(pkg: string, ver: string): string {
  return formatIntegrity(parseDigest(createHash('sha512').update(`${pkg}@${ver}`).digest('hex')))
}

/** What a publication says. */
export function published(pkg: string, ver: string, more: Readonly<Record<string, unknown>> = {}): Said {
  const manifest = `sha256-${createHash('sha256').update(ver).digest('base64')}`
  return { type: 'publish', pkg, ver, dist: { integrity: integrityOf(pkg, ver), size: 1, manifest }, ...more }
}

/** What the arrival of an upstream's version says. */
export function ingested(pkg: string, ver: string): Said {
  const dist = { integrity: integrityOf(pkg, ver), size: 1 }
  return { type: 'ingest', pkg, ver, dist, upstream: 'npm', signature: 'verified' }
}

/** Makes a log without entries. */
export async function makeSampleLog(name = origin): Promise<SampleLog> {
  const { vkey, signTree } = await makeKey(name, `key of ${name}`)
  return withEntries(name, vkey, signTree, [], new Map())
}

/** The same log, signed by another key from here on. */
export async function rotateKey(log: SampleLog, name = origin): Promise<SampleLog> {
  const { vkey, signTree } = await makeKey(name, `next key of ${name}`)
  return withEntries(name, vkey, signTree, [...log.entries], new Map())
}

async function makeKey(name: string, from: string) {
  const seed = createHash('sha256').update(from).digest()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(-32)
  const key = await makeVerifierKey(nodeCrypto, name, keyType.ed25519, publicKey)
  const signTree = (tree: Checkpoint) => {
    const words = formatCheckpoint(tree)
    const signature = { name, id: key.id, bytes: sign(null, Buffer.from(words), privateKey) }
    return formatNote({ text: words, signatures: [signature] })
  }
  return { vkey: formatVerifierKey(key), signTree }
}

type Ends = Map<string, { readonly seq: number; readonly prev: string }>

function withEntries(
  name: string,
  vkey: string,
  signTree: (tree: Checkpoint) => string,
  entries: Uint8Array[],
  ends: Ends,
): SampleLog {
  const files = () => buildFiles(entries, signTree, name)
  const note = async (size = entries.length) => {
    const leaves = await Promise.all(entries.slice(0, size).map(entry => hashLeaf(nodeCrypto, entry)))
    return signTree({
      origin: name,
      size,
      root: await rootOf(nodeCrypto, await extendFrontier(nodeCrypto, emptyFrontier, leaves)),
    })
  }
  const prove = async (index: number) => {
    const built = await files()
    const read = async (tile: TileAddress) => built.get(formatTilePath(tile)) ?? new Uint8Array()
    return proveInclusion(nodeCrypto, read, index, entries.length)
  }
  return {
    vkey,
    entries,
    note,
    files,
    prove,
    add: said => entries.push(makeEntry(name, said, entries.length, ends)),
    addRaw: entry => entries.push(entry),
    fork: () => withEntries(name, vkey, signTree, [...entries], new Map(ends)),
    proof: async index =>
      formatLogProof({
        entry: entries[index] ?? Buffer.of(),
        index,
        path: await prove(index),
        checkpoint: await note(),
      }),
  }
}

function makeEntry(name: string, said: Said, count: number, ends: Ends): Uint8Array {
  const id = `0198f0a0-0000-7000-8000-${String(count).padStart(12, '0')}`
  const common = {
    v: 1,
    log: name,
    id,
    at: 1_767_225_600_000 + count,
    actor: { kind: 'user', id: 'a_4f1d9c0e7b2a4a55' },
  }
  const end = ends.get(said.pkg ?? '') ?? { seq: 0, prev: '' }
  const link = said.pkg === undefined ? {} : { seq: end.seq + 1, prev: end.prev }
  const entry = Buffer.from(encodeLeaf({ ...common, ...link, ...said }))
  if (said.pkg !== undefined) {
    const hash = createHash('sha256').update(Buffer.of(0)).update(entry).digest()
    ends.set(said.pkg, { seq: end.seq + 1, prev: encodeBase64(hash) })
  }
  return entry
}

async function buildFiles(
  entries: readonly Uint8Array[],
  signTree: (tree: Checkpoint) => string,
  name: string,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const levels = [await Promise.all(entries.map(entry => hashLeaf(nodeCrypto, entry)))]
  for (let below = levels[0] ?? []; below.length >= 256; ) {
    below = await Promise.all(
      Array.from({ length: Math.floor(below.length / 256) }, async (_, at) =>
        rootOf(nodeCrypto, await grow(below.slice(at * 256, at * 256 + 256))),
      ),
    )
    levels.push(below)
  }
  const contentOf = (tile: TileAddress | BundleAddress) => {
    const [from, to] = [tile.index * 256, tile.index * 256 + tile.width]
    if (tile.kind === 'entries') return encodeBundle(entries.slice(from, to))
    return Buffer.concat((levels[tile.level] ?? []).slice(from, to))
  }
  const root = await rootOf(nodeCrypto, await grow(levels[0] ?? []))
  const checkpoint = signTree({ origin: name, size: entries.length, root })
  const tiles = listNewTiles(0, entries.length).map(tile => [formatTilePath(tile), contentOf(tile)] as const)
  return new Map([['checkpoint', Buffer.from(checkpoint)], ...tiles])
}

function grow(hashes: readonly Uint8Array[]): Promise<Frontier> {
  return extendFrontier(nodeCrypto, emptyFrontier, hashes)
}

/** Writes the files of a log into a folder. */
export async function writeLog(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [path, bytes] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), bytes)
  }
}

/** A registry that has nothing but its log. */
export interface LogServer {
  readonly url: string
  /** The log it shows from now on. */
  show(log: SampleLog): Promise<void>
  /** What it says at a path from now on, whatever the log has. */
  lie(path: string, change: (body: string) => string): void
  readonly trustDigest: string
  close(): void
}

/** Serves a log; its policy asks for no witness unless one is given. */
export async function serveLog(log: SampleLog, policy = 'quorum none\n'): Promise<LogServer> {
  const document = encodeCanonical({
    origin,
    vkeys: [log.vkey],
    policy: `log ${log.vkey}\n${policy}`,
    npmKeys: [],
  })
  let shown = await toShown(log)
  const lies = new Map<string, (body: string) => string>()
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(request.url ?? '').replace('/log/', '')
    const body = await text(request)
    const tarball = /^\/npm\/(.+)\/-\/[^/]+?-(\d.*)\.tgz$/.exec(path)
    const answer =
      path === 'trust'
        ? Buffer.from(document)
        : tarball !== null
          ? Buffer.from(`${tarball[1]}@${tarball[2]}`)
          : await answerPath(shown, path, body)
    send(response, answer, lies.get(path))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trustDigest: createHash('sha256').update(document).digest('hex'),
    show: async next => {
      shown = await toShown(next)
    },
    lie: (path, change) => lies.set(path, change),
    close: () => server.close(),
  }
}

function send(
  response: ServerResponse,
  answer: Uint8Array | undefined,
  lie?: (body: string) => string,
): void {
  response.writeHead(answer === undefined ? 404 : 200)
  response.end(lie === undefined ? answer : lie(Buffer.from(answer ?? []).toString('latin1')), 'latin1')
}

interface Shown {
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly note: string
  /** Leaves by package, each with its index. */
  readonly byPackage: ReadonlyMap<string, readonly { readonly index: number; readonly entry: Uint8Array }[]>
  readonly log: SampleLog
}

async function toShown(log: SampleLog): Promise<Shown> {
  const all = log.entries.map((entry, index) => ({ index, entry }))
  const byPackage = Map.groupBy(
    all,
    ({ entry }) => /"pkg":"([^"]+)"/.exec(Buffer.from(entry).toString())?.[1] ?? '',
  )
  return { files: await log.files(), note: await log.note(), byPackage, log }
}

async function answerPath(shown: Shown, path: string, body: string): Promise<Uint8Array | undefined> {
  if (path === 'proofs') return answerProofs(shown, JSON.parse(body).versions)
  if (path === 'packages') return answerPackages(shown, JSON.parse(body).packages)
  if (!path.startsWith('package/')) return shown.files.get(path)
  const leaves = tellLeaves(shown, path.slice('package/'.length))
  return leaves && Buffer.from(JSON.stringify({ checkpoint: shown.note, leaves }))
}

function tellLeaves({ byPackage }: Shown, pkg: string): readonly object[] | undefined {
  return byPackage.get(pkg)?.map(({ index, entry }) => ({ index, entry: encodeBase64(entry) }))
}

/** The last one is left out, as of an answer that gets large. */
function answerPackages(shown: Shown, names: readonly string[]): Uint8Array {
  const packages = names.flatMap(pkg => {
    const leaves = tellLeaves(shown, pkg)
    return leaves === undefined ? [] : [{ pkg, leaves }]
  })
  const told = packages.length > 1 ? packages.slice(0, -1) : packages
  return Buffer.from(JSON.stringify({ checkpoint: shown.note, packages: told }))
}

async function answerProofs(
  { files, note, byPackage, log }: Shown,
  versions: readonly { readonly pkg: string; readonly ver: string }[],
): Promise<Uint8Array> {
  const read = async (tile: TileAddress) => files.get(formatTilePath(tile)) ?? new Uint8Array()
  const proofs = await Promise.all(
    versions.map(async ({ pkg, ver }) => {
      const wanted = new RegExp(`"type":"(publish|ingest)".*"ver":"${ver}"`)
      const found = byPackage.get(pkg)?.find(({ entry }) => wanted.test(Buffer.from(entry).toString()))
      if (found === undefined) return { pkg, ver, missing: true }
      const path = await proveInclusion(nodeCrypto, read, found.index, log.entries.length)
      return { pkg, ver, index: found.index, entry: encodeBase64(found.entry), path: path.map(encodeBase64) }
    }),
  )
  return Buffer.from(JSON.stringify({ checkpoint: note, proofs }))
}
