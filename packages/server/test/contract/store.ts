// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  confusableKey,
  type Digest,
  type DistTag,
  decodeLeaf,
  formatIntegrity,
  isProblem,
  type PackageName,
  type Version,
} from '@holdfast/core'
import { sql } from 'kysely'
import { amend, type NewVersion } from '../../src/catalog/index.ts'
import { ensureAccount } from '../../src/flow/index.ts'
import { ownerEvent, userOf } from '../../src/flow/leaf.ts'
import { actorId, authorize, type Grant, operator } from '../../src/identity/index.ts'
import type { NewEvent, StoredEvent } from '../../src/integrity/index.ts'
import type { Ports } from '../../src/main.ts'
import type { DocumentRow, DownloadCount, Store, Tx } from '../../src/ports.ts'
import { openStore, type Schema, type SqlDriver } from '../../src/store/index.ts'
import type { StoreEngine } from './engine.ts'

const origin = 'registry.example/log'
const boom = new Error('boom')

/** Every promise of the Store port, checked on one engine with two stores on one database: two processes. */
export function storeContract(engine: StoreEngine): void {
  describe(`Store on ${engine.name}`, () => {
    let address: string
    let store: Store
    let second: Store
    let driver: SqlDriver<Schema>
    let grant: Grant
    let now = 1_700_000_000_000
    const clock = () => now

    before(async () => {
      address = await engine.makeAddress()
      driver = await engine.open(address)
      store = await openStore(driver, clock, origin)
      second = await openStore(await engine.open(address), clock, 'another.example/log')
      grant = await authorize({ store, config: {} as Ports['config'] }, operator, 'instance:operate', '')
    })

    after(async () => {
      await second.close()
      await store.close()
    })

    const commit = <T>(on: Store, event: NewEvent | NewEvent[], work: (tx: Tx) => Promise<T>) =>
      on.commit(grant, event, work)
    const make = (name: PackageName, on = store) =>
      commit(on, { type: 'critical', pkg: name }, tx =>
        tx.catalog.addPackage(name, confusableKey(name), 'public', now),
      )
    const addVersion = (name: PackageName, version: string, on = store) =>
      commit(on, published(name, version as Version), tx =>
        amend(tx.catalog, name, now, () => tx.catalog.addVersion(newVersion(name, version))),
      )

    test('two stores on one database are the same instance, whatever the second was told', () => {
      assert.deepEqual(second.instance, store.instance)
      assert.match(store.instance.id, /^[a-z0-9]{8}$/)
      assert.equal(store.instance.logOrigin, origin)
    })

    test('what work changes and its event are committed together, or neither is', async () => {
      const name = 'atomic' as PackageName
      const head = await store.events.head()
      const failed = commit(store, { type: 'critical', pkg: name }, async tx => {
        await tx.catalog.addPackage(name, confusableKey(name), 'public', now)
        throw boom
      })
      await assert.rejects(failed, boom)
      assert.equal(await second.catalog.findPackage(name), undefined)
      assert.equal(await second.events.head(), head)
      // An event that cannot be written takes the change with it: the leaf of this type has no such field.
      const unspeakable = commit(store, { type: 'unpublish', pkg: name, fields: { n: 1 } }, tx =>
        tx.catalog.addPackage(name, confusableKey(name), 'public', now),
      )
      await assert.rejects(unspeakable)
      assert.equal(await second.catalog.findPackage(name), undefined)
      assert.equal(await second.events.head(), head)
    })

    test('positions have no gap and are in the order of commits, which a follower in each process hears once', async () => {
      const start = await store.events.head()
      const heard: [Store, number[]][] = [store, second].map(on => [on, []])
      const stops = heard.map(([on, positions]) =>
        on.events.follow(events => positions.push(...events.map(event => event.position))),
      )
      const name = 'ordered' as PackageName
      await make(name)
      const commits = Array.from({ length: 40 }, (_, index) =>
        commit(
          index % 2 === 0 ? store : second,
          { type: 'critical', pkg: name, detail: { index } },
          async tx => {
            if (index % 5 === 0) throw boom
            await tx.catalog.touch(name, now)
          },
        ).catch(error => assert.equal(error, boom)),
      )
      // Whoever reads on while commits are under way never steps over one that comes later.
      const read: StoredEvent[] = []
      const reading = (async () => {
        while (read.length < 33) {
          read.push(...(await second.events.read(start + read.length, 7)))
          await delay(1)
        }
      })()
      await Promise.all([...commits, reading])
      const wanted = Array.from({ length: 33 }, (_, index) => start + 1 + index)
      assert.deepEqual(
        read.map(event => event.position),
        wanted,
      )
      for (const [, positions] of heard) {
        for (let waited = 0; positions.length < wanted.length && waited < 10_000; waited += 10)
          await delay(10)
        assert.deepEqual(positions, wanted)
      }
      // The newest are kept in memory; they are no others than those in the database, in whole and in parts.
      const fresh = await openStore(await engine.open(address), clock, origin)
      const stored = await fresh.events.read(start, 100)
      await fresh.close()
      for (const on of [store, second])
        for (const [after, limit] of [
          [0, 33],
          [1, 5],
          [20, 100],
          [32, 1],
          [33, 5],
        ] as const)
          assert.deepEqual(await on.events.read(start + after, limit), stored.slice(after, after + limit))
      for (const stop of stops) stop()
      assert.equal((await store.catalog.findPackage(name))?.revision, 32)
    })

    test('each package has a chain of its own: its leaves count from 1 and name the hash of the one before', async () => {
      const [one, two] = ['chain' as PackageName, 'link' as PackageName]
      for (const name of [one, two]) await make(name)
      await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          addVersion(index % 3 === 0 ? two : one, `1.0.${index}`, index % 2 === 0 ? store : second),
        ),
      )
      for (const [name, length] of [
        [one, 8],
        [two, 4],
      ] as const) {
        let prev = ''
        let seq = 0
        for (const event of await store.events.ofPackage(name)) {
          if (event.leaf === null) continue
          const leaf = decodeLeaf(event.leaf) as Record<string, unknown>
          seq += 1
          assert.deepEqual([leaf['seq'], leaf['prev'], leaf['pkg'], leaf['log']], [seq, prev, name, origin])
          prev = createHash('sha256')
            .update(Buffer.from([0]))
            .update(event.leaf)
            .digest('base64')
        }
        assert.equal(seq, length)
      }
    })

    test('a leaf names people by an opaque id: no login and no address', async () => {
      const ports = { store, config: {}, clock } as unknown as Ports
      const account = await ensureAccount(ports, operator, 'somebody-real')
      const actor = { ...operator, kind: 'system', id: account.id } as const
      const name = 'quiet' as PackageName
      await make(name)
      await store.commit(
        { ...grant, actor },
        ownerEvent(name, 'add', userOf(account.id), 'owner', { login: account.login }),
        async tx => tx.catalog.setRole(name, account.id, 'owner'),
      )
      const leaves = (await store.events.read(0, 10_000)).flatMap(event => event.leaf ?? [])
      assert.ok(leaves.some(leaf => leaf.includes(account.id)))
      for (const leaf of leaves) assert.doesNotMatch(leaf, /somebody-real|localhost|@[a-z]+\.[a-z]/)
    })

    test('of two who add one version exactly one wins, and of many who add different ones all do', async () => {
      const name = 'raced' as PackageName
      await make(name)
      for (let round = 0; round < 10; round++) {
        const results = await Promise.allSettled([
          addVersion(name, `1.0.${round}`, store),
          addVersion(name, `1.0.${round}`, second),
        ])
        const lost = results.filter(result => result.status === 'rejected')
        assert.equal(lost.length, 1)
        assert.ok(isProblem(lost[0]?.reason) && lost[0].reason.code === 'version-exists')
      }
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          addVersion(name, `2.0.${index}`, index % 2 ? store : second),
        ),
      )
      const facts = await store.catalog.listKeptFacts(name)
      assert.equal(facts.length, 30)
      const published = (await store.events.ofPackage(name)).filter(event => event.type === 'publish')
      assert.deepEqual(
        published.map(event => event.ver),
        facts.map(each => each.version),
        'versions stand in the order of their events',
      )
    })

    test('what an identity published, the newest first, has what another process took a moment ago', async () => {
      const name = 'often-published' as PackageName
      await make(name)
      const told = async (after = 0) =>
        (await store.habits.listPublished(actorId(operator), after))
          .filter(each => each.name === name)
          .map(({ version, news }) => `${version} ${news.join()}`)
      const publish = (version: string, on = store) =>
        commit(
          on,
          { ...published(name, version as Version), detail: { news: [`file ${version}`] } },
          async () => {},
        )
      await publish('1.0.0')
      assert.deepEqual(await told(), ['1.0.0 file 1.0.0'])
      await publish('1.1.0', second)
      const head = await store.events.head()
      await publish('1.2.0')
      assert.deepEqual(await told(), ['1.2.0 file 1.2.0', '1.1.0 file 1.1.0', '1.0.0 file 1.0.0'])
      assert.deepEqual(await told(head), ['1.2.0 file 1.2.0'])
    })

    test('versions come in pages in order of publication, more than a page of them', async () => {
      const name = 'long' as PackageName
      await make(name)
      const wanted = Array.from({ length: 1003 }, (_, index) => `1.0.${index}`)
      await commit(store, { type: 'critical', pkg: name }, async tx => {
        for (const version of wanted) await tx.catalog.addVersion(newVersion(name, version))
      })
      const found: string[] = []
      for await (const page of second.catalog.versions(name)) found.push(...page.map(each => each.version))
      assert.deepEqual(found, wanted)
    })

    test('a lease has one owner; a late one can neither advance nor release it for the next', async () => {
      const { leases } = store
      const first = await leases.acquire('work', 'a', 1000)
      assert.deepEqual(first && [first.position, await second.leases.acquire('work', 'b', 1000)], [
        0,
        undefined,
      ])
      assert.equal(await leases.advance('work', first?.fence ?? 0, 5), true)
      now += 1001
      const next = await second.leases.acquire('work', 'b', 1000)
      assert.equal(next?.position, 5)
      assert.ok((next?.fence ?? 0) > (first?.fence ?? 0))
      assert.equal(await leases.advance('work', first?.fence ?? 0, 9), false)
      await leases.release('work', 'a')
      assert.equal(await leases.acquire('work', 'a', 1000), undefined)
      await second.leases.release('work', 'b')
      now += 1
      assert.equal((await leases.acquire('work', 'a', 1000))?.position, 5)
      const both = await Promise.all([store, second].map((on, at) => on.leases.acquire('new', `${at}`, 1000)))
      assert.equal(both.filter(Boolean).length, 1)
    })

    test('search ranks a name over a keyword over a description, and pages without loss or repetition', async () => {
      const words: readonly [string, string, string[]][] = [
        ['zebra', 'stripes', []],
        ['zebra-tools', 'for the job', []],
        ['@zebra/core', 'inside', []],
        ['striped', 'like a horse', ['zebra']],
        ['horse', 'a zebra without stripes', []],
        ['Zebrafish', 'swims', []],
        ['zebra_100%', 'literal signs', []],
        ['unrelated', 'nothing of it', []],
      ]
      for (const [text, description, keywords] of words) {
        const name = text as PackageName
        await make(name)
        await commit(store, { type: 'critical', pkg: name, ver: '1.0.0' as Version }, tx =>
          amend(tx.catalog, name, now, async () => {
            await tx.catalog.addVersion(newVersion(name, '1.0.0'))
            await tx.catalog.setTag(name, 'latest' as DistTag, '1.0.0' as Version)
            await tx.catalog.describe(name, { description, keywords, readme: '' })
          }),
        )
      }
      const find = async (text: string, offset = 0, limit = 20) =>
        (await second.catalog.search({ text, reader: { kind: 'nobody' }, offset, limit })).hits.map(
          hit => hit.name,
        )
      const all = ['zebra', 'zebra-tools', 'zebra_100%', '@zebra/core', 'Zebrafish', 'striped', 'horse']
      assert.deepEqual(await find('zebra'), all)
      assert.deepEqual(
        [...(await find('zebra', 0, 3)), ...(await find('zebra', 3, 3)), ...(await find('zebra', 6, 3))],
        all,
      )
      assert.deepEqual(await find('ZEBRA horse'), await find('horse zebra'))
      assert.deepEqual(await find("zebra' or '1'='1"), [])
      assert.deepEqual(await find('%'), [])
      assert.deepEqual(await find('nothing-at-all'), [])
    })

    test('a document is replaced by a newer one and never by an older one', async () => {
      const name = 'document' as PackageName
      await make(name)
      const save = (revision: number, etag: string) => store.documents.save(document(name, revision, etag))
      await save(3, 'three')
      await save(2, 'two')
      assert.equal((await second.documents.find(name, 'full'))?.etag, 'three')
      await save(3, 'three again')
      await save(4, 'four')
      const found = await second.documents.find(name, 'full')
      assert.equal(found?.etag, 'four')
      assert.deepEqual(Buffer.from(found?.identity ?? []), Buffer.from([0, 255, 4]))
      assert.equal(await second.documents.find(name, 'corgi'), undefined)
      await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          (at % 2 ? store : second).documents.save(document(name, at, `${at}`)),
        ),
      )
      assert.equal((await store.documents.find(name, 'full'))?.revision, 19)
    })

    test('downloads add up, from several processes, by version and by day', async () => {
      const name = 'fetched' as PackageName
      await make(name)
      const day = 24 * 3600_000
      const at = Math.floor(now / day) * day
      const count = (version: string, lastAt: number, n: number): DownloadCount => ({
        package: name,
        version: version as Version,
        accountId: '',
        tokenId: 't_1',
        address: '192.0.2.1',
        client: 'npm',
        count: n,
        firstAt: lastAt,
        lastAt,
      })
      await Promise.all([
        ...Array.from({ length: 5 }, () =>
          store.downloads.add([count('1.0.0', at, 2), count('2.0.0', at, 1)]),
        ),
        ...Array.from({ length: 5 }, () =>
          second.downloads.add([count('2.0.0', at, 1), count('1.0.0', at - day, 1)]),
        ),
      ])
      assert.equal(await store.downloads.count(name, undefined, 0), 25)
      assert.equal(await store.downloads.count(name, '1.0.0' as Version, 0), 15)
      assert.equal(await store.downloads.count(name, undefined, at), 20)
      assert.deepEqual(await store.downloads.perDay(name, 0), [
        { day: at - day, count: 5 },
        { day: at, count: 20 },
      ])
      assert.equal(await store.downloads.rollUp(at, 100), 5)
      assert.equal(await store.downloads.count(name, undefined, 0), 25, 'counts outlive who fetched')
    })

    test('opening again, also by several at once, changes nothing; a newer schema is refused', async () => {
      const fresh = await engine.makeAddress()
      const drivers = await Promise.all(Array.from({ length: 3 }, () => engine.open(fresh)))
      const opened = await Promise.all(drivers.map(each => openStore(each, clock, origin)))
      assert.equal(new Set(opened.map(each => each.instance.id)).size, 1)
      await drivers[0]?.transact(tx =>
        sql`insert into migration (name, at) values ('9999-future', 0)`.execute(tx),
      )
      const late = await engine.open(fresh)
      await assert.rejects(openStore(late, clock, origin), /newer release \(migration 9999-future\)/)
      await late.close()
      for (const each of opened) await each.close()
    })

    test('of two processes that make one name at once one makes it, and the other sees it there', async () => {
      const name = 'wanted' as PackageName
      const seen = await Promise.all(
        [store, second].map(on =>
          commit(on, { type: 'critical', pkg: name }, async tx => [
            await tx.catalog.addPackage(name, confusableKey(name), 'public', now),
            (await tx.catalog.findPackage(name)) !== undefined,
          ]),
        ),
      )
      assert.deepEqual(seen.sort(), [
        [false, true],
        [true, true],
      ])
    })
  })
}

