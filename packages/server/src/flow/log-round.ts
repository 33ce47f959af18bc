// SPDX-License-Identifier: Apache-2.0
/**
 * One round of the transparency log: what waits takes its place in the tree, the tree becomes files, is signed and cosigned,
 * and then published. The database gives places; files follow from it, and the signature comes last. Whatever is cut short
 * is done again from the database, and comes out the same.
 */
import {
  type Checkpoint,
  extendFrontier,
  formatCheckpoint,
  formatTilePath,
  isProblem,
  listNewTiles,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  problem,
  proveConsistency,
  type ReadTile,
  rootOf,
  type VerifierKey,
  verifyNote,
} from '@holdfast/core'
import { amend } from '../catalog/index.ts'
import { type Actor, authorize } from '../identity/index.ts'
import { nodeCrypto } from '../integrity/index.ts'
import type { LogFiles, LogHead, LogSigner, Ports, PublishedLog, Witnesses } from '../ports.ts'
import { emptyEdge, frontierOf, growEdge, type LogEdge, readEdge, readPart } from './log-edge.ts'

/** What a round works on. */
export interface LogWorks extends Pick<Ports, 'store' | 'config' | 'clock'> {
  readonly files: LogFiles
  readonly signer: LogSigner
  readonly witnesses: Witnesses
}

/** A tree as it was signed or published. */
type Tree = Pick<PublishedLog, 'size' | 'root'>

/** What a round came to. */
export interface Round {
  /** The edge of the tree that the files have, for the next round. */
  readonly edge: LogEdge
  /** Everything with a place is under the published checkpoint. */
  readonly isPublished: boolean
  /** That checkpoint is a new one. */
  readonly isNew: boolean
}

/** How many entries one round takes. */
export const entriesAtOnce = 1024
const sequencer: Actor = { kind: 'system', id: 'log' }

/** One round; `isDue` publishes the tree again though nothing was added, for fresh words of the witnesses. */
export async function runRound(works: LogWorks, kept: LogEdge | undefined, isDue: boolean): Promise<Round> {
  const { log } = works.store
  // Read first, so that what another process publishes meanwhile is never larger than the head.
  const before = await log.published()
  const head = (await log.sequence(entriesAtOnce, extend)) ?? (await log.head())
  // A crash here leaves a head that is larger than what is published: the next round goes on from it.
  if (head.size === (before?.size ?? 0) && !(isDue && before !== undefined))
    return { edge: kept ?? emptyEdge, isPublished: true, isNew: false }
  const edge = await edgeOf(works, kept, before, head)
  const grown = await growTo(works, edge, head)
  const [note] = await unlessMoved(
    works,
    head,
    Promise.all([signTree(works, head), works.files.write(grown.files)]),
  )
  // A crash here leaves files, a mark, or both of the head: the next round finds the same files and signs the same.
  const proveFrom = (size: number) => proveConsistency(nodeCrypto, tilesOf(works.files), size, head.size)
  const { lines, isQuorumMet } = await unlessMoved(
    works,
    head,
    works.witnesses.cosign(note, head.size, proveFrom),
  )
  // A crash here leaves witnesses that have seen the head: they are asked about the same tree again.
  if (!isQuorumMet) return { edge: grown.edge, isPublished: false, isNew: false }
  const next = { size: head.size, root: head.root, note: note + lines.join(''), at: works.clock() }
  if (next.note !== before?.note) await publish(works, before, next)
  // A crash here leaves the file behind the row: opening the log writes it again.
  return { edge: grown.edge, isPublished: true, isNew: true }
}

/** The file says what the row says; whoever wrote it looks again, since another process may have published or written meanwhile. */
export async function showCheckpoint({ store, files }: LogWorks): Promise<void> {
  let shown: string | undefined
  for (;;) {
    const published = await store.log.published()
    if (published === undefined || published.note === shown) return
    await files.settle(listNewTiles(await readShownSize(files), published.size).map(formatTilePath))
    await files.replaceCheckpoint(published.note)
    shown = published.note
  }
}

/** Of the tree that the file shows now; 0 for none that can be read. */
async function readShownSize(files: LogFiles): Promise<number> {
  const bytes = await files.read('checkpoint')
  try {
    return parseCheckpoint(parseNote(Buffer.from(bytes ?? []).toString('utf8')).text).size
  } catch {
    return 0
  }
}

