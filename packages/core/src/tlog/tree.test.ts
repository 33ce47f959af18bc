// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash, hash as digest } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { emptyFrontier, extendFrontier, type Frontier, rootOf } from './frontier.ts'
import { type LogCrypto, webCrypto } from './log-crypto.ts'
import { emptyRoot, hashLeaf, hashNode, verifyConsistency, verifyInclusion } from './merkle.ts'
import {
  type BundleAddress,
  decodeBundle,
  encodeBundle,
  formatTilePath,
  listNewTiles,
  parseTilePath,
  proveConsistency,
  proveInclusion,
  type ReadTile,
  rootFromTiles,
  type TileAddress,
  tileOf,
} from './tile.ts'

interface Proven {
  readonly size: number
  readonly index: number
  readonly from: number
  readonly to: number
  readonly proof: readonly string[]
}
const vectors = JSON.parse(readFileSync(new URL('./fixture/tlog-vectors.json', import.meta.url), 'utf8'))
const crypto: LogCrypto = {
  sha256: bytes => digest('sha256', bytes, 'buffer'),
  verifyEd25519: () => false,
}
/** Hashes each thing once: ten thousand proofs over the same hundred leaves ask for the same few nodes. */
const rememberingCrypto: LogCrypto = {
  ...crypto,
  sha256: bytes => {
    const key = Buffer.from(bytes).toString('latin1')
    const known = knownHashes.get(key) ?? crypto.sha256(bytes)
    knownHashes.set(key, known)
    return known
  },
}
const knownHashes = new Map<string, Uint8Array | Promise<Uint8Array>>()
const bytesOf = (text: string) => new TextEncoder().encode(text)
const base64 = (path: readonly Uint8Array[]) => path.map(hash => Buffer.from(hash).toString('base64'))
const unbase64 = (path: readonly string[]) => path.map(text => Buffer.from(text, 'base64'))
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const leavesOf = (entries: readonly Uint8Array[]) =>
  Promise.all(entries.map(entry => hashLeaf(crypto, entry)))

/** RFC 6962, 2.1 word for word, sharing nothing with what is tested but SHA-256; each subtree is hashed once. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return createHash('sha256').digest()
  if (leaves.length === 1) return leaves[0] as Uint8Array
  const key = `${hex(leaves[0] as Uint8Array)} ${leaves.length}`
  const root = knownRoots.get(key) ?? hashPair(halves(leaves).map(naiveRoot))
  knownRoots.set(key, root)
  return root
}

const knownRoots = new Map<string, Uint8Array>()

function hashPair(pair: readonly Uint8Array[]): Uint8Array {
  return createHash('sha256').update(Buffer.of(1)).update(Buffer.concat(pair)).digest()
}

function halves(leaves: readonly Uint8Array[]) {
  const middle = 2 ** Math.ceil(Math.log2(leaves.length) - 1)
  return [leaves.slice(0, middle), leaves.slice(middle)] as const
}

function naiveInclusion(index: number, leaves: readonly Uint8Array[]): readonly Uint8Array[] {
  if (leaves.length === 1) return []
  const [left, right] = halves(leaves)
  return index < left.length
    ? [...naiveInclusion(index, left), naiveRoot(right)]
    : [...naiveInclusion(index - left.length, right), naiveRoot(left)]
}

function naiveConsistency(
  from: number,
  leaves: readonly Uint8Array[],
  isWhole = true,
): readonly Uint8Array[] {
  if (from === leaves.length) return isWhole ? [] : [naiveRoot(leaves)]
  const [left, right] = halves(leaves)
  return from <= left.length
    ? [...naiveConsistency(from, left, isWhole), naiveRoot(right)]
    : [...naiveConsistency(from - left.length, right, false), naiveRoot(left)]
}

/** Tiles as their definition says, from all leaves. */
function tilesOf(leaves: readonly Uint8Array[]): ReadTile {
  const levels = [leaves]
  return async ({ level, index, width }) => {
    while (levels.length <= level) levels.push(rootsOfTiles(levels.at(-1) ?? []))
    const hashes = levels[level]?.slice(index * 256, index * 256 + width) ?? []
    assert.equal(hashes.length, width, `no tile ${level}/${index} of width ${width}`)
    return Buffer.concat(hashes)
  }
}

function rootsOfTiles(hashes: readonly Uint8Array[]): Uint8Array[] {
  return Array.from({ length: Math.floor(hashes.length / 256) }, (_, at) =>
    naiveRoot(hashes.slice(at * 256, at * 256 + 256)),
  )
}

