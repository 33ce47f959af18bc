// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { emptyFrontier, extendFrontier, formatTilePath, hashLeaf, listNewTiles, rootOf } from '@holdfast/core'
import { nodeCrypto } from '../integrity/index.ts'
import { emptyEdge, frontierOf, growEdge, type LogEdge, readEdge } from './log-edge.ts'

/** Entries `entry-<i>`, as the published vectors have them. */
function entries(from: number, to: number): Uint8Array[] {
  return Array.from({ length: to - from }, (_, at) => new TextEncoder().encode(`entry-${from + at}`))
}

/** A log that grew through these sizes, with every file it wrote. */
async function grow(sizes: readonly number[]): Promise<{ edge: LogEdge; files: Map<string, Uint8Array> }> {
  const files = new Map<string, Uint8Array>()
  let edge = emptyEdge
  for (const size of sizes) {
    const grown = await growEdge(edge, entries(edge.size, size))
    for (const [path, bytes] of grown.files) {
      assert.deepEqual(files.get(path) ?? bytes, bytes, `${path} changed`)
      files.set(path, bytes)
    }
    edge = grown.edge
  }
  return { edge, files }
}

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex')
const sha256 = (bytes: Uint8Array | undefined) =>
  createHash('sha256')
    .update(bytes ?? new Uint8Array())
    .digest('hex')

test('a log of 70,000 entries has the tiles and the root of the published vectors, however it grew', async () => {
  const { edge, files } = await grow([1, 255, 256, 257, 1000, 65_535, 65_536, 65_537, 70_000])
  assert.equal(
    hex(await rootOf(nodeCrypto, await frontierOf(edge))),
    'a62a54be33294ffd5a5c4c637fd754630b71a892e8356e3a666a5c8a7ffd1518',
  )
  assert.equal(
    sha256(files.get('tile/0/000')),
    '8921c57d2f65271c82bf0f686c002793863c80c8d1cbbbf5db6046ff59e8b590',
  )
  assert.equal(
    sha256(files.get('tile/1/001.p/17')),
    'e7be92bf44b56bfc274e384835c09a9b949542f7ef3bed21a46195a871173926',
  )
  assert.equal(
    sha256(files.get('tile/2/000.p/1')),
    'a39abb517974ee0fe428abf332453555ac40e6bdf705bb4a4bf919dfa6b3b24c',
  )
})

test('each step writes exactly the files that the larger tree has and the smaller one had not', async () => {
  for (const [from, to] of [
    [0, 1],
    [1, 2],
    [250, 260],
    [255, 256],
    [256, 512],
  ] as const) {
    const { edge } = await grow([from])
    const grown = await growEdge(edge, entries(from, to))
    assert.deepEqual([...grown.files.keys()].sort(), listNewTiles(from, to).map(formatTilePath).sort())
  }
})

test('an edge read back from its files goes on as the one in memory would, and a changed file is found', async () => {
  for (const size of [1, 255, 256, 300, 1024]) {
    const { edge, files } = await grow([size])
    const log = { read: async (path: string) => files.get(path) } as Parameters<typeof readEdge>[0]
    const read = await readEdge(log, size)
    const more = entries(size, size + 700)
    assert.deepEqual(
      [...(await growEdge(read, more)).files.keys()],
      [...(await growEdge(edge, more)).files.keys()],
    )
    const hashes = await Promise.all(entries(0, size).map(entry => hashLeaf(nodeCrypto, entry)))
    const wanted = await extendFrontier(nodeCrypto, emptyFrontier, hashes)
    assert.deepEqual((await frontierOf(read)).hashes.map(hex), wanted.hashes.map(hex))
  }
  const { files } = await grow([300])
  const bundle = files.get('tile/entries/001.p/44') ?? assert.fail()
  bundle.set([65], 4)
  const log = { read: async (path: string) => files.get(path) } as Parameters<typeof readEdge>[0]
  await assert.rejects(readEdge(log, 300), { code: 'log-damaged' })
  files.delete('tile/0/001.p/44')
  await assert.rejects(readEdge(log, 300), { code: 'log-damaged' })
})
