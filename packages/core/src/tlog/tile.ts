// SPDX-License-Identifier: Apache-2.0
/** The tree as static files, by C2SP tlog-tiles: 256 hashes a tile, 256 entries a bundle, and the proofs read from them. */
import { problem } from '../problem.ts'
import { concatBytes } from './bytes.ts'
import type { LogCrypto } from './log-crypto.ts'
import { emptyRoot, foldRun, hashLength, hashNode, isTreeSize, largestPowerWithin } from './merkle.ts'

const fullWidth = 256
const maxLevel = 63

/** A tile of hashes; hash i of tile n stands for the 256^level leaves from (n·256+i)·256^level on. */
export interface TileAddress {
  readonly kind: 'hash'
  readonly level: number
  readonly index: number
  /** How many hashes it has; 256 is a full tile. */
  readonly width: number
}

/** The entries below a tile of level 0. */
export interface BundleAddress {
  readonly kind: 'entries'
  readonly index: number
  readonly width: number
}

/** Gives exactly `width` hashes as one run of bytes; a reader whose partial tile is gone takes them from the full one. */
export type ReadTile = (address: TileAddress) => Promise<Uint8Array>

/** The path of a tile or bundle below the log's address: `tile/0/000.p/5`, `tile/entries/x001/234`. */
export function formatTilePath(address: TileAddress | BundleAddress): string {
  const level = address.kind === 'entries' ? 'entries' : address.level
  const partial = address.width === fullWidth ? '' : `.p/${address.width}`
  return `tile/${level}/${formatIndex(address.index)}${partial}`
}

// Groups of three digits, all but the last marked, so that no folder is also a file.
function formatIndex(index: number): string {
  const last = String(index % 1000).padStart(3, '0')
  const above = Math.floor(index / 1000)
  return above === 0 ? last : `${formatIndex(above).replace(/(\d{3})$/, 'x$1')}/${last}`
}

/** What a path stands for; undefined for any text but the one form of a path. */
export function parseTilePath(text: string): TileAddress | BundleAddress | undefined {
  const [, level = '', digits = '', partial] =
    /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(text) ?? []
  if (digits === '') return undefined
  const index = Number(digits.replace(/[x/]/g, ''))
  const width = partial === undefined ? fullWidth : Number(partial)
  const address: TileAddress | BundleAddress =
    level === 'entries'
      ? { kind: 'entries', index, width }
      : { kind: 'hash', level: Number(level), index, width }
  const isSane =
    isTreeSize(index) && width <= fullWidth && (address.kind === 'entries' || address.level <= maxLevel)
  // A leading zero or a full tile written as a partial one would be a second name for one thing.
  return isSane && formatTilePath(address) === text ? address : undefined
}

/** Every tile and bundle that a tree of `toSize` has and one of `fromSize` had not, partial ones of `toSize` included. */
export function listNewTiles(fromSize: number, toSize: number): readonly (TileAddress | BundleAddress)[] {
  const found: (TileAddress | BundleAddress)[] = []
  for (let level = 0; countHashes(level, toSize) > countHashes(level, fromSize); level += 1) {
    for (const { index, width } of newAtLevel(level, fromSize, toSize)) {
      if (level === 0) found.push({ kind: 'entries', index, width })
      found.push({ kind: 'hash', level, index, width })
    }
  }
  return found
}

function* newAtLevel(
  level: number,
  fromSize: number,
  toSize: number,
): Iterable<{ index: number; width: number }> {
  const count = countHashes(level, toSize)
  const first = Math.floor(countHashes(level, fromSize) / fullWidth)
  for (let index = first; index * fullWidth < count; index += 1) {
    yield { index, width: Math.min(fullWidth, count - index * fullWidth) }
  }
}

// Division by a power of two is exact.
function countHashes(level: number, size: number): number {
  return Math.floor(size / fullWidth ** level)
}

/** The tile of a tree of this size in which the hash of this number at this level stands. */
export function tileOf(level: number, hashIndex: number, size: number): TileAddress {
  const index = Math.floor(hashIndex / fullWidth)
  const width = Math.min(fullWidth, countHashes(level, size) - index * fullWidth)
  if (hashIndex % fullWidth >= width)
    throw new RangeError(`no hash ${hashIndex} at level ${level} of size ${size}`)
  return { kind: 'hash', level, index, width }
}