const classic = await leavesOf(vectors.rfc6962.leaves_hex.map((text: string) => Buffer.from(text, 'hex')))
const events = await leavesOf(vectors.events.entries.map(bytesOf))
const big = await leavesOf(Array.from({ length: 70_000 }, (_, at) => bytesOf(`entry-${at}`)))

/** A proof that was made, the one that RFC 6962 defines, and what is said of it. */
interface Tried {
  readonly path: readonly Uint8Array[]
  readonly wanted: readonly Uint8Array[]
  readonly isTrue: boolean
}

async function tryInclusions(leaves: readonly Uint8Array[]): Promise<Tried[]> {
  const [size, root, read] = [leaves.length, naiveRoot(leaves), tilesOf(leaves)]
  const tried: Tried[] = []
  for (const [index, leaf] of leaves.entries()) {
    const path = await proveInclusion(rememberingCrypto, read, index, size)
    const isTrue = await verifyInclusion(rememberingCrypto, { leaf, index, size, path, root })
    tried.push({ path, wanted: naiveInclusion(index, leaves), isTrue })
  }
  return tried
}

async function tryConsistencies(leaves: readonly Uint8Array[]): Promise<Tried[]> {
  const [toSize, toRoot, read] = [leaves.length, naiveRoot(leaves), tilesOf(leaves)]
  const tried: Tried[] = []
  for (let fromSize = 0; fromSize <= toSize; fromSize += 1) {
    const path = await proveConsistency(rememberingCrypto, read, fromSize, toSize)
    const ends = { fromSize, fromRoot: naiveRoot(leaves.slice(0, fromSize)), toSize, toRoot }
    const isTrue = await verifyConsistency(rememberingCrypto, { ...ends, path })
    tried.push({ path, wanted: fromSize > 0 ? naiveConsistency(fromSize, leaves) : path, isTrue })
  }
  return tried
}

// Before the first test: once there is one each of their million promises is followed, which takes three times as long.
const proven = await Promise.all(
  Array.from({ length: 100 }, async (_, at) => {
    const leaves = big.slice(0, at + 1)
    return { inclusion: await tryInclusions(leaves), consistency: await tryConsistencies(leaves) }
  }),
)

test('leaf hashes and roots of the published trees come out, grown leaf by leaf and read from tiles', async () => {
  assert.deepEqual(classic.map(hex), vectors.rfc6962.leaf_hashes)
  assert.deepEqual(events.map(hex), vectors.events.leaf_hashes)
  assert.equal(hex(emptyRoot), vectors.rfc6962.empty_root)
  const trees = [
    [classic, vectors.rfc6962.roots],
    [events, vectors.events.roots],
    [big, vectors.big.roots],
  ] as const
  for (const [leaves, roots] of trees) {
    let frontier: Frontier = emptyFrontier
    for (const [size, root] of Object.entries(roots)) {
      frontier = await extendFrontier(crypto, frontier, leaves.slice(frontier.size, Number(size)))
      assert.equal(frontier.size, Number(size))
      assert.equal(hex(await rootOf(crypto, frontier)), root)
      const read = tilesOf(leaves.slice(0, Number(size)))
      assert.equal(hex(await rootFromTiles(crypto, read, Number(size))), root)
    }
  }
})

test("the browser's primitives hash as Node's do", async () => {
  assert.deepEqual(
    await hashLeaf(webCrypto, bytesOf('a')),
    new Uint8Array(await hashLeaf(crypto, bytesOf('a'))),
  )
})

test('every published proof is made from tiles, and verifies', async () => {
  for (const [leaves, { inclusion, consistency }] of [
    [events, vectors.events],
    [big, vectors.big],
  ] as const) {
    const read = tilesOf(leaves)
    const rootAt = (size: number) => naiveRoot(leaves.slice(0, size))
    for (const { index, size, proof } of inclusion as Proven[]) {
      assert.deepEqual(base64(await proveInclusion(crypto, read, index, size)), proof)
      const claim = {
        leaf: leaves[index] as Uint8Array,
        index,
        size,
        path: unbase64(proof),
        root: rootAt(size),
      }
      assert.ok(await verifyInclusion(crypto, claim))
    }
    for (const { from, to, proof } of consistency as Proven[]) {
      assert.deepEqual(base64(await proveConsistency(crypto, read, from, to)), proof)
      const ends = { fromSize: from, fromRoot: rootAt(from), toSize: to, toRoot: rootAt(to) }
      assert.ok(await verifyConsistency(crypto, { ...ends, path: unbase64(proof) }))
    }
  }
})

