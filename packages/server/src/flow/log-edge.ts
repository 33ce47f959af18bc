// SPDX-License-Identifier: Apache-2.0
/** The right edge of the log's tree: what stands in tiles and bundles that are not full yet, and how it grows into files. */
import {
  type BundleAddress,
  decodeBundle,
  encodeBundle,
  type Frontier,
  formatTilePath,
  hashLeaf,
  hashNode,
  problem,
  splitHashes,
  type TileAddress,
} from '@holdfast/core'
import { nodeCrypto } from '../integrity/index.ts'
import type { LogFiles } from '../ports.ts'

const fullWidth = 256

/** Everything that the next files of a log begin with. */
export interface LogEdge {
  readonly size: number
  /** Entries of the bundle that is not full. */
  readonly entries: readonly Uint8Array[]
  /** Hashes of the tile that is not full, by level. */
  readonly levels: readonly (readonly Uint8Array[])[]
}

/** The edge of a log without entries. */
export const emptyEdge: LogEdge = { size: 0, entries: [], levels: [] }

/** The edge with these entries after it, and every file that the larger tree has and the smaller one had not. */
export async function growEdge(
  edge: LogEdge,
  entries: readonly Uint8Array[],
): Promise<{ edge: LogEdge; files: ReadonlyMap<string, Uint8Array> }> {
  const files = new Map<string, Uint8Array>()
  const levels = edge.levels.map(hashes => [...hashes])
  let bundle = [...edge.entries]
  let { size } = edge
  for (const entry of entries) {
    bundle.push(entry)
    size += 1
    await push(levels, 0, await hashLeaf(nodeCrypto, entry), size, files)
    if (bundle.length < fullWidth) continue
    files.set(formatTilePath({ kind: 'entries', ...fullAt(size) }), encodeBundle(bundle))
    bundle = []
  }
  const grown = { size, entries: bundle, levels }
  for (const [path, bytes] of partialFiles(edge, grown)) files.set(path, bytes)
  return { edge: grown, files }
}

/** One hash more at a level; a tile that is full with it becomes a file, and one hash of the level above. */
async function push(
  levels: Uint8Array[][],
  level: number,
  hash: Uint8Array,
  size: number,
  files: Map<string, Uint8Array>,
): Promise<void> {
  const hashes = levels[level] ?? []
  levels[level] = hashes
  hashes.push(hash)
  if (hashes.length < fullWidth) return
  const address = { kind: 'hash', level, ...fullAt(countHashes(level, size)) } as const
  files.set(formatTilePath(address), Buffer.concat(hashes))
  levels[level] = []
  await push(levels, level + 1, await fold(hashes), size, files)
}

function* partialFiles(before: LogEdge, edge: LogEdge): Iterable<readonly [string, Uint8Array]> {
  if (edge.size === before.size) return
  if (edge.entries.length > 0) yield [formatTilePath(begunBundle(edge.size)), encodeBundle(edge.entries)]
  for (const [level, hashes] of edge.levels.entries()) {
    const isNew = countHashes(level, edge.size) > countHashes(level, before.size)
    if (isNew && hashes.length > 0) yield [formatTilePath(begunTile(level, edge.size)), Buffer.concat(hashes)]
  }
}

/** The complete subtrees of the tree that ends in this edge, the largest first. */
export async function frontierOf({ size, levels }: LogEdge): Promise<Frontier> {
  const hashes: Uint8Array[] = []
  for (const row of levels.toReversed()) {
    let at = 0
    for (let width = fullWidth / 2; width >= 1; width /= 2) {
      if (row.length - at < width) continue
      hashes.push(await fold(row.slice(at, at + width)))
      at += width
    }
  }
  return { size, hashes }
}

/** The edge of a tree of this size as its files have it. Throws `log-damaged` where one is missing or is not what another says. */
export async function readEdge(files: LogFiles, size: number): Promise<LogEdge> {
  const levels: (readonly Uint8Array[])[] = []
  for (let level = 0; countHashes(level, size) > 0; level += 1) {
    const address = begunTile(level, size)
    levels.push(address.width === 0 ? [] : splitHashes(await readPart(files, address, address.width * 32)))
  }
  const entries = await readLastBundle(files, size)
  for (const [at, entry] of entries.entries()) {
    const hash = await hashLeaf(nodeCrypto, entry)
    if (Buffer.compare(hash, levels[0]?.[at] ?? new Uint8Array()) !== 0)
      throw problem('log-damaged', {
        why: `entry ${size - entries.length + at} is not the one its tile names`,
      })
  }
  return { size, entries, levels }
}

async function readLastBundle(files: LogFiles, size: number): Promise<readonly Uint8Array[]> {
  const address = begunBundle(size)
  if (address.width === 0) return []
  const entries = decodeBundle(await readPart(files, address, 0)).slice(0, address.width)
  if (entries.length === address.width) return entries
  throw problem('log-damaged', { why: `${formatTilePath(address)} is too short` })
}

/** A partial file, or as much of the full one where that has taken its place. */
export async function readPart(
  files: Pick<LogFiles, 'read'>,
  address: TileAddress | BundleAddress,
  sizeBytes: number,
): Promise<Uint8Array> {
  const path = formatTilePath(address)
  const bytes =
    (await files.read(path)) ?? (await files.read(formatTilePath({ ...address, width: fullWidth })))
  if (bytes === undefined) throw problem('log-damaged', { why: `${path} is missing` })
  if (bytes.length < sizeBytes) throw problem('log-damaged', { why: `${path} is too short` })
  return sizeBytes === 0 ? bytes : bytes.subarray(0, sizeBytes)
}

/** The tile of a level that is begun; without a width where none is. */
function begunTile(level: number, size: number): TileAddress {
  return { kind: 'hash', level, ...begunAt(countHashes(level, size)) }
}

function begunBundle(size: number): BundleAddress {
  return { kind: 'entries', ...begunAt(size) }
}

function begunAt(count: number): { readonly index: number; readonly width: number } {
  return { index: Math.floor(count / fullWidth), width: count % fullWidth }
}

/** The one that the last of these hashes filled. */
function fullAt(count: number): { readonly index: number; readonly width: number } {
  return { index: count / fullWidth - 1, width: fullWidth }
}

// Division by a power of two is exact.
function countHashes(level: number, size: number): number {
  return Math.floor(size / fullWidth ** level)
}

/** The root over a power of two of hashes. */
async function fold(hashes: readonly Uint8Array[]): Promise<Uint8Array> {
  let row = hashes
  while (row.length > 1) {
    const above: Uint8Array[] = []
    for (let at = 0; at < row.length; at += 2)
      above.push(await hashNode(nodeCrypto, row[at] as Uint8Array, row[at + 1] as Uint8Array))
    row = above
  }
  return row[0] as Uint8Array
}
