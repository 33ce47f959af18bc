// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { type Digest, parseDigest } from '@holdfast/core'
import type { Blobs } from '../../src/ports.ts'
import type { BlobFault, BlobOptions } from '../../src/store/blob/index.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const sha512 = (bytes: Uint8Array) => parseDigest(createHash('sha512').update(bytes).digest('hex'))

/** Every promise of `Blobs`, checked on one driver. */
export function blobsContract(name: string, openBlobs: (options?: BlobOptions) => Promise<Blobs>): void {
  describe(`Blobs in ${name}`, () => {
    test('bytes come back under their digest, whole and in parts', async () => {
      const blobs = await openBlobs()
      const bytes = Uint8Array.from({ length: 700_000 }, (_, index) => (index * 7) % 251)
      const digest = await store(blobs, bytes, 100_000)
      assert.equal(digest, sha512(bytes))
      assert.equal(await blobs.size(digest), bytes.length)
      const reader = (await blobs.open(digest)) ?? assert.fail()
      assert.equal(reader.sizeBytes, bytes.length)
      assert.ok(Buffer.from(bytes).equals(await reader.read(0, Buffer.alloc(bytes.length))))
      assert.ok(Buffer.from(bytes.subarray(5, 15)).equals(await reader.read(5, Buffer.alloc(10))))
      assert.equal((await reader.read(bytes.length - 3, Buffer.alloc(10))).length, 3)
      assert.equal((await reader.read(bytes.length + 3, Buffer.alloc(10))).length, 0)
      await reader.close()
    })

    test('what can be had at once is the same bytes, never more than the blob has', async () => {
      const blobs = await openBlobs()
      const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 11) % 253)
      const reader = (await blobs.open(await store(blobs, bytes))) ?? assert.fail()
      assert.equal(reader.readNow?.(0, Buffer.alloc(10)), undefined, 'nobody has read it yet')
      await reader.read(0, Buffer.alloc(200_000))
      const now = (position: number, length: number) => reader.readNow?.(position, Buffer.alloc(length))
      for (const [position, length] of [
        [0, 200_000],
        [150_000, 1_000],
        [299_990, 20],
      ] as const) {
        const wanted = Buffer.from(bytes.subarray(position, position + length))
        const piece = now(position, length)
        assert.ok(piece === undefined || wanted.equals(piece), `${position}`)
      }
      await reader.read(200_000, Buffer.alloc(200_000))
      const last = now(299_990, 20)
      assert.ok(last === undefined || last.length === 10)
      await reader.close()
    })

    test('digests and size are those of what was written, at any moment', async () => {
      const writer = await (await openBlobs()).begin()
      await writer.write(bytesOf('ab'))
      assert.equal(writer.digests().digest, sha512(bytesOf('ab')))
      await writer.write(bytesOf('c'))
      assert.deepEqual(writer.digests(), {
        digest: sha512(bytesOf('abc')),
        shasum: 'a9993e364706816aba3e25717850c26c9cd0d89d', // FIPS 180, SHA-1 of `abc`
        sizeBytes: 3,
      })
      await writer.discard()
    })

    test('a blob without bytes is a blob', async () => {
      const blobs = await openBlobs()
      const digest = await store(blobs, new Uint8Array(0))
      assert.equal(await blobs.size(digest), 0)
    })

    test('what is written reads back before it is kept, and the buffer of a write may be used again', async () => {
      const writer = await (await openBlobs()).begin()
      const buffer = bytesOf('abc')
      await writer.write(buffer)
      buffer.fill(0)
      await writer.write(bytesOf('def'))
      const chunks: Uint8Array[] = []
      for await (const chunk of writer.read()) chunks.push(Uint8Array.from(chunk))
      assert.equal(Buffer.concat(chunks).toString(), 'abcdef')
      await writer.discard()
    })

    test('nothing is visible before keep, nor after discard', async () => {
      const blobs = await openBlobs()
      const writer = await blobs.begin()
      await writer.write(bytesOf('hidden'))
      const { digest } = writer.digests()
      assert.equal(await blobs.size(digest), undefined)
      assert.equal(await blobs.open(digest), undefined)
      assert.deepEqual(await listAll(blobs), [])
      await writer.discard()
      await writer.discard()
      assert.equal(await blobs.open(digest), undefined)
      await assert.rejects(writer.write(bytesOf('more')))
      await assert.rejects(writer.keep())
    })

    test('keep may be repeated, discard after it changes nothing, and writing is over', async () => {
      const blobs = await openBlobs()
      const writer = await blobs.begin()
      await writer.write(bytesOf('kept'))
      const written = await writer.keep()
      assert.deepEqual(await writer.keep(), written)
      await writer.discard()
      await assert.rejects(writer.write(bytesOf('more')))
      assert.equal(await blobs.size(written.digest), 4)
    })

    test('the same bytes twice, even at once, are one blob', async () => {
      const blobs = await openBlobs()
      const digests = await Promise.all([1, 2, 3, 4].map(() => store(blobs, bytesOf('same'))))
      assert.deepEqual(await listAll(blobs), digests.slice(0, 1))
    })

    test('every blob is listed, and none that was removed', async () => {
      const blobs = await openBlobs()
      const digests = await Promise.all(['a', 'b', 'c'].map(text => store(blobs, bytesOf(text))))
      const [gone, ...rest] = digests
      await blobs.remove(gone ?? assert.fail())
      await blobs.remove(gone ?? assert.fail())
      assert.deepEqual((await listAll(blobs)).sort(), rest.sort())
      assert.equal(await blobs.size(gone ?? assert.fail()), undefined)
    })

    test('bytes kept before a moment are removed, and later ones stay', async () => {
      const blobs = await openBlobs()
      const digest = await store(blobs, bytesOf('aged'))
      assert.equal(await blobs.removeKeptBefore(digest, Date.now() - 60_000), false)
      assert.equal(await blobs.size(digest), 4)
      assert.equal(await blobs.removeKeptBefore(digest, Date.now() + 60_000), true)
      assert.equal(await blobs.size(digest), undefined)
      assert.equal(await blobs.removeKeptBefore(digest, Date.now() + 60_000), false)
    })

    test('a reader that is open outlives the removal and the replacement of its blob', async () => {
      const blobs = await openBlobs()
      const digest = await store(blobs, bytesOf('held open'))
      const reader = (await blobs.open(digest)) ?? assert.fail()
      await store(blobs, bytesOf('held open'))
      await blobs.remove(digest)
      assert.equal(Buffer.from(await reader.read(0, Buffer.alloc(9))).toString(), 'held open')
      await reader.close()
    })

    const faults: readonly [BlobFault, boolean][] = [
      ['blob:written', false],
      ['blob:synced', false],
      ['blob:renamed', true],
    ]
    for (const [point, isStored] of faults) {
      test(`a fault at ${point} fails keep, and the blob is ${isStored ? 'there, whole' : 'not there'}`, async () => {
        const blobs = await openBlobs({ fault: failAt(point) })
        const writer = await blobs.begin()
        await writer.write(bytesOf('faulty'))
        const { digest, sizeBytes } = writer.digests()
        await assert.rejects(writer.keep(), /fault/)
        await assert.rejects(writer.keep(), 'a failed fsync must not be tried again')
        await writer.discard()
        assert.equal(await blobs.size(digest), isStored ? sizeBytes : undefined)
      })
    }
  })
}

function failAt(point: BlobFault): (reached: BlobFault) => void {
  return reached => {
    if (reached === point) throw new Error(`fault at ${point}`)
  }
}

async function listAll(blobs: Blobs): Promise<Digest[]> {
  const digests: Digest[] = []
  for await (const digest of blobs.list()) digests.push(digest)
  return digests
}

async function store(blobs: Blobs, bytes: Uint8Array, chunkBytes = 1000) {
  const writer = await blobs.begin()
  for (let position = 0; position < bytes.length; position += chunkBytes) {
    await writer.write(bytes.subarray(position, position + chunkBytes))
  }
  return (await writer.keep()).digest
}
