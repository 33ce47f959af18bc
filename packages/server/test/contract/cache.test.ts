// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Digest, PackageName, Version } from '@holdfast/core'
import type { Ingested } from '../../src/catalog/index.ts'
import type { Store, Tx } from '../../src/ports.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

for (const engine of engines) cacheContract(engine)

/** What a quota asks of what came in from upstreams. */
function cacheContract(engine: StoreEngine): void {
  describe(`cached bytes on ${engine.name}`, () => {
    let pair: Pair
    let store: Store
    const now = 1_700_000_000_000
    const change = (work: (tx: Tx) => Promise<void>) => store.commit(pair.grant, { type: 'critical' }, work)
    const ingest = (made: Ingested) => change(tx => tx.upstream.addIngested(made))

    before(async () => {
      pair = await openPair(engine, () => now)
      store = pair.store
      for (const [i, name] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) await ingest(ingested(name, now + i))
      await ingest({ ...ingested('twin', now), digest: ingested('f', 0).digest })
    })
    after(() => pair.close())

    const all = async () => (await store.mirrors.listLeastUsed(undefined, 10)).map(each => each.package)

    test('what nothing holds fast is listed by its last use, a page at a time', async () => {
      assert.deepEqual(await all(), ['a', 'b', 'c', 'd', 'e'])
      const first = await store.mirrors.listLeastUsed(undefined, 2)
      const rest = await pair.second.mirrors.listLeastUsed(first[1], 10)
      assert.deepEqual(
        rest.map(each => each.package),
        ['c', 'd', 'e'],
      )
    })

    test('measures and lock files hold fast', async () => {
      const [a, c] = [ingested('a', 0), ingested('c', 0)]
      await change(async tx => {
        await tx.upstream.setMeasure(a.package, a.version, { ...a, status: 'held', reason: '', at: now })
        await tx.policy.grandfather([{ package: c.package, version: c.version }], now)
      })
      assert.deepEqual(await all(), ['b', 'd', 'e'])
    })

    test('dropped bytes count no more, until they come in again', async () => {
      assert.equal(await store.mirrors.sumKeptBytes(), 70)
      await store.mirrors.noteDropped('b' as PackageName, '1.0.0' as Version, now)
      assert.equal(await store.mirrors.sumKeptBytes(), 60)
      assert.deepEqual(await all(), ['d', 'e'])
      assert.equal((await store.mirrors.findIngested('b' as PackageName, '1.0.0' as Version))?.sizeBytes, 10)
      await ingest(ingested('b', now + 9))
      assert.equal(await store.mirrors.sumKeptBytes(), 70)
      assert.deepEqual(await all(), ['d', 'e', 'b'])
    })
  })
}

function ingested(name: string, lastUsedAt: number): Ingested {
  return {
    package: name as PackageName,
    version: '1.0.0' as Version,
    origin: 'upstream',
    digest: createHash('sha512').update(name).digest('hex') as Digest,
    shasum: 'a'.repeat(40),
    sizeBytes: 10,
    hasInstallScript: false,
    publishedAt: 1,
    ingestedAt: 1,
    lastUsedAt,
    provenance: 'none',
  }
}