test('published tiles and the bundle come out byte for byte', async () => {
  const read = tilesOf(big)
  for (const { path, sha256 } of vectors.big.tiles_at_70000) {
    const address = parseTilePath(path) as TileAddress | BundleAddress
    const { index, width } = address
    const names = Array.from({ length: width }, (_, at) => bytesOf(`entry-${index * 256 + at}`))
    const tile = address.kind === 'hash' ? await read(address) : encodeBundle(names)
    assert.equal(createHash('sha256').update(tile).digest('hex'), sha256, path)
  }
  const bundle = encodeBundle(vectors.events.entries.map(bytesOf))
  assert.equal(createHash('sha256').update(bundle).digest('hex'), vectors.events.bundle_sha256)
  assert.deepEqual(
    decodeBundle(bundle).map(entry => new TextDecoder().decode(entry)),
    vectors.events.entries,
  )
})

test('every proof between sizes up to a hundred is the one RFC 6962 defines, and verifies', () => {
  for (const { inclusion, consistency } of proven) {
    for (const { path, wanted, isTrue } of [...inclusion, ...consistency]) {
      assert.deepEqual(base64(path), base64(wanted))
      assert.ok(isTrue)
    }
  }
})

const flip = (bytes: Uint8Array, bit: number) =>
  bytes.map((byte, at) => (at === Math.floor(bit / 8) ? byte ^ (1 << (bit % 8)) : byte))
const anyBit = fc.nat({ max: 255 })

test('one bit changed in leaf, root or proof, another index or another size is no proof', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 2, max: 600 }),
    fc.nat(),
    fc.nat(),
    anyBit,
    async (size, any, which, bit) => {
      const leaves = big.slice(0, size)
      const index = any % size
      const claim = {
        leaf: leaves[index] as Uint8Array,
        index,
        size,
        path: await proveInclusion(crypto, tilesOf(leaves), index, size),
        root: naiveRoot(leaves),
      }
      const { path } = claim
      const wrong = [
        { ...claim, leaf: flip(claim.leaf, bit) },
        { ...claim, root: flip(claim.root, bit) },
        { ...claim, path: path.map((hash, at) => (at === which % path.length ? flip(hash, bit) : hash)) },
        { ...claim, path: path.slice(1) },
        { ...claim, path: [...path, claim.leaf] },
        { ...claim, path: path.map((hash, at) => (at === 0 ? hash.subarray(1) : hash)) },
        { ...claim, index: index === 0 ? 1 : index - 1 },
        { ...claim, index: size },
        { ...claim, index: -1 },
        { ...claim, size: size * 2 },
        { ...claim, size: Number.MAX_VALUE },
      ]
      for (const each of wrong) assert.equal(await verifyInclusion(crypto, each), false)
    },
  )
  await fc.assert(property, { numRuns: 60 })
})

test('one bit changed in a root or proof, or another size, proves no consistency', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 2, max: 600 }),
    fc.nat(),
    fc.nat(),
    anyBit,
    async (toSize, any, which, bit) => {
      const leaves = big.slice(0, toSize)
      const fromSize = 1 + (any % (toSize - 1))
      const claim = {
        fromSize,
        toSize,
        fromRoot: naiveRoot(leaves.slice(0, fromSize)),
        toRoot: naiveRoot(leaves),
        path: await proveConsistency(crypto, tilesOf(leaves), fromSize, toSize),
      }
      const { path } = claim
      const wrong = [
        { ...claim, fromRoot: flip(claim.fromRoot, bit) },
        { ...claim, toRoot: flip(claim.toRoot, bit) },
        { ...claim, path: path.map((hash, at) => (at === which % path.length ? flip(hash, bit) : hash)) },
        { ...claim, path: path.slice(1) },
        { ...claim, path: [...path, claim.toRoot] },
        { ...claim, fromSize: toSize, toSize: fromSize },
        { ...claim, fromSize: toSize },
        { ...claim, fromSize: 0 },
      ]
      for (const each of wrong) assert.equal(await verifyConsistency(crypto, each), false)
    },
  )
  await fc.assert(property, { numRuns: 60 })
  const root = naiveRoot(big.slice(0, 3))
  const same = { fromSize: 3, toSize: 3, fromRoot: root, toRoot: flip(root, 0), path: [] }
  assert.equal(await verifyConsistency(crypto, same), false)
})

