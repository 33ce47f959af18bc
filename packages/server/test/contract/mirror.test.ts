// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Digest, DistTag, PackageName, Version } from '@holdfast/core'
import type { Ingested, Mirror, UpstreamVersion } from '../../src/catalog/index.ts'
import type { Grant } from '../../src/identity/index.ts'
import type { Store } from '../../src/ports.ts'
import { ingestEvent } from '../ingest-event.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

for (const engine of engines) mirrorContract(engine)

/** What is kept of upstreams, with two stores on one database: two processes. */
function mirrorContract(engine: StoreEngine): void {
  describe(`mirrors on ${engine.name}`, () => {
    let pair: Pair
    let store: Store
    let second: Store
    let grant: Grant
    const now = 1_700_000_000_000

    before(async () => {
      pair = await openPair(engine, () => now)
      ;({ store, second, grant } = pair)
    })
    after(() => pair.close())

    const ingest = (version: Ingested, on = store) =>
      on.commit(grant, ingestEvent(version), tx => tx.upstream.addIngested(version))

    test('a mirror comes back as it was saved, also in another process', async () => {
      const kept = mirror('@up/whole', 1, 40)
      assert.equal(await store.mirrors.save(kept, Uint8Array.of(1, 0, 255)), true)
      assert.deepEqual(await second.mirrors.find(kept.name), kept)
      assert.deepEqual(
        Buffer.from((await second.mirrors.findSource(kept.name)) ?? []),
        Buffer.from([1, 0, 255]),
      )
      assert.equal(await store.mirrors.find('absent' as PackageName), undefined)
      assert.equal(await store.mirrors.findSource('absent' as PackageName), undefined)
      assert.ok((await second.mirrors.weigh(kept.name)) > 0)
      assert.equal(await store.mirrors.weigh('absent' as PackageName), 0)
    })

    test('of two that read the same state, only the first one saves what it made of it', async () => {
      const name = 'raced' as PackageName
      await store.mirrors.save(mirror(name, 1, 1), Uint8Array.of(1))
      const racing = [store, second, store, second].map((on, i) =>
        on.mirrors.save({ ...mirror(name, 2, 1), etag: `"${i}"` }, Uint8Array.of(10 + i)),
      )
      const saved = await Promise.all(racing)
      assert.equal(saved.filter(Boolean).length, 1)
      const winner = saved.indexOf(true)
      assert.equal((await store.mirrors.find(name))?.etag, `"${winner}"`)
      assert.equal(
        (await store.mirrors.findSource(name))?.[0],
        10 + winner,
        'facts and manifests are of one answer',
      )
      assert.equal(await store.mirrors.save(mirror(name, 1, 1), Uint8Array.of(99)), false)
    })

    test('what the upstream confirms is as it was; what is used is seen first when it grows stale', async () => {
      for (const [i, name] of ['old-a', 'old-b', 'old-c', 'fresh'].entries()) {
        const checkedAt = name === 'fresh' ? now : now - 1000
        await store.mirrors.save(
          { ...mirror(name, 1, 1), isGone: true, checkedAt, usedAt: i },
          new Uint8Array(),
        )
      }
      await store.mirrors.markUsed('old-a' as PackageName, 50)
      await store.mirrors.confirmWhole('fresh' as PackageName, now + 1)
      const doubted = (await store.mirrors.listDoubted(1000)).find(({ name }) => name === 'fresh')
      assert.deepEqual(doubted?.leftOut, [{ version: 'v?', why: 'it is no version' }])
      const whole = await second.mirrors.find('fresh' as PackageName)
      assert.deepEqual([whole?.checkedAt, whole?.readWholeAt, whole?.revision], [now + 1, now + 1, 1])
      const stale = async (origin = 'upstream', usedSince = 0) => {
        const names = await store.mirrors.listStale(origin, now - 500, usedSince, 10)
        return names.filter(name => name.startsWith('old-'))
      }
      assert.deepEqual(await stale(), ['old-a', 'old-c', 'old-b'])
      assert.deepEqual(await stale('upstream', 2), ['old-a', 'old-c'])
      assert.deepEqual(await stale('other'), [])
      const unasked = await store.mirrors.listUnasked('upstream', now - 500, 10)
      assert.deepEqual(
        unasked.filter(name => name.startsWith('old-')),
        ['old-a', 'old-b', 'old-c'],
      )
      assert.deepEqual(await store.mirrors.listUnasked('upstream', 2, 1), [unasked[0]])
      await store.mirrors.confirm('old-c' as PackageName, now)
      assert.deepEqual(await stale(), ['old-a', 'old-b'])
      const confirmed = await store.mirrors.find('old-c' as PackageName)
      assert.deepEqual([confirmed?.isGone, confirmed?.checkedAt, confirmed?.revision], [true, now, 1])
    })

    test('names come a page at a time and are counted, by their beginning too, with what is here of them', async () => {
      await ingest(ingested('old-b', '1.0.0'))
      await ingest(ingested('old-b', '1.1.0'))
      await store.mirrors.noteDropped('old-b' as PackageName, '1.0.0' as Version, now)
      const all = await store.mirrors.list('', '', 100)
      assert.equal(await store.mirrors.count(''), all.length)
      const first = await store.mirrors.list('', '', 2)
      const rest = await store.mirrors.list('', first[1]?.name ?? '', 100)
      assert.deepEqual([...first, ...rest], all)
      assert.deepEqual(
        all.map(each => each.name),
        all.map(each => each.name).sort(),
      )
      const old = await second.mirrors.list('old-', 'old-a', 100)
      assert.deepEqual(
        old.map(({ name, versions, sizeBytes }) => [name, versions, sizeBytes]),
        [
          ['old-b', 1, 10],
          ['old-c', 0, 0],
        ],
      )
      assert.equal(await second.mirrors.count('old-'), 3)
      assert.deepEqual(await second.mirrors.list('old%', '', 100), [])
    })

    test('a cached package is found by the beginning of its name and of its parts, in pages that do not overlap', async () => {
      for (const name of ['@paint/left-pad', 'paint', 'paint.oil', 'repaint', 'paint-gone'])
        await store.mirrors.save({ ...mirror(name, 1, 1), isGone: name === 'paint-gone' }, new Uint8Array())
      await store.mirrors.save(mirror('paint', 2, 1), new Uint8Array())
      const search = async (text: string, offset = 0, limit = 100) => {
        const { total, found } = await second.mirrors.search(text, offset, limit)
        return [total, ...found.map((each): string => each.name)]
      }
      assert.deepEqual(await search('PAINT'), [3, 'paint', 'paint.oil', '@paint/left-pad'])
      assert.deepEqual(await search('pai'), [3, 'paint', 'paint.oil', '@paint/left-pad'])
      assert.deepEqual(await search('@paint/le'), [1, '@paint/left-pad'])
      assert.deepEqual(await search('pad pai'), [1, '@paint/left-pad'])
      assert.deepEqual(await search('oil pad'), [0])
      assert.deepEqual(await search(`paint' or '1'='1 %_`), [0])
      assert.deepEqual([await search('paint', 1, 1), await search('paint', 3, 1)], [[3, 'paint.oil'], [3]])
      assert.deepEqual((await search('paint', 0, 0))[0], 3)
      const all = await search('')
      assert.equal(all[0], all.length - 1)
      assert.ok(all.includes('repaint') && !all.includes('paint-gone'))
      await store.commit(grant, { type: 'critical' }, tx =>
        tx.catalog.addPackage('paint.oil' as PackageName, 'paint.oil', 'public', now),
      )
      assert.deepEqual(await search('oil'), [0], 'it is hosted here now')
    })

    test('the bytes of a version are the same for ever: others are refused, in any process', async () => {
      const made = ingested('pinned', '1.0.0')
      await ingest(made)
      await ingest({ ...made, ingestedAt: now + 5, lastUsedAt: now + 5 }, second)
      const other = { ...made, digest: createHash('sha512').update('other').digest('hex') as Digest }
      for (const on of [store, second]) await assert.rejects(ingest(other, on), { code: 'upstream-changed' })
      const kept = await second.mirrors.findIngested(made.package, made.version)
      assert.deepEqual(kept, { ...made, lastUsedAt: now + 5 })
      await ingest({ ...made, origin: 'renamed' })
      assert.equal((await store.mirrors.findIngested(made.package, made.version))?.origin, 'renamed')
      const racing = ['a', 'b', 'c', 'd'].map((text, i) =>
        ingest(
          {
            ...ingested('raced', '1.0.0'),
            digest: createHash('sha512').update(text).digest('hex') as Digest,
          },
          i % 2 === 0 ? store : second,
        ),
      )
      const results = await Promise.allSettled(racing)
      assert.equal(results.filter(each => each.status === 'fulfilled').length, 1)
    })

    test('a download notes the use of what came in, at most once an hour', async () => {
      const { package: name, version } = ingested('used', '1.0.0')
      await ingest(ingested('used', '1.0.0'))
      await ingest(ingested('used', '2.0.0'))
      const fetchAt = (on: Store, lastAt: number) =>
        on.downloads.add([
          {
            package: name,
            version,
            accountId: '',
            tokenId: '',
            address: '',
            client: '',
            count: 1,
            firstAt: lastAt,
            lastAt,
          },
        ])
      const used = async () => (await store.mirrors.listIngested(name)).map(each => each.lastUsedAt - now)
      await Promise.all([store, second].map(on => fetchAt(on, now + 1000)))
      assert.deepEqual(await used(), [0, 0])
      await Promise.all([store, second].map(on => fetchAt(on, now + 3600_001)))
      assert.deepEqual(await used(), [3600_001, 0])
    })

    test('what is found of a signature stays with its version, and moves the revision', async () => {
      const name = 'looked-at' as PackageName
      await store.mirrors.save(mirror(name, 4, 3), new Uint8Array())
      // Whoever has it in memory hears of it all the same.
      for (const on of [store, second]) await on.mirrors.find(name)
      const note = (on: Store, i: number, told = upstreamVersion(`1.0.${i}`)) =>
        on.mirrors.noteSignature(name, told, 'broken')
      await Promise.all([note(store, 0), note(second, 1)])
      // What was checked is not what it says by now.
      await note(store, 2, { ...upstreamVersion('1.0.2'), upstreamSignatures: '[1]' })
      await note(store, 2, { ...upstreamVersion('1.0.2'), digest: undefined })
      for (const on of [store, second]) {
        const kept = await on.mirrors.find(name)
        assert.deepEqual(
          kept?.versions.map(each => each.signature),
          ['broken', 'broken', 'verified'],
        )
        assert.equal(kept?.revision, 8)
      }
    })

    test('our signatures are kept by key, and added to', async () => {
      const name = 'signed' as PackageName
      const [a, b] = ['a', 'b'].map(text => createHash('sha512').update(text).digest('hex') as Digest)
      assert.ok(a !== undefined && b !== undefined)
      await store.mirrors.addSignatures(name, 'key', new Map([[a, 'one']]))
      await second.mirrors.addSignatures(name, 'key', new Map([[b, 'two']]))
      const both = new Map([
        [a, 'one'],
        [b, 'two'],
      ])
      assert.deepEqual(await store.mirrors.findSignatures(name, 'key'), both)
      assert.equal((await store.mirrors.findSignatures(name, 'newer')).size, 0)
      await store.mirrors.addSignatures(name, 'newer', new Map([[a, 'three']]))
      assert.deepEqual(await second.mirrors.findSignatures(name, 'newer'), new Map([[a, 'three']]))
    })

    test('a measure is set, replaced and lifted, and the documents with it', async () => {
      const name = 'measured' as PackageName
      const version = '1.0.0' as Version
      await store.mirrors.save(mirror(name, 4, 1), new Uint8Array())
      const set = (status: 'held' | 'quarantined' | undefined) =>
        store.commit(grant, { type: 'critical', pkg: name, ver: version }, async tx => {
          const measure = status && { package: name, version, status, reason: 'why', at: now }
          await tx.upstream.setMeasure(name, version, measure)
          await tx.upstream.touchMirror(name)
        })
      await set('held')
      await set('quarantined')
      assert.deepEqual(await second.mirrors.listMeasures(name), [
        { package: name, version, status: 'quarantined', reason: 'why', at: now },
      ])
      await set(undefined)
      assert.deepEqual(await second.mirrors.listMeasures(name), [])
      assert.equal((await store.mirrors.find(name))?.revision, 7)
    })
  })
}

