// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Grant, Passkey } from '../../src/identity/index.ts'
import type { Store, Tx } from '../../src/ports.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

for (const engine of engines) passkeyContract(engine)

/** What passkeys ask of the store, with two stores on one database: two processes. */
function passkeyContract(engine: StoreEngine): void {
  describe(`passkeys on ${engine.name}`, () => {
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

    const account = (login: string) => pair.account(login)
    const change = (work: (tx: Tx) => Promise<void>, on = store) =>
      on.commit(grant, { type: 'account-change' }, work)
    const add = (passkey: Passkey) => change(tx => tx.identity.addPasskey(passkey))

    test('a passkey is found as it was kept, and the account knows that it has one', async () => {
      const { id: accountId } = await account('ann')
      const made = passkey('one', accountId)
      await add(made)
      await add({ ...passkey('two', accountId), name: 'the key on the ring', createdAt: now + 1 })
      assert.deepEqual(await second.identity.findPasskey('one'), made)
      assert.deepEqual(
        (await second.identity.listPasskeys(accountId)).map(each => each.id),
        ['one', 'two'],
      )
      assert.equal((await second.identity.findAccount(accountId))?.hasPasskey, true)
      assert.equal(await second.identity.findPasskey('three'), undefined)
    })

    test('one credential belongs to one account', async () => {
      const [bob, cid] = [await account('bob'), await account('cid')]
      await add(passkey('bobs', bob.id))
      await assert.rejects(add(passkey('bobs', cid.id)), { code: 'passkey-refused' })
      assert.equal((await store.identity.findPasskey('bobs'))?.accountId, bob.id)
      assert.equal((await store.identity.findAccount(cid.id))?.hasPasskey, false)
    })

    test('a passkey is renamed and removed, and with the last one the account has none', async () => {
      const { id: accountId } = await account('dan')
      for (const id of ['dan-1', 'dan-2']) await add(passkey(id, accountId))
      await change(tx => tx.identity.renamePasskey('dan-1', 'telephone'))
      assert.equal((await second.identity.findPasskey('dan-1'))?.name, 'telephone')
      const remove = (id: string, on: Store) =>
        change(async tx => {
          await tx.identity.holdAccount(accountId)
          await tx.identity.removePasskey({ id, accountId })
        }, on)
      await Promise.all([remove('dan-1', store), remove('dan-2', second)])
      assert.deepEqual(await store.identity.listPasskeys(accountId), [])
      assert.equal((await store.identity.findAccount(accountId))?.hasPasskey, false)
    })

    test('a counter goes up and never back; who keeps none stays at 0', async () => {
      const { id: accountId } = await account('eve')
      await add({ ...passkey('counting', accountId), counter: 5 })
      await add({ ...passkey('still', accountId), counter: 0 })
      const use = (id: string, counter: number, on = store) =>
        on.upkeep.usePasskey(id, { counter, backedUp: false }, now + 9)
      assert.deepEqual(
        [
          await use('counting', 5),
          await use('counting', 4),
          await use('counting', 0),
          await use('counting', 6),
        ],
        [false, false, false, true],
      )
      const raced = await Promise.all([store, second].map(on => use('counting', 7, on)))
      assert.deepEqual(raced.sort(), [false, true])
      assert.deepEqual(
        [await use('still', 0), await use('still', 0), await use('gone', 0)],
        [true, true, false],
      )
      const kept = await second.identity.findPasskey('counting')
      assert.deepEqual([kept?.counter, kept?.backedUp, kept?.lastUsedAt], [7, false, now + 9])
    })

    test('a challenge is good once, whichever process asks, and is forgotten after its end', async () => {
      const use = (on: Store, at = now) => on.upkeep.useChallenge('hash', now + 1000, at)
      assert.deepEqual((await Promise.all([use(store), use(second)])).sort(), [false, true])
      assert.equal(await use(store), false)
      assert.equal(await use(second, now + 1001), true)
    })

    test('recovery codes are counted until they are used', async () => {
      const { id } = await account('fay')
      await change(tx => tx.identity.setRecoveryCodes(id, ['a', 'b']))
      assert.equal(await second.identity.countRecoveryCodes(id), 2)
      await change(async tx => void (await tx.identity.useRecoveryCode(id, 'a')))
      assert.equal(await second.identity.countRecoveryCodes(id), 1)
    })
  })
}

function passkey(id: string, accountId: string): Passkey {
  return {
    id,
    accountId,
    name: 'laptop',
    publicKey: 'pQECAyYgASFYIA',
    counter: 3,
    transports: ['internal', 'hybrid'],
    backedUp: true,
    rpId: 'registry.example',
    createdAt: 1_700_000_000_000,
    lastUsedAt: null,
  }
}
