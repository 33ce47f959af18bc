// SPDX-License-Identifier: Apache-2.0
/** What the transparency log asks of the store, its folder and its key, with two processes on each. */
import assert from 'node:assert/strict'
import { type FileHandle, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import {
  extendFrontier,
  formatCheckpoint,
  hashLeaf,
  type PackageName,
  parseNote,
  parseVerifierKey,
  rootOf,
  type Version,
  verifyNote,
} from '@holdfast/core'
import type { Grant } from '../../src/identity/index.ts'
import { type NewEvent, nodeCrypto } from '../../src/integrity/index.ts'
import type { LogHead, PublishedLog, Store } from '../../src/ports.ts'
import { openLogKey } from '../../src/remote/index.ts'
import { openLogFolder } from '../../src/store/index.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

const name = 'left-pad' as PackageName
const digest = Buffer.alloc(64).toString('base64')

for (const engine of engines) rowsContract(engine)

function publishOf(ver: string): NewEvent {
  const dist = {
    integrity: `sha512-${digest}`,
    size: 1,
    manifest: `sha256-${Buffer.alloc(32).toString('base64')}`,
  }
  return { type: 'publish', pkg: name, ver: ver as Version, fields: { dist } }
}

async function extend(head: LogHead, leafHashes: readonly Uint8Array[]) {
  const frontier = await extendFrontier(nodeCrypto, head, leafHashes)
  return { ...frontier, root: await rootOf(nodeCrypto, frontier) }
}

function rowsContract(engine: StoreEngine): void {
  describe(`rows of the log on ${engine.name}`, () => {
    let pair: Pair
    let store: Store
    let second: Store
    let grant: Grant

    before(async () => {
      pair = await openPair(engine, () => 1_700_000_000_000)
      ;({ store, second, grant } = pair)
    })
    after(() => pair.close())

    const happen = (event: NewEvent, on = store) => on.commit(grant, event, async () => {})

    test('a new log is the empty tree, and nothing of it is published', async () => {
      const head = await store.log.head()
      assert.equal(Buffer.from(head.root).toString('base64'), '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
      assert.deepEqual([head.size, head.hashes, head.position], [0, [], 0])
      assert.equal(await store.log.published(), undefined)
      assert.equal(await store.log.sequence(10, extend), undefined)
    })

    test('events for the log take their places in the order they happened; those of the record take none', async () => {
      await happen(publishOf('1.0.0'))
      await happen({ type: 'star', pkg: name })
      await happen(publishOf('1.1.0'), second)
      await happen(publishOf('1.2.0'))
      assert.deepEqual(await store.log.countWaiting(2), { size: 0, count: 2, oldestAt: 1_700_000_000_000 })
      assert.equal((await store.log.sequence(2, extend))?.size, 2)
      const head = await second.log.sequence(10, extend)
      assert.equal(head?.size, 3)
      assert.deepEqual(await store.log.head(), head)
      assert.equal((await store.log.countWaiting(9)).count, 0)
      const entries = await store.log.readEntries(0, 9)
      const leaves = (await store.events.read(0, 100)).flatMap(({ leaf }) => leaf ?? [])
      assert.deepEqual(
        entries.map(({ entry }) => Buffer.from(entry).toString()),
        leaves.slice(-3),
      )
      const hashes = await Promise.all(entries.map(({ entry }) => hashLeaf(nodeCrypto, entry)))
      assert.deepEqual(await extend({ size: 0, hashes: [], position: 0, root: head.root }, hashes), {
        size: 3,
        hashes: head.hashes,
        root: head.root,
      })
      assert.equal((await store.log.findPublish(name, '1.1.0' as Version))?.index, 1)
      const asked = ['1.2.0', '9.9.9', '1.0.0'].map(version => ({ name, version: version as Version }))
      const found = await store.log.findPublishes(asked)
      assert.deepEqual(
        found.map(each => each?.index),
        [2, undefined, 0],
      )
      assert.equal((await store.log.ofPackage(name)).length, 3)
      assert.equal(await store.log.findTime(2), 1_700_000_000_000)
      const { id } = JSON.parse(leaves.at(-1) ?? '')
      assert.equal((await store.log.findById(id))?.index, 2)
    })

    test('of two processes that give places at once one moves the head, and no place is given twice', async () => {
      const before = await store.log.head()
      for (let at = 0; at < 20; at++) await happen({ ...publishOf('2.0.0'), ver: `2.0.${at}` as Version })
      const turns = Array.from({ length: 20 }, (_, at) =>
        (at % 2 === 0 ? store : second).log.sequence(3, extend),
      )
      await Promise.all(turns)
      while ((await store.log.sequence(3, extend)) !== undefined);
      const { size } = await store.log.head()
      assert.equal(size, before.size + 20)
      assert.deepEqual(
        (await store.log.readEntries(0, 100)).map(({ index }) => index),
        [...Array(size).keys()],
      )
    })

    test('a checkpoint replaces only the one it was made after, and tells whose publication it covers', async () => {
      const publish = (on: Store, before: PublishedLog | undefined, next: PublishedLog) =>
        on.commit(grant, { type: 'checkpoint', detail: { size: next.size, packages: [] } }, tx =>
          tx.log.publish(before, next),
        )
      const { root } = await store.log.head()
      const at = (size: number, note = `note of ${size}`): PublishedLog => ({ size, root, note, at: 7 })
      assert.deepEqual(await publish(store, undefined, at(1)), [{ package: name, version: '1.0.0' }])
      await assert.rejects(publish(second, undefined, at(2)), { code: 'log-moved' })
      await assert.rejects(publish(second, at(1, 'another'), at(2)), { code: 'log-moved' })
      const covered = await publish(second, at(1), at(3))
      assert.deepEqual(
        covered.map(each => each.version),
        ['1.1.0', '1.2.0'],
      )
      assert.deepEqual(await store.log.published(), at(3))
    })
  })
}

describe('the folder of a log', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  })
  after(() => rm(folder, { recursive: true }))

  test('files are kept once: the same bytes again are fine, others are evidence of two logs', async () => {
    const log = join(folder, 'log')
    const [one, other] = [await openLogFolder(log), await openLogFolder(log)]
    const files = new Map([
      ['tile/0/000.p/1', Buffer.from('one')],
      ['tile/entries/x001/234', Buffer.from('two')],
    ])
    await Promise.all([one.write(files), other.write(files)])
    await one.write(files)
    assert.equal(Buffer.from((await one.read('tile/entries/x001/234')) ?? []).toString(), 'two')
    const forged = new Map([['tile/0/000.p/1', Buffer.from('uno')]])
    await assert.rejects(one.write(forged), { code: 'log-forked' })
    assert.equal(await readFile(join(log, 'tile/0/000.p/1'), 'utf8'), 'one')
    assert.equal(await one.read('tile/0/000.p/2'), undefined)
    assert.equal(await one.read('tile/0/000.p'), undefined)
    await one.settle(['tile/0/000.p/1'])
    await openLogFolder(log)
    assert.deepEqual(await readdir(join(log, '.incoming')), [])
  })

  test('what a power cut left of a file is written again; anything else in its place is evidence', async () => {
    const log = join(folder, 'torn')
    const files = await openLogFolder(log)
    const bytes = Buffer.alloc(8192, 7)
    const path = 'tile/0/000'
    await files.write(new Map([[path, Buffer.alloc(0)]]))
    for (const torn of [bytes.subarray(0, 0), bytes.subarray(0, 100), Buffer.alloc(8192).fill(7, 4096)]) {
      await writeFile(join(log, path), torn)
      await files.write(new Map([[path, bytes]]))
      assert.ok(bytes.equals(await readFile(join(log, path))))
    }
    for (const forged of [Buffer.alloc(8192, 8), Buffer.alloc(8193, 7), Buffer.alloc(1, 8)]) {
      await writeFile(join(log, path), forged)
      await assert.rejects(files.write(new Map([[path, bytes]])), { code: 'log-forked' })
      assert.ok(forged.equals(await readFile(join(log, path))))
    }
  })

  test('a disk that does not say that it kept a file is told apart, and not asked again', async t => {
    const files = await openLogFolder(join(folder, 'failing'))
    await files.write(new Map([['tile/0/000.p/1', Buffer.from('one')]]))
    const handle = Object.getPrototypeOf(await open(folder)) as FileHandle
    const eio = async () => {
      throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
    }
    const broken = t.mock.method(handle, 'datasync', eio)
    await assert.rejects(files.settle([]), { code: 'log-unsynced' })
    await assert.rejects(files.replaceCheckpoint('note\n'), { code: 'log-unsynced' })
    assert.equal(await files.read('checkpoint'), undefined)
    broken.mock.restore()
    t.mock.method(handle, 'sync', eio)
    await assert.rejects(files.settle(['tile/0/000.p/1']), { code: 'log-unsynced' })
  })

  test('the checkpoint is the one file that changes', async () => {
    const log = await openLogFolder(join(folder, 'second'))
    await log.replaceCheckpoint('first\n')
    await log.replaceCheckpoint('second\n')
    assert.equal(Buffer.from((await log.read('checkpoint')) ?? []).toString(), 'second\n')
  })
})