/** Whoever was slow finds a signer and witnesses that have seen more: no evidence, where another process of ours went on. */
async function unlessMoved<T>({ store }: LogWorks, { size }: LogHead, work: Promise<T>): Promise<T> {
  return work.catch(async error => {
    throw isProblem(error) && (await store.log.head()).size > size ? problem('log-moved') : error
  })
}

/** The tree after these leaf hashes. */
export async function extend(
  head: LogHead,
  leafHashes: readonly Uint8Array[],
): Promise<Omit<LogHead, 'position'>> {
  const frontier = await extendFrontier(nodeCrypto, head, leafHashes)
  return { ...frontier, root: await rootOf(nodeCrypto, frontier) }
}

/**
 * The edge that is kept in memory, where the published tree is in it: while witnesses are silent nothing is read or hashed
 * twice. Else that of the published tree, as the files have it, checked.
 */
async function edgeOf(
  { files }: LogWorks,
  kept: LogEdge | undefined,
  published: PublishedLog | undefined,
  head: LogHead,
): Promise<LogEdge> {
  if (kept !== undefined && kept.size >= (published?.size ?? 0) && kept.size <= head.size) return kept
  return published === undefined ? emptyEdge : readCheckedEdge(files, published)
}

/** The edge of a published tree from its files. Throws `log-damaged` where they do not give its root. */
export async function readCheckedEdge(files: LogFiles, { size, root }: Tree): Promise<LogEdge> {
  const edge = await readEdge(files, size)
  await checkRoot(edge, root, 'the files of the log do not give the root that was published')
  return edge
}

async function growTo({ store }: LogWorks, edge: LogEdge, head: LogHead) {
  const entries = await store.log.readEntries(edge.size, head.size)
  const grown = await growEdge(
    edge,
    entries.map(({ entry }) => entry),
  )
  // What is signed is what the files say: entries that are not those of the tree are never published.
  await checkRoot(
    grown.edge,
    head.root,
    'the entries in the database are not those that its tree was made of',
  )
  return grown
}

async function checkRoot(edge: LogEdge, root: Uint8Array, why: string): Promise<void> {
  const found = await rootOf(nodeCrypto, await frontierOf(edge))
  if (Buffer.compare(found, root) !== 0) throw problem('log-damaged', { why })
}

async function signTree({ store, signer }: LogWorks, { size, root }: LogHead): Promise<string> {
  const text = formatCheckpoint({ origin: store.instance.logOrigin, size, root })
  return `${text}\n${await signer.sign({ size, root }, text)}`
}

/** Reads a log's tiles from its files. */
export function tilesOf(files: Pick<LogFiles, 'read'>): ReadTile {
  return address => readPart(files, address, address.width * 32)
}

/** The checkpoint, and with it, in one transaction, every version that it covers becomes visible. */
async function publish(works: LogWorks, before: PublishedLog | undefined, next: PublishedLog): Promise<void> {
  const grant = await authorize(works, sequencer, 'log:publish', '')
  await works.store.commit(grant, [], async tx => {
    const covered = await tx.log.publish(before, next)
    const packages = Map.groupBy(covered, each => each.package)
    for (const [name, versions] of packages) {
      // Of what was recovered from the files only the entries are here.
      if ((await tx.catalog.findPackage(name)) === undefined) {
        packages.delete(name)
        continue
      }
      await amend(tx.catalog, name, works.clock(), () =>
        tx.log.show(
          name,
          versions.map(each => each.version),
        ),
      )
    }
    const { size, note } = next
    tx.record({ type: 'checkpoint', detail: { size, note, packages: [...packages.keys()] } })
  })
}

/** What opening a log finds. Throws `log-behind`, `log-forked` or `log-damaged`: nothing may be signed then. */
export async function checkLog(works: LogWorks): Promise<void> {
  const { store, signer } = works
  const [published, kept, mark] = [
    await store.log.published(),
    await readKeptCheckpoint(works),
    await signer.mark(),
  ]
  const recovering = await store.log.findRecovery()
  if (recovering !== undefined)
    throw problem('log-behind', { signed: kept?.size ?? mark?.size ?? 0, found: recovering })
  await placeMarked(works, mark)
  // Read last: whatever another process signs meanwhile is in it.
  const head = await store.log.head()
  if (mark !== undefined && mark.size > head.size)
    throw problem('log-behind', { signed: mark.size, found: head.size })
  checkSameTree(mark, head, 'the tree that was signed is not the one in the database')
  checkNotAhead(kept, head)
  if (published === undefined) return
  if (published.size > head.size) throw problem('log-behind', { signed: published.size, found: head.size })
  checkSameTree(published, head, 'the published tree is not the one in the database')
  await checkNote(works, published)
  await checkFiles(works, kept, published)
  await showCheckpoint(works)
}

