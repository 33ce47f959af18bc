// SPDX-License-Identifier: Apache-2.0
/** What tokens and the throttle ask of the store, with two stores on one database: two processes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Grant, hashSecret, type Token } from '../../src/identity/index.ts'
import type { Store, Tx } from '../../src/ports.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

const now = 1_700_000_000_000
const dayMs = 24 * 3600_000

for (const engine of engines) tokenContract(engine)

function tokenContract(engine: StoreEngine): void {
  describe(`tokens and the throttle on ${engine.name}`, () => {
    let pair: Pair
    let store: Store
    let second: Store
    let grant: Grant

    before(async () => {
      pair = await openPair(engine, () => now)
      ;({ store, second, grant } = pair)
    })
    after(() => pair.close())

    const change = <T>(work: (tx: Tx) => Promise<T>, on = store) =>
      on.commit(grant, { type: 'account-change' }, work)

    /** Keeps a token that ends after so many days. */
    async function keep(id: string, days: number | null, more: Partial<Token> = {}): Promise<Token> {
      const token: Token = {
        id,
        holder: 'account',
        accountId: 'a_1',
        name: 'ci',
        description: 'of the build',
        origin: 'made',
        hint: 'holdfast_abcd1234_0000',
        limits: { permission: 'read-only', bypassTfa: false },
        createdAt: now,
        expiresAt: days === null ? null : now + days * dayMs,
        lastUsedAt: null,
        ...more,
      }
      await change(tx => tx.identity.addToken(hashSecret(id), token))
      return token
    }

    const ending = async (pageSize = 100) => {
      const found: string[] = []
      for (let last = ''; ; last = found.at(-1) ?? '') {
        const page = await second.identity.listEndingTokens(now, now + 14 * dayMs, last, pageSize)
        if (page.length === 0) return found
        found.push(...page.map(({ token }) => token.id))
      }
    }

    test('a token is found as it was kept, with its origin and description', async () => {
      const token = await keep('t_0', null)
      assert.deepEqual(await second.identity.findToken(hashSecret('t_0'), now), token)
    })

    test('those that end soon are listed in pages: not ended, not revoked, not of a login', async () => {
      await keep('t_1', 1)
      await keep('t_2', 14)
      await keep('t_3', 15)
      await keep('t_4', -1)
      await keep('t_5', 3, { origin: 'login' })
      await keep('t_6', 3)
      await change(tx => tx.identity.revokeToken('t_6', now))
      await keep('t_7', 3)
      for (const size of [1, 2, 100]) assert.deepEqual(await ending(size), ['t_1', 't_2', 't_7'])
    })

    test('a notice is added once, and the last one is told with the token', async () => {
      assert.ok(await change(tx => tx.identity.addTokenNotice('t_1', 14)))
      assert.ok(await change(tx => tx.identity.addTokenNotice('t_1', 3), second))
      assert.ok(!(await change(tx => tx.identity.addTokenNotice('t_1', 3))))
      const [first, other] = await store.identity.listEndingTokens(now, now + 14 * dayMs, '', 10)
      assert.deepEqual([first?.token.id, first?.told, other?.told], ['t_1', 3, undefined])
    })

    test('of many attempts at once in two processes exactly as many are booked as are allowed', async () => {
      const budgets = [
        { counter: 'b', allowed: 7 },
        { counter: 'a', allowed: 100 },
      ]
      const booked = await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          (i % 2 === 0 ? store : second).upkeep.bookAttempt(`id-${i}`, budgets, now - 1000, now),
        ),
      )
      assert.equal(booked.filter(each => each === undefined).length, 7)
      assert.ok(booked.every(each => each === undefined || each === now))
      // What one counter refuses is booked on no other.
      assert.equal((await store.identity.countFailures('a', now - 1000)).count, 7)
    })

    test('what is taken back counts no more; what is older than the window does not either', async () => {
      const book = (id: string, at: number) =>
        store.upkeep.bookAttempt(id, [{ counter: 'c', allowed: 2 }], at - 1000, at)
      assert.equal(await book('one', now), undefined)
      assert.equal(await book('two', now + 500), undefined)
      assert.equal(await book('three', now + 600), now)
      await second.upkeep.unbookAttempt('two')
      assert.equal(await book('four', now + 700), undefined)
      assert.equal(await book('five', now + 800), now)
      assert.equal(await book('six', now + 1000), undefined)
    })
  })
}