describe('the key of a log', () => {
  const origin = 'registry.example/log'
  const tree = (size: number, fill: number) => ({ size, root: new Uint8Array(32).fill(fill) })
  const text = (size: number, fill: number) => formatCheckpoint({ origin, ...tree(size, fill) })
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
  })
  after(() => rm(folder, { recursive: true }))

  test('what it signs verifies under its public name, and is the same when signed again', async () => {
    const signer = await openLogKey(folder, origin)
    const lines = await signer.sign(tree(3, 1), text(3, 1))
    const note = parseNote(`${text(3, 1)}\n${lines}`)
    const key = await parseVerifierKey(nodeCrypto, signer.vkey)
    assert.deepEqual(await verifyNote(nodeCrypto, note, [key]), [key])
    const again = await openLogKey(folder, origin)
    assert.equal(await again.sign(tree(3, 1), text(3, 1)), lines)
  })

  test('it signs no smaller tree and no other of one size, also when opened again', async () => {
    for (const signer of [await openLogKey(folder, origin), await openLogKey(folder, origin)]) {
      await assert.rejects(signer.sign(tree(3, 2), text(3, 2)), { code: 'log-forked' })
      await assert.rejects(signer.sign(tree(2, 1), text(2, 1)), { code: 'log-behind' })
      await signer.sign(tree(3, 1), text(3, 1))
    }
    const signer = await openLogKey(folder, origin)
    await signer.sign(tree(4, 1), text(4, 1))
    await signer.sign(tree(9, 1), text(9, 1))
    assert.deepEqual(await (await openLogKey(folder, origin)).mark(), tree(9, 1))
  })

  test('of two processes that raise the mark at once none takes the other back', async () => {
    const signers = await Promise.all(Array.from({ length: 4 }, () => openLogKey(folder, origin)))
    for (let size = 10; size < 40; size += 4) {
      const signed = await Promise.allSettled(
        signers.map((signer, at) => signer.sign(tree(size + at, 1), text(size + at, 1))),
      )
      const largest = signed.findLastIndex(({ status }) => status === 'fulfilled')
      assert.deepEqual(await signers[0]?.mark(), tree(size + largest, 1))
      for (const each of signed) if (each.status === 'rejected') assert.equal(each.reason.code, 'log-behind')
    }
    await rm(join(folder, 'log.mark'))
    const [signer] = signers
    for (const size of [4, 9]) await signer?.sign(tree(size, 1), text(size, 1))
  })

  test('a mark cut short leaves the one before; one that is broken whole stops everything', async () => {
    const path = join(folder, 'log.mark')
    const bytes = await readFile(path)
    const newest = bytes.subarray(0, 512).toString().includes(' 9 ') ? 0 : 512
    await writeFile(path, Buffer.from(bytes).fill(0, newest + 100, newest + 512))
    const signer = await openLogKey(folder, origin)
    assert.deepEqual(await signer.mark(), tree(4, 1))
    await signer.sign(tree(9, 1), text(9, 1))
    await writeFile(path, Buffer.from(bytes).fill(1))
    await assert.rejects(signer.mark(), { code: 'key-damaged' })
  })
})