/** A power cut may take back places whose tree was signed: where the events are still there, they give the same tree again. */
async function placeMarked({ store }: LogWorks, mark: Tree | undefined): Promise<void> {
  const head = await store.log.head()
  if (mark === undefined || mark.size <= head.size) return
  await store.log.sequence(mark.size - head.size, async (from, leafHashes) => {
    const next = await extend(from, leafHashes)
    if (next.size === mark.size && Buffer.compare(next.root, mark.root) === 0) return next
    throw problem('log-behind', { signed: mark.size, found: from.size })
  })
}

/** The files of the tree that the checkpoint in the folder shows are durable; of what is published since any may be gone. */
async function checkFiles(
  works: LogWorks,
  kept: Checkpoint | undefined,
  published: PublishedLog,
): Promise<void> {
  const { files } = works
  const shown = kept !== undefined && kept.size < published.size ? kept : published
  try {
    const edge = await readCheckedEdge(files, shown)
    if (shown !== published) await writeAgain(works, edge, published)
  } catch (error) {
    if (!isProblem(error) || error.code !== 'log-damaged') throw error
    await rebuild(works, published, error)
  }
}

/** What was published a moment before the end: partial files of each size that was, too, where they are there. */
async function writeAgain({ store, files }: LogWorks, from: LogEdge, { size }: PublishedLog): Promise<void> {
  let edge = from
  for (const { entry } of await store.log.readEntries(from.size, size)) {
    const grown = await growEdge(edge, [entry])
    edge = grown.edge
    for (const [path, bytes] of grown.files)
      if (edge.size === size || !path.includes('.p/') || (await files.read(path)) !== undefined)
        await files.write(new Map([[path, bytes]]))
  }
}

/** Files that are missing are made again from the entries; one that is there with other bytes is evidence, and stays. */
async function rebuild(
  { store, files }: LogWorks,
  { size, root }: PublishedLog,
  why: unknown,
): Promise<void> {
  let edge = emptyEdge
  while (edge.size < size) {
    const to = Math.min(size, edge.size + entriesAtOnce)
    const entries = await store.log.readEntries(edge.size, to)
    if (entries.length < to - edge.size) throw why
    const grown = await growEdge(
      edge,
      entries.map(({ entry }) => entry),
    )
    if (grown.edge.size === size)
      await checkRoot(grown.edge, root, 'the entries in the database do not give the root that was published')
    await files.write(grown.files)
    edge = grown.edge
  }
}

/** A checkpoint of ours that lies in the folder of the log was published, whatever the database and the mark say by now. */
function checkNotAhead(kept: Checkpoint | undefined, head: LogHead): void {
  if (kept === undefined) return
  if (kept.size > head.size) throw problem('log-behind', { signed: kept.size, found: head.size })
  checkSameTree(kept, head, 'the checkpoint in the folder of the log is not of the tree in the database')
}

/** The checkpoint in the folder of the log; undefined where there is none. Throws `note-refused` when we did not sign it. */
export async function readKeptCheckpoint({ files, signer }: LogWorks): Promise<Checkpoint | undefined> {
  const bytes = await files.read('checkpoint')
  if (bytes === undefined) return undefined
  const note = parseNote(Buffer.from(bytes).toString('utf8'))
  await verifyNote(nodeCrypto, note, await readKeys(signer))
  return parseCheckpoint(note.text)
}

/** What was published may be of a former key. */
function readKeys({ keys }: LogSigner): Promise<readonly VerifierKey[]> {
  return Promise.all(keys.map(({ vkey }) => parseVerifierKey(nodeCrypto, vkey)))
}

async function checkNote({ store, signer }: LogWorks, { size, root, note }: PublishedLog): Promise<void> {
  const parsed = parseNote(note)
  await verifyNote(nodeCrypto, parsed, await readKeys(signer))
  if (parsed.text !== formatCheckpoint({ origin: store.instance.logOrigin, size, root }))
    throw problem('log-damaged', { why: 'the published checkpoint is not of this log or tree' })
}

function checkSameTree(one: Tree | undefined, other: LogHead, why: string): void {
  if (one?.size === other.size && Buffer.compare(one.root, other.root) !== 0)
    throw problem('log-forked', { why })
}