/** The hashes that prove that the leaf of this index stands in the tree of this size. */
export async function proveInclusion(
  crypto: LogCrypto,
  readTile: ReadTile,
  index: number,
  size: number,
): Promise<readonly Uint8Array[]> {
  const [path] = await proveInclusions(crypto, readTile, [index], size)
  return path ?? []
}

/** Tiles with the hashes of all subtrees that are complete in them, by their paths. It may forget. */
export type FoldedTiles = Pick<Map<string, Promise<Uint8Array>>, 'get' | 'set' | 'delete'>

/** At most so many tiles, 16 KB each; what came first is forgotten first. */
export function openFoldedTiles(most: number): FoldedTiles & Pick<Map<string, unknown>, 'clear'> {
  const tiles = new Map<string, Promise<Uint8Array>>()
  return {
    get: path => tiles.get(path),
    set(path, folded) {
      const [oldest] = tiles.keys()
      if (tiles.size >= most && oldest !== undefined) tiles.delete(oldest)
      return tiles.set(path, folded)
    },
    delete: path => tiles.delete(path),
    clear: () => tiles.clear(),
  }
}

/** So many proofs read their tiles at the same time. */
const provedAtOnce = 32

/** The same for many leaves of one tree: no tile is read twice, and none that `memory` has is hashed again. */
export async function proveInclusions(
  crypto: LogCrypto,
  readTile: ReadTile,
  indexes: readonly number[],
  size: number,
  memory: FoldedTiles = new Map(),
): Promise<readonly (readonly Uint8Array[])[]> {
  const missing = indexes.find(index => !isTreeSize(size) || !isTreeSize(index) || index >= size)
  if (missing !== undefined) throw new RangeError(`no leaf ${missing} in a tree of size ${size}`)
  const tree = openTree(crypto, readTile, size, memory)
  const paths: (readonly Uint8Array[])[] = []
  while (paths.length < indexes.length) {
    const some = indexes.slice(paths.length, paths.length + provedAtOnce)
    paths.push(...(await Promise.all(some.map(index => hashRanges(tree, inclusionRanges(index, [0, size]))))))
  }
  return paths
}

/** The hashes that prove that the tree of `toSize` begins with the tree of `fromSize`. */
export async function proveConsistency(
  crypto: LogCrypto,
  readTile: ReadTile,
  fromSize: number,
  toSize: number,
): Promise<readonly Uint8Array[]> {
  if (!isTreeSize(fromSize) || !isTreeSize(toSize) || fromSize > toSize)
    throw new RangeError(`no tree of size ${fromSize} within one of size ${toSize}`)
  if (fromSize === 0 || fromSize === toSize) return []
  const tree = openTree(crypto, readTile, toSize)
  return hashRanges(tree, consistencyRanges(fromSize, [0, toSize], true))
}

/** The root of the tree of this size, from the tiles at its right edge. */
export async function rootFromTiles(
  crypto: LogCrypto,
  readTile: ReadTile,
  size: number,
): Promise<Uint8Array> {
  if (size === 0) return emptyRoot
  return hashRange(openTree(crypto, readTile, size), [0, size])
}

/** Leaves from the first number up to, and without, the second. */
type Range = readonly [from: number, to: number]

function halve([from, to]: Range): readonly [left: Range, right: Range] {
  // The largest power of two below the length, so never the whole.
  const middle = from + largestPowerWithin(to - from - 1)
  return [
    [from, middle],
    [middle, to],
  ]
}

// RFC 6962, 2.1.1
function inclusionRanges(index: number, range: Range): readonly Range[] {
  if (range[1] - range[0] === 1) return []
  const [left, right] = halve(range)
  return index < left[1] ? [...inclusionRanges(index, left), right] : [...inclusionRanges(index, right), left]
}

