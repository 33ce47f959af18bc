// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Digest, PackageName, Version } from '@holdfast/core'
import {
  type Advisory,
  defaultPolicy,
  nextPolicy,
  type Policy,
  parseRules,
  type Waiver,
} from '../../src/catalog/index.ts'
import type { Grant } from '../../src/identity/index.ts'
import type { Store } from '../../src/ports.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

for (const engine of engines) policyContract(engine)

/** The policy and what it is fed with, with two stores on one database: two processes. */
function policyContract(engine: StoreEngine): void {
  describe(`the policy on ${engine.name}`, () => {
    const now = Date.UTC(2026, 5, 15, 12)
    const dayMs = 24 * 3600_000
    const name = 'left-pad' as PackageName
    let pair: Pair
    let store: Store
    let second: Store
    let grant: Grant

    before(async () => {
      pair = await openPair(engine, () => now)
      ;({ store, second, grant } = pair)
    })
    after(() => pair.close())

    const set = (policy: Policy) =>
      store.commit(grant, { type: 'policy', fields: { op: 'set' } }, tx => tx.policy.setPolicy(policy, now))

    test('a new policy counts at once here, and within a second in another process', async () => {
      assert.equal(await store.policy.current(), undefined)
      assert.equal(await second.policy.current(), undefined)
      const rules = parseRules([{ kind: 'deny', packages: ['left-pad'], mode: 'enforce' }])
      const first = nextPolicy(defaultPolicy, rules, now)
      await set(first)
      assert.deepEqual(await store.policy.current(), first)
      for (let waited = 0; (await second.policy.current())?.version !== 1; waited += 20) {
        assert.ok(waited < 10_000, 'the other process did not hear of it')
        await delay(20)
      }
      assert.deepEqual(await second.policy.current(), first)
      await set(nextPolicy(first, [], now))
      assert.equal((await store.policy.current())?.version, 2)
    })

    test('of two that set the policy at once one is refused, so that no version is two lists', async () => {
      const at = (await store.policy.current()) ?? defaultPolicy
      await set(nextPolicy(at, [], now))
      await assert.rejects(set(nextPolicy(at, [], now)), { code: 'revision-conflict' })
    })

    test('waivers come back as they were, and those that end are found', async () => {
      const waiver: Waiver = {
        id: 'w_1',
        package: name,
        version: '1.0.0' as Version,
        rules: ['release-age', 'deprecated'],
        reason: 'the build needs it',
        state: 'asked',
        askedBy: 'a_1',
        askedAt: now,
        decidedBy: '',
        decidedAt: null,
        endsAt: null,
        notifiedAt: null,
        grounds: ['GHSA-aaaa-bbbb-cccc', 'CVE-2026-1'],
      }
      const save = (each: Waiver) =>
        store.commit(grant, { type: 'waiver-ask', pkg: name, ver: each.version }, tx =>
          tx.policy.setWaiver(each),
        )
      await save(waiver)
      const granted: Waiver = {
        ...waiver,
        state: 'granted',
        decidedBy: 'a_2',
        decidedAt: now,
        endsAt: now + dayMs,
      }
      await save(granted)
      await save({ ...waiver, id: 'w_2', version: '1.0.1' as Version, askedAt: now + 1 })
      assert.deepEqual(await second.policy.findWaiver('w_1'), granted)
      assert.equal(await store.policy.findWaiver('w_3'), undefined)
      assert.deepEqual(
        (await store.policy.listWaivers(name)).map(({ id }) => id),
        ['w_1', 'w_2'],
      )
      assert.deepEqual(
        (await store.policy.listAllWaivers(undefined, 10)).map(({ id }) => id),
        ['w_2', 'w_1'],
      )
      assert.deepEqual(
        (await store.policy.listAllWaivers('asked', 10)).map(({ id }) => id),
        ['w_2'],
      )
      assert.deepEqual(await store.policy.listWaiversEnding(now), [])
      assert.deepEqual(await store.policy.listWaiversEnding(now + dayMs), [granted])
    })

    test('advisories are found by package and by scope, and replaced by their id', async () => {
      const one = advisory('@acme/core', 'GHSA-1', now)
      const others = [advisory('@acme/parser', 'GHSA-2', now), advisory('@acmeother/core', 'GHSA-3', now)]
      const old = advisory('@acme/old', 'GHSA-4', now - 100 * dayMs)
      await store.commit(grant, { type: 'critical' }, async tx => {
        for (const each of [one, ...others, old]) await tx.policy.setAdvisory(each)
        await tx.policy.setAdvisory({ ...one, title: 'worse than thought' })
      })
      assert.deepEqual(await store.policy.listAdvisories(one.package), [
        { ...one, title: 'worse than thought' },
      ])
      const found = await store.policy.listSiblingAdvisories('@acme', now - dayMs)
      assert.deepEqual(
        found.map(({ id }) => id),
        ['GHSA-1', 'GHSA-2'],
      )
    })

    test('bad digests are found among many', async () => {
      const bad = 'ab'.repeat(64) as Digest
      await store.commit(grant, { type: 'critical' }, tx =>
        tx.policy.setBadDigest({ digest: bad, why: 'steals tokens' }),
      )
      const many = Array.from({ length: 1200 }, (_, i) => i.toString(16).padStart(128, '0') as Digest)
      assert.deepEqual(await store.policy.listBadDigests([...many, bad]), new Map([[bad, 'steals tokens']]))
      assert.deepEqual(await store.policy.listBadDigests([]), new Map())
    })

    test('what was served or named by a lock file is known with the first time', async () => {
      const served = { package: name, accountId: '', tokenId: '', address: '', client: '', count: 1 }
      const at = (version: string, time: number) => ({
        ...served,
        version: version as Version,
        firstAt: time,
        lastAt: time,
      })
      await store.downloads.add([at('1.0.0', now - dayMs), at('1.0.0', now), at('1.0.1', now)])
      assert.deepEqual(await store.downloads.listUsed(now - dayMs, 10), [[name, new Set(['1.0.0', '1.0.1'])]])
      assert.deepEqual(await store.downloads.listUsed(now + dayMs, 10), [])
      const locked = ['1.0.1', '1.0.2'].map(version => ({ package: name, version: version as Version }))
      const keep = (time: number) =>
        store.commit(grant, { type: 'policy', fields: { op: 'keep' } }, tx =>
          tx.policy.grandfather(locked, time),
        )
      await keep(now - 5)
      await keep(now + 5)
      assert.deepEqual([...(await second.policy.listGrandfathered(name))].sort(), [
        ['1.0.0', now - dayMs],
        ['1.0.1', now - 5],
        ['1.0.2', now - 5],
      ])
    })

    function advisory(of: string, id: string, publishedAt: number): Advisory {
      return {
        id,
        package: of as PackageName,
        range: '>=1.0.0 <1.2.3',
        fixed: ['1.2.3' as Version],
        kind: 'vulnerability',
        severity: 'high',
        aliases: [],
        cvss: null,
        cwe: [],
        title: 'a title',
        url: 'https://advisories.example/1',
        publishedAt,
        modifiedAt: publishedAt,
        withdrawnAt: null,
      }
    }
  })
}