function newVersion(name: PackageName, version: string): NewVersion {
  const digest = createHash('sha512').update(`${name}@${version}`).digest('hex') as Digest
  return {
    package: name,
    version: version as Version,
    status: 'live',
    digest,
    shasum: digest.slice(0, 40),
    sizeBytes: 1,
    unpackedSizeBytes: 1,
    fileCount: 1,
    manifest: '{}',
    shortManifest: '{}',
    hasInstallScript: false,
    signatures: '[]',
    publishedAt: 0,
    publisherId: 'a_1',
    tokenId: '',
    approverId: '',
    dependencies: ['left-pad', 'left-pad'],
  }
}

function published(name: PackageName, version: Version): NewEvent {
  const { digest } = newVersion(name, version)
  const manifest = `sha256-${createHash('sha256').update('{}').digest('base64')}`
  const dist = { integrity: formatIntegrity(digest), size: 1, manifest }
  return { type: 'publish', pkg: name, ver: version, fields: { dist } }
}

function document(name: PackageName, revision: number, etag: string): DocumentRow {
  const bytes = Uint8Array.of(0, 255, revision)
  return {
    package: name,
    form: 'full',
    origin: 'hosted',
    revision,
    publicUrl: 'http://registry.example',
    policyVersion: 0,
    validUntil: null,
    etag,
    identity: bytes,
    gzip: bytes,
    brotli: bytes,
    zstd: bytes,
  }
}