function mirror(name: string, revision: number, versions: number): Mirror {
  return {
    name: name as PackageName,
    origin: 'upstream',
    revision,
    etag: '"e"',
    lastModified: '',
    checkedAt: 1,
    readWholeAt: 1,
    changedAt: 2,
    usedAt: 3,
    leftOut: [{ version: 'v?', why: 'it is no version' }],
    isGone: false,
    description: 'Ünïcode',
    createdAt: 4,
    modifiedAt: 5,
    tags: new Map([['latest' as DistTag, '1.0.0' as Version]]),
    versions: Array.from({ length: versions }, (_, i) => upstreamVersion(`1.0.${i}`)),
  }
}

function upstreamVersion(version: string): UpstreamVersion {
  return {
    version: version as Version,
    publishedAt: 1,
    knownSince: 2,
    digest: createHash('sha512').update(version).digest('hex') as Digest,
    hasInstallScript: false,
    signature: 'verified',
    provenance: 'none',
    publisher: 'somebody',
    dependencies: ['left-pad'],
    deprecated: '',
    shasum: '',
    tarball: `https://upstream.example/a/-/a-${version}.tgz`,
    unpackedSizeBytes: 1,
    fileCount: 1,
    upstreamSignatures: '',
    attestations: '',
  }
}

function ingested(name: string, version: string): Ingested {
  return {
    package: name as PackageName,
    version: version as Version,
    origin: 'upstream',
    digest: createHash('sha512').update(`${name}@${version}`).digest('hex') as Digest,
    shasum: 'a'.repeat(40),
    sizeBytes: 10,
    hasInstallScript: true,
    publishedAt: 1_600_000_000_000,
    ingestedAt: 1_700_000_000_000,
    lastUsedAt: 1_700_000_000_000,
    provenance: 'none',
  }
}
