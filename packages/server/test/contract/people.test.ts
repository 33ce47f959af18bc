// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { confusableKey, type PackageName } from '@holdfast/core'
import type { Grant } from '../../src/identity/index.ts'
import type { Store, Tx } from '../../src/ports.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

for (const engine of engines) peopleContract(engine)

/** What people at work, critical packages and the audit trail ask of the store. */
function peopleContract(engine: StoreEngine): void {
  describe(`people on ${engine.name}`, () => {
    let pair: Pair
    let store: Store
    let second: Store
    let grant: Grant
    let now = 1_700_000_000_000
    const dayMs = 24 * 3600_000

    before(async () => {
      pair = await openPair(engine, () => now)
      ;({ store, second, grant } = pair)
    })
    after(() => pair.close())

    const account = (login: string) => pair.account(login)
    const change = (work: (tx: Tx) => Promise<unknown>, pkg?: string, on = store) =>
      on.commit(grant, { type: 'critical', ...(pkg === undefined ? {} : { pkg: pkg as PackageName }) }, work)
    const make = (name: string) =>
      change(tx => tx.catalog.addPackage(name as PackageName, confusableKey(name), 'public', now), name)

    test('everybody with a role is listed once for each way to it', async () => {
      const [ann, bob] = [await account('ann'), await account('bob')]
      await make('@acme/ui')
      await change(async tx => {
        await tx.catalog.setRole('@acme/ui' as PackageName, ann.id, 'triager')
        await tx.identity.addOrg('acme', now)
        await tx.identity.setOrgMember('acme', ann.id, 'admin')
        await tx.identity.setOrgMember('acme', bob.id, 'developer')
        await tx.identity.addTeam('acme', 'core', 'tm_0123456789abcdef')
        await tx.identity.setTeamMember('acme', 'core', bob.id, true)
        await tx.identity.setTeamGrant('acme', 'core', '@acme/ui' as PackageName, 'read-write')
      })
      const held = await store.identity.listHolders('@acme/ui' as PackageName)
      assert.deepEqual(
        held.map(each => [each.login, each.role, each.through]),
        [
          ['ann', 'triager', ''],
          ['bob', 'maintainer', 'acme:core'],
          ['ann', 'owner', 'acme'],
          ['bob', 'reader', 'acme'],
        ],
      )
    })

    test('of two processes that each take a role from the other’s last operator, the second sees what the first did', async () => {
      const [one, two] = [await account('one'), await account('two')]
      const takeFrom = (id: string, on: Store) =>
        change(
          async tx => {
            await tx.identity.holdInstance()
            await tx.identity.setRoles(id, [])
            if (!(await tx.identity.hasOperator())) throw new Error('nobody is left')
          },
          undefined,
          on,
        )
      await change(async tx => {
        await tx.identity.setRoles(one.id, ['operator'])
        await tx.identity.setRoles(two.id, ['operator'])
      })
      const done = await Promise.allSettled([takeFrom(one.id, store), takeFrom(two.id, second)])
      assert.deepEqual(done.map(each => each.status).sort(), ['fulfilled', 'rejected'])
      assert.ok(await store.identity.hasOperator())
    })

    test('an account that is switched off has no session and no wish that waits', async () => {
      const { id } = await account('cal')
      const session = {
        id: 's_1',
        accountId: id,
        createdAt: now,
        expiresAt: now + 1,
        lastSeenAt: now,
        freshUntil: now,
        byPasskey: true,
        address: '',
        client: '',
      }
      await change(async tx => {
        await tx.identity.addSession('hash-of-a-session', session)
        await tx.identity.setDisabled(id, now)
        await tx.identity.endPresence(id)
      })
      assert.equal((await store.identity.findAccount(id))?.disabledAt, now)
      assert.equal(await store.identity.findSession('hash-of-a-session'), undefined)
    })

    test('a package is critical for each reason of its own, and use is counted from a day on', async () => {
      for (const name of ['busy', 'quiet']) await make(name)
      const download = { version: '1.0.0' as never, accountId: '', tokenId: '', address: '', client: '' }
      const fetched = (name: string, count: number, at: number) =>
        store.downloads.add([{ ...download, package: name as PackageName, count, firstAt: at, lastAt: at }])
      await fetched('busy', 3, now)
      await fetched('busy', 4, now - dayMs)
      await fetched('quiet', 100, now - 10 * dayMs)
      const since = await store.identity.listMostDownloaded(now - 2 * dayMs, 10)
      assert.deepEqual(since, [{ package: 'busy', count: 7 }])
      const entry = { package: 'busy' as PackageName, why: 'a test', since: now, bindsAt: now }
      await change(async tx => {
        await tx.identity.setCritical({ ...entry, source: 'computed' })
        await tx.identity.setCritical({ ...entry, source: 'marked' })
        await tx.identity.setCritical({ ...entry, source: 'marked', why: 'another' })
        await tx.identity.removeCritical('busy' as PackageName, 'computed')
      })
      assert.deepEqual(await store.identity.findCritical('busy' as PackageName), [
        { ...entry, source: 'marked', why: 'another' },
      ])
    })

    test('events are found by type, actor, package and time, newest first, before a position', async () => {
      now += dayMs
      for (const name of ['found-1', 'found-2']) await make(name)
      const all = await store.events.search({ since: now }, Number.MAX_SAFE_INTEGER, 10)
      assert.deepEqual(
        all.map(event => event.pkg),
        ['found-2', 'found-1'],
      )
      const before = all[0]?.position ?? 0
      assert.deepEqual(
        (await store.events.search({ since: now }, before, 10)).map(event => event.pkg),
        ['found-1'],
      )
      const named = { type: 'critical', actorId: 'operator', package: 'found-1' as PackageName } as const
      assert.equal((await store.events.search(named, Number.MAX_SAFE_INTEGER, 10)).length, 1)
      assert.equal(
        (await store.events.search({ ...named, type: 'publish' }, Number.MAX_SAFE_INTEGER, 10)).length,
        0,
      )
      assert.equal(
        (await store.events.search({ ...named, until: now }, Number.MAX_SAFE_INTEGER, 10)).length,
        0,
      )
    })
  })
}