test('proofs hold in trees too large for 32 bits', async () => {
  // Every leaf is the same, so that the root of any complete subtree depends on its height alone.
  const heights: Uint8Array[] = [await hashLeaf(crypto, bytesOf('same'))]
  for (let height = 1; height <= 53; height += 1) {
    const below = heights[height - 1] as Uint8Array
    heights.push(await hashNode(crypto, below, below))
  }
  const read: ReadTile = async ({ level, width }) =>
    Buffer.concat(Array.from({ length: width }, () => heights[8 * level] as Uint8Array))
  for (const size of [2 ** 31 + 1, 2 ** 32, 2 ** 32 + 3, 2 ** 40 + 2 ** 31 + 7, Number.MAX_SAFE_INTEGER]) {
    const root = await rootFromTiles(crypto, read, size)
    for (const index of [0, 2 ** 31 - 1, 2 ** 31, size - 1]) {
      const path = await proveInclusion(crypto, read, index, size)
      const claim = { leaf: heights[0] as Uint8Array, index, size, path, root }
      assert.ok(await verifyInclusion(crypto, claim), `${index} in ${size}`)
      const wrapped = { ...claim, size: size % 2 ** 32 }
      assert.equal(await verifyInclusion(crypto, wrapped), size < 2 ** 32)
    }
    for (const fromSize of [1, 2 ** 31 - 1, 2 ** 31, size - 1]) {
      const fromRoot = await rootFromTiles(crypto, read, fromSize)
      const path = await proveConsistency(crypto, read, fromSize, size)
      assert.ok(await verifyConsistency(crypto, { fromSize, fromRoot, toSize: size, toRoot: root, path }))
    }
  }
})

test('tiles have one path each, and no other text is one', () => {
  for (const [index, text] of Object.entries(vectors.tile_numbers)) {
    const path = formatTilePath({ kind: 'hash', level: 0, index: Number(index), width: 256 })
    assert.equal(path, `tile/0/${text}`)
    assert.deepEqual(parseTilePath(path), { kind: 'hash', level: 0, index: Number(index), width: 256 })
  }
  const bundle: BundleAddress = { kind: 'entries', index: 1234, width: 7 }
  assert.equal(formatTilePath(bundle), 'tile/entries/x001/234.p/7')
  assert.deepEqual(parseTilePath('tile/entries/x001/234.p/7'), bundle)
  assert.ok(parseTilePath('tile/63/000'))
  for (const text of [
    'tile/64/000',
    'tile/00/000',
    'tile/-1/000',
    'tile/0/0',
    'tile/0/x000/001',
    'tile/0/001/x000',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/05',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/000\n',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/entries/../000',
    '',
  ]) {
    assert.equal(parseTilePath(text), undefined, text)
  }
})

test('the partial tiles of a size have the published widths', () => {
  for (const { size, level_width } of vectors.partial_widths) {
    const partial = listNewTiles(0, size).filter(tile => tile.kind === 'hash' && tile.width < 256)
    assert.deepEqual(
      partial.map(tile => [(tile as TileAddress).level, tile.width]),
      level_width,
    )
  }
})

test('what is new from one size to the next makes up all tiles, and nothing twice', () => {
  const sizes = [0, 1, 5, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000]
  const seen = new Set<string>()
  for (const [at, size] of sizes.slice(1).entries()) {
    for (const tile of listNewTiles(sizes[at] ?? 0, size)) {
      const path = formatTilePath(tile)
      assert.ok(!seen.has(path), `${path} twice`)
      seen.add(path)
    }
    for (const tile of listNewTiles(0, size)) assert.ok(seen.has(formatTilePath(tile)), `${size}`)
  }
  assert.deepEqual(listNewTiles(257, 257), [])
  assert.deepEqual(tileOf(1, 0, 256), { kind: 'hash', level: 1, index: 0, width: 1 })
  assert.throws(() => tileOf(0, 256, 256), RangeError)
})

test('a tile of another length and a bundle that does not end where it should are refused', async () => {
  const short: ReadTile = async ({ width }) => new Uint8Array(width * 32 - 1)
  await assert.rejects(proveInclusion(crypto, short, 0, 5), { code: 'tile-refused' })
  const many = encodeBundle(Array.from({ length: 257 }, () => bytesOf('')))
  for (const bytes of [Buffer.of(), Buffer.of(0), Buffer.of(0, 2, 1), Buffer.of(0, 1, 1, 0), many]) {
    assert.throws(() => decodeBundle(bytes), { code: 'tile-refused' })
  }
  assert.equal(decodeBundle(encodeBundle([new Uint8Array(0xffff)]))[0]?.length, 0xffff)
  assert.throws(() => encodeBundle([new Uint8Array(0x10000)]), RangeError)
})