// RFC 6962, 2.1.2; a range that is the whole earlier tree needs no hash, since the verifier has its root.
function consistencyRanges(end: number, range: Range, isWhole: boolean): readonly Range[] {
  if (end === range[1]) return isWhole ? [] : [range]
  const [left, right] = halve(range)
  return end <= left[1]
    ? [...consistencyRanges(end, left, isWhole), right]
    : [...consistencyRanges(end, right, false), left]
}

interface TiledTree {
  readonly crypto: LogCrypto
  readonly readTile: ReadTile
  readonly size: number
  readonly memory: FoldedTiles
}

function openTree(
  crypto: LogCrypto,
  readTile: ReadTile,
  size: number,
  memory: FoldedTiles = new Map(),
): TiledTree {
  return { crypto, readTile: readOnce(readTile), size, memory }
}

function hashRanges(tree: TiledTree, ranges: readonly Range[]): Promise<readonly Uint8Array[]> {
  return Promise.all(ranges.map(range => hashRange(tree, range)))
}

async function hashRange(tree: TiledTree, range: Range): Promise<Uint8Array> {
  const length = range[1] - range[0]
  if (length === largestPowerWithin(length)) return hashSubtree(tree, range[0], length)
  const [left, right] = await hashRanges(tree, halve(range))
  return hashNode(tree.crypto, left as Uint8Array, right as Uint8Array)
}

/** A complete subtree lies within one tile. */
async function hashSubtree(tree: TiledTree, from: number, length: number): Promise<Uint8Array> {
  let level = 0
  while (fullWidth ** (level + 1) <= length) level += 1
  const first = from / fullWidth ** level
  const address = tileOf(level, first, tree.size)
  const count = length / fullWidth ** level
  const begin = (countBelow(address.width, count) + (first % fullWidth) / count) * hashLength
  return (await readFolded(tree, address)).subarray(begin, begin + hashLength)
}

/** How many hashes stand in a folded tile before those of subtrees of `count`, a power of two. */
function countBelow(width: number, count: number): number {
  let below = 0
  for (let each = 1; each < count; each *= 2) below += Math.floor(width / each)
  return below
}

function readFolded(tree: TiledTree, address: TileAddress): Promise<Uint8Array> {
  const path = formatTilePath(address)
  const known = tree.memory.get(path)
  if (known !== undefined) return known
  const folded = tree.readTile(address).then(tile => {
    checkTileLength(address, tile)
    return foldRun(tree.crypto, tile)
  })
  tree.memory.set(path, folded)
  folded.catch(() => tree.memory.delete(path))
  return folded
}

/** The hashes of a tile, in their order. */
export function splitHashes(tile: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: tile.length / hashLength }, (_, at) =>
    tile.subarray(at * hashLength, (at + 1) * hashLength),
  )
}

function checkTileLength(address: TileAddress, tile: Uint8Array): void {
  if (tile.length !== address.width * hashLength)
    throw problem('tile-refused', { tile: formatTilePath(address), why: `it has ${tile.length} bytes` })
}

function readOnce(readTile: ReadTile): ReadTile {
  const known = new Map<string, Promise<Uint8Array>>()
  return address => {
    const path = formatTilePath(address)
    const tile = known.get(path) ?? readTile(address)
    known.set(path, tile)
    return tile
  }
}

/** Entries as one bundle: before each its length in two bytes, the higher one first. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...entries.flatMap(entry => [encodeLength(entry.length), entry]))
}

function encodeLength(length: number): Uint8Array {
  if (length > 0xffff) throw new RangeError(`an entry of ${length} bytes fits no bundle`)
  return Uint8Array.of(Math.floor(length / 256), length % 256)
}

/** The entries of a bundle, or throws `tile-refused` when its bytes are not exactly 1 to 256 entries. */
export function decodeBundle(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 <= bytes.length ? at + 2 + view.getUint16(at) : Number.POSITIVE_INFINITY
    if (end > bytes.length || entries.length === fullWidth) throw refuseBundle()
    entries.push(bytes.subarray(at + 2, end))
    at = end
  }
  if (entries.length === 0) throw refuseBundle()
  return entries
}

function refuseBundle() {
  return problem('tile-refused', { tile: 'tile/entries', why: 'its bytes are no run of 1 to 256 entries' })
}
