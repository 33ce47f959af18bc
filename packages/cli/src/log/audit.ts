// SPDX-License-Identifier: Apache-2.0
/** Reads a whole log and believes nothing: root, tiles, chains and entries are computed anew from the entries. */
import {
  type BundleAddress,
  emptyFrontier,
  extendFrontier,
  type Frontier,
  formatTilePath,
  hashLeaf,
  type Leaf,
  rootOf,
  type TileAddress,
} from '@holdfast/core'
import type { VerifiedCheckpoint } from './checkpoint.ts'
import { startRules } from './entry-rule.ts'
import { nodeCrypto } from './node-crypto.ts'
import { type LogSource, readBundle, tileReader } from './source.ts'

const bundlesAhead = 8
const maxFaults = 200

export interface Audit {
  /** The first of them in words; there may be more. */
  readonly faults: readonly string[]
  readonly faultCount: number
  readonly packages: number
}

/** Audits every entry below a checkpoint; `onLeaf` sees each leaf in its order, `onProgress` how many were read. */
export async function auditLog(
  source: LogSource,
  { origin, size, root }: VerifiedCheckpoint,
  onLeaf: (leaf: Leaf) => void,
  onProgress: (done: number) => void,
): Promise<Audit> {
  const faults = startFaults()
  const tiles = startTiles(source, faults)
  const rules = startRules(origin)
  const packages = new Set<string>()
  let tree: Frontier = emptyFrontier
  for await (const entries of readEntries(source, size)) {
    const hashes = await Promise.all(entries.map(entry => hashLeaf(nodeCrypto, entry)))
    for (const [at, entry] of entries.entries()) {
      const { leaf, faults: found } = await rules.check(entry)
      for (const why of found) faults.add(`entry ${tree.size + at}: ${why}`)
      if (leaf?.link !== undefined) packages.add(leaf.link.pkg)
      if (leaf !== undefined) onLeaf(leaf)
    }
    tree = await extendFrontier(nodeCrypto, tree, hashes)
    for (const hash of hashes) await tiles.add(0, hash)
    onProgress(tree.size)
  }
  await tiles.end()
  if (Buffer.compare(await rootOf(nodeCrypto, tree), root) !== 0)
    faults.add('the entries do not have the root that was signed')
  return { ...faults.told(), packages: packages.size }
}

function startFaults() {
  const kept: string[] = []
  let count = 0
  return {
    add(fault: string): void {
      if (kept.length < maxFaults) kept.push(fault)
      count += 1
    },
    told: () => ({ faults: kept, faultCount: count }),
  }
}

/** Compares the tiles of a log with those that follow from its entries. */
function startTiles(source: LogSource, faults: { add(fault: string): void }) {
  // Each is read once, so that none is kept: a log may be larger than the memory.
  const read = (tile: TileAddress) => tileReader(source)(tile)
  const open: Uint8Array[][] = []
  const counts: number[] = []
  const compare = async (level: number, hashes: readonly Uint8Array[]) => {
    const tile: TileAddress = { kind: 'hash', level, index: counts[level] ?? 0, width: hashes.length }
    if (Buffer.compare(await read(tile), Buffer.concat(hashes)) !== 0)
      faults.add(`${formatTilePath(tile)} does not follow from the entries`)
  }
  const add = async (level: number, hash: Uint8Array): Promise<void> => {
    const hashes = open[level] ?? []
    open[level] = hashes
    hashes.push(hash)
    if (hashes.length < 256) return
    await compare(level, hashes)
    open[level] = []
    counts[level] = (counts[level] ?? 0) + 1
    await add(level + 1, await rootOf(nodeCrypto, await extendFrontier(nodeCrypto, emptyFrontier, hashes)))
  }
  const end = async () => {
    for (const [level, hashes] of open.entries()) if (hashes.length > 0) await compare(level, hashes)
  }
  return { add, end }
}

/** All entries, a bundle at a time; the next ones are fetched meanwhile. */
async function* readEntries(source: LogSource, size: number): AsyncIterable<readonly Uint8Array[]> {
  const coming = new Map<number, Promise<readonly Uint8Array[]>>()
  const begin = (index: number) => {
    if (index * 256 >= size) return
    const address: BundleAddress = { kind: 'entries', index, width: Math.min(256, size - index * 256) }
    const entries = readBundle(source, address)
    // Its turn to be awaited, and to throw, comes later.
    entries.catch(() => undefined)
    coming.set(index, entries)
  }
  for (let index = 0; index < bundlesAhead; index += 1) begin(index)
  for (let index = 0; index * 256 < size; index += 1) {
    const entries = (await coming.get(index)) ?? []
    coming.delete(index)
    begin(index + bundlesAhead)
    yield entries
  }
}
