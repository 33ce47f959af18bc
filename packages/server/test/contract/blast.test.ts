// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { PackageName, Version } from '@holdfast/core'
import type { Holder } from '../../src/incident/index.ts'
import type { Store } from '../../src/ports.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

for (const engine of engines) blastContract(engine)

/** What the question who has the bytes asks of the store. */
function blastContract(engine: StoreEngine): void {
  describe(`holders on ${engine.name}`, () => {
    let pair: Pair
    let store: Store
    const now = 1_700_000_000_000
    const worm = 'worm' as PackageName
    const fetched = (version: string, address: string, at: number, accountId = '', tokenId = '') => ({
      ...{ package: worm, version: version as Version, accountId, tokenId, address, client: 'npm/11' },
      ...{ count: 1, firstAt: at, lastAt: at },
    })

    before(async () => {
      pair = await openPair(engine, () => now)
      store = pair.store
      const ann = await pair.account('ann')
      await store.downloads.add([
        fetched('1.0.0', '192.0.2.1', now, ann.id, 'h_1'),
        fetched('1.0.0', '192.0.2.1', now + 5, ann.id, 'h_1'),
        fetched('1.0.0', '192.0.2.2', now + 7, '', 'h_job'),
        fetched('2.0.0', '192.0.2.3', now),
        { ...fetched('1.0.0', '192.0.2.9', now), package: 'other' as PackageName },
      ])
      const facts = JSON.stringify({ repository: 'acme/app', workflow: 'build.yml', run: '7', commit: 'x' })
      await store.commit(pair.grant, { type: 'case' }, async tx => {
        await tx.identity.addJob({ tokenId: 'h_job', publisherId: 'p', facts: JSON.parse(facts), at: now })
        for (const [id, versions] of [
          ['case-all', ['', '1.0.0']],
          ['case-one', ['1.0.0']],
        ] as const)
          for (const version of versions)
            await tx.incident.addCaseSubjects(id, [{ package: worm, version: version as Version }])
      })
    })
    after(() => pair.close())

    const brief = (all: readonly Holder[]) =>
      all.map(each => [each.version, each.login, each.job?.run ?? '', each.address, each.count])

    test('each hand is told once, with who it is and how often, page by page', async () => {
      const all = await store.blast.listHolders('case-one', undefined, 10)
      assert.deepEqual(brief(all), [
        ['1.0.0', '', '7', '192.0.2.2', 1],
        ['1.0.0', 'ann', '', '192.0.2.1', 2],
      ])
      assert.deepEqual([all[1]?.firstAt, all[1]?.lastAt], [now, now + 5])
      assert.deepEqual(brief(await store.blast.listHolders('case-one', all[0], 10)), brief(all.slice(1)))
      const [first] = await store.blast.listHolders('case-one', undefined, 1)
      assert.deepEqual(first, all[0])
    })

    test('of a package as a whole all versions count, each once', async () => {
      const all = await store.blast.listHolders('case-all', undefined, 10)
      assert.deepEqual(
        all.map(each => each.version),
        ['1.0.0', '1.0.0', '2.0.0'],
      )
      assert.deepEqual(await store.blast.sumHolders('case-all'), {
        ...{ fetches: 4, accounts: 1, tokens: 2, addresses: 3 },
      })
      const ann = (await pair.account('ann')).id
      assert.deepEqual(await store.blast.listHolderAccounts('case-all', '', 5), [ann])
      assert.deepEqual(await store.blast.listHolderAccounts('case-all', ann, 5), [])
    })

    test('what one account fetched is read page by page, and forgotten but for what an open case is about', async () => {
      const cleo = (await pair.account('cleo')).id
      await store.downloads.add([
        fetched('1.0.0', '192.0.2.1', now, cleo, 'h_2'),
        { ...fetched('1.0.0', '192.0.2.1', now, cleo, 'h_2'), package: 'free' as PackageName },
      ])
      const all = await store.blast.listOwn(cleo, undefined, 10)
      assert.deepEqual(
        all.map(each => [each.package, each.login, each.count]),
        [
          ['free', 'cleo', 1],
          [worm, 'cleo', 1],
        ].sort(),
      )
      assert.deepEqual(await store.blast.listOwn(cleo, all[0], 10), all.slice(1))
      const draft = {
        id: 'case-all',
        kind: 'malware',
        title: 'x',
        severity: 'critical',
        openedBy: 'x',
      } as const
      await store.commit(pair.grant, { type: 'case' }, async tx => {
        await tx.incident.addCase({ ...draft, state: 'draft', openedAt: now })
        assert.equal(await tx.blast.forgetOwn(cleo), 1)
        await tx.incident.setCaseState('case-all', 'closed')
        assert.equal(await tx.blast.forgetOwn(cleo), 1)
      })
      assert.deepEqual(await store.blast.listOwn(cleo, undefined, 10), [])
    })

    /** Page by page, with this many on one. */
    const listAll = async (incident: string, size: number) => {
      const all: Holder[] = []
      for (;;) {
        const page = await store.blast.listHolders(incident, all.at(-1), size)
        all.push(...page)
        if (page.length < size) return all
      }
    }

    test('a record becomes a holder without its address, by whichever of two processes comes, and no look finds it in none or in both', async () => {
      const day = 24 * 3600_000
      const at = now - 100 * day
      const ben = (await pair.account('ben')).id
      const old = { ...fetched('1.0.0', '192.0.2.4', at, ben, 'h_ben'), package: 'aged' as PackageName }
      await store.downloads.add(
        Array.from({ length: 60 }, (_, n) => ({ ...old, lastAt: at + n, firstAt: at })),
      )
      await store.downloads.add([
        { ...old, version: '2.0.0' as Version },
        { ...old, firstAt: now, lastAt: now },
        { ...old, firstAt: now, lastAt: now, accountId: '', tokenId: '', client: '' },
      ])
      await store.commit(pair.grant, { type: 'case' }, tx =>
        tx.incident.addCaseSubjects('case-aged', [{ package: old.package, version: '' }]),
      )
      const before = await store.blast.sumHolders('case-aged')
      const moved = await Promise.all(
        [store, pair.second, store, pair.second].map(each => each.downloads.rollUp(now - 90 * day, 17)),
      )
      moved.push(await store.downloads.rollUp(now - 90 * day, 1000))
      assert.equal(
        moved.reduce((sum, each) => sum + each, 0),
        61,
      )
      const all = await store.blast.listHolders('case-aged', undefined, 10)
      assert.deepEqual(
        all.map(each => [
          each.version,
          each.login,
          each.address,
          each.client,
          each.count,
          each.firstAt,
          each.lastAt,
        ]),
        [
          ['1.0.0', '', '192.0.2.4', '', 1, now, now],
          ['1.0.0', 'ben', '', '', 60, at, at + 59],
          ['1.0.0', 'ben', '192.0.2.4', 'npm/11', 1, now, now],
          ['2.0.0', 'ben', '', '', 1, at, at],
        ],
      )
      for (const size of [1, 2, 3]) assert.deepEqual(await listAll('case-aged', size), all)
      assert.deepEqual(await store.blast.sumHolders('case-aged'), before)
      assert.deepEqual(await store.blast.listHolderAccounts('case-aged', '', 5), [ben])
      assert.equal(await store.downloads.dropHolders(at + 59, 10), 1)
      assert.equal(await store.downloads.dropHolders(at + 60, 10), 1)
      assert.deepEqual(
        await listAll('case-aged', 10),
        all.filter(each => each.address !== ''),
      )
    })

    test('only addresses of old records become networks, once', async () => {
      const day = 24 * 3600_000
      const wide = { package: 'wide' as PackageName }
      await store.downloads.add([
        { ...fetched('1.0.0', '192.0.2.7', now - day), ...wide },
        { ...fetched('1.0.0', '192.0.2.7', now), ...wide },
      ])
      await store.commit(pair.grant, { type: 'case' }, tx =>
        tx.incident.addCaseSubjects('case-wide', [{ package: wide.package, version: '' }]),
      )
      const cut = (address: string) => address.replace(/\d+$/, '0/24')
      for (const _ of ['once', 'again']) await store.downloads.shortenAddresses(now, cut)
      const told = await store.blast.listHolders('case-wide', undefined, 10)
      assert.deepEqual(
        told.map(each => [each.address, each.lastAt]),
        [
          ['192.0.2.0/24', now - day],
          ['192.0.2.7', now],
        ],
      )
    })

    test('a letter is sent once and done once', async () => {
      const { id } = await pair.account('ann')
      await store.commit(pair.grant, { type: 'case' }, async tx => {
        assert.equal(await tx.blast.addLetter('case-one', id, now), true)
        assert.equal(await tx.blast.addLetter('case-one', id, now + 1), false)
        assert.equal(await tx.blast.setLetterDone('case-one', 'somebody', now), false)
        assert.equal(await tx.blast.setLetterDone('case-one', id, now + 2), true)
        assert.equal(await tx.blast.setLetterDone('case-one', id, now + 3), false)
      })
      const letter = { incident: 'case-one', accountId: id, login: 'ann', sentAt: now, doneAt: now + 2 }
      assert.deepEqual(await store.blast.listLetters('case-one'), [letter])
      assert.deepEqual(await store.blast.listLettersTo(id), [letter])
    })
  })
}
