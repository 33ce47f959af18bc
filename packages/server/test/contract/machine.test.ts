// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type PackageName, problem } from '@holdfast/core'
import type { Grant, JobFacts, TrustedPublisher } from '../../src/identity/index.ts'
import type { Store } from '../../src/ports.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

for (const engine of engines) machineContract(engine)

/** What jobs and their publishers ask of the store, with two stores on one database: two processes. */
function machineContract(engine: StoreEngine): void {
  describe(`machines on ${engine.name}`, () => {
    let pair: Pair
    let stores: readonly [Store, Store]
    let store: Store
    let grant: Grant
    const now = 1_700_000_000_000
    const commit = <T>(on: Store, work: Parameters<Store['commit']>[2]) =>
      on.commit(grant, { type: 'account-change' }, work) as Promise<T>

    before(async () => {
      pair = await openPair(engine, () => now)
      stores = [pair.store, pair.second]
      ;({ store, grant } = pair)
    })
    after(() => pair.close())

    test('of many that use one nonce at once, in two processes, exactly one wins and leaves its job', async () => {
      const use = (on: Store, tokenId: string) =>
        commit(on, async tx => {
          if (!(await tx.identity.useNonce('https://ci.example', 'jti 1', now + 1, now)))
            throw problem('job-token-used')
          await tx.identity.addJob({ tokenId, publisherId: 'tp_1', facts, at: now })
        })
      const racing = Array.from({ length: 8 }, (_, i) => use(stores[i % 2 === 0 ? 0 : 1], `t_${i}`))
      const results = await Promise.allSettled(racing)
      assert.equal(results.filter(each => each.status === 'fulfilled').length, 1)
      const jobs = await Promise.all(racing.map((_, i) => store.identity.findJob(`t_${i}`)))
      assert.deepEqual(
        jobs.map(job => job !== undefined),
        results.map(each => each.status === 'fulfilled'),
      )
      assert.deepEqual(jobs.find(job => job !== undefined)?.facts, facts)
    })

    test('a nonce counts for its issuer, until it need not be remembered', async () => {
      const use = (issuer: string, at: number) =>
        commit<boolean>(store, tx => tx.identity.useNonce(issuer, 'jti 2', at + 10, at))
      assert.deepEqual(
        [await use('https://a.example', now), await use('https://a.example', now + 10)],
        [true, false],
      )
      assert.equal(await use('https://b.example', now), true)
      assert.equal(await use('https://a.example', now + 11), true)
    })

    test('publishers are listed oldest first, those that waited too long and those that ended left out', async () => {
      for (const made of [publisher('tp_b', 2), publisher('tp_a', 1), publisher('tp_c', 3, now + 5)])
        await commit(store, tx => tx.identity.addPublisher(made))
      const list = async (at: number) => (await store.identity.listPublishers(name, at)).map(each => each.id)
      assert.deepEqual(await list(now), ['tp_a', 'tp_b', 'tp_c'])
      assert.deepEqual(await list(now + 5), ['tp_a', 'tp_b'])
      assert.equal(await store.identity.countPending('a_1', now), 1)
      const remove = () => commit<boolean>(store, tx => tx.identity.removePublisher('tp_a', now))
      assert.deepEqual([await remove(), await remove()], [true, false])
      assert.deepEqual(await list(now + 5), ['tp_b'])
      assert.equal(await store.identity.findPublisher('tp_a'), undefined)
      assert.deepEqual(await store.identity.findPublisher('tp_b'), publisher('tp_b', 2))
    })
  })
}

const name = '@acme/widget' as PackageName

function publisher(id: string, createdAt: number, pendingUntil: number | null = null): TrustedPublisher {
  return {
    id,
    package: name,
    provider: 'github',
    issuer: 'https://ci.example',
    rule: { repository: 'acme/widget', workflow: 'publish.yml', ref: 'refs/tags/v*' },
    permissions: ['createPackage'],
    createdAt,
    createdBy: 'a_1',
    startsAt: createdAt,
    pendingUntil,
    lastUsedAt: null,
  }
}

const facts: JobFacts = {
  provider: 'github',
  issuer: 'https://ci.example',
  subject: 'repo:acme/widget',
  repository: 'acme/widget',
  repositoryId: '1001',
  ownerId: '77',
  workflow: 'publish.yml',
  ref: 'refs/heads/main',
  protectedRef: true,
  environment: '',
  event: 'push',
  runner: 'hosted',
  run: '1/1',
  commit: '',
  contexts: [],
  claims: {},
}
