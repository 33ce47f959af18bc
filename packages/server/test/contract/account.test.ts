// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Grant, Recovery } from '../../src/identity/index.ts'
import type { Store, Tx } from '../../src/ports.ts'
import { engines, openPair, type Pair, type StoreEngine } from './engine.ts'

for (const engine of engines) accountContract(engine)

/** What mail addresses, recoveries and mail domains ask of the store, with two stores on one database: two processes. */
function accountContract(engine: StoreEngine): void {
  describe(`addresses and recoveries on ${engine.name}`, () => {
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
    const change = <T>(work: (tx: Tx) => Promise<T>, on = store) =>
      on.commit(grant, { type: 'account-change' }, work)
    const prove = (id: string, email: string, on = store) =>
      change(async tx => {
        await tx.identity.addAddress(id, email, now)
        await tx.identity.setAddressVerified(id, email, now)
      }, on)

    test('an address is claimed by many and proven by one; of two processes at once one has it', async () => {
      const [ann, bob] = [await account('ann'), await account('bob')]
      for (const { id } of [ann, bob]) await change(tx => tx.identity.addAddress(id, 'Both@a.example', now))
      assert.equal(await store.identity.findAccountByEmail('both@a.example'), undefined)
      const tries = await Promise.allSettled([
        prove(ann.id, 'both@A.example'),
        prove(bob.id, 'BOTH@a.example', second),
      ])
      const refused = tries.flatMap(each => (each.status === 'rejected' ? [each.reason.code] : []))
      assert.deepEqual(refused, ['address-taken'])
    })

    test('addresses come oldest first; the primary one is also the account’s; what is removed is gone', async () => {
      const cal = await account('cal')
      await prove(cal.id, 'cal@b.example')
      const [first, added] = await store.identity.listAddresses(cal.id)
      assert.deepEqual([first?.email, added?.email], ['cal@b.example', 'cal@localhost'])
      assert.ok(first !== undefined)
      await change(tx => tx.identity.setPrimaryAddress(cal.id, first))
      await change(tx => tx.identity.removeAddress(cal.id, 'CAL@localhost'))
      const found = await store.identity.findAccountByEmail('Cal@B.example')
      assert.deepEqual([found?.id, found?.email, found?.emailVerifiedAt], [cal.id, 'cal@b.example', now])
      assert.equal((await store.identity.listAddresses(cal.id)).length, 1)
    })

    test('a leaked password is noted, and a new one has not leaked', async () => {
      const { id } = await account('dan')
      await change(tx => tx.identity.setPasswordLeaked(id, now))
      assert.equal((await store.identity.findAccount(id))?.passwordLeakedAt, now)
      await change(tx => tx.identity.setPassword(id, 'another'))
      assert.equal((await store.identity.findAccount(id))?.passwordLeakedAt, null)
    })

    test('a recovery is found by its secrets as it was kept, and two processes move it once', async () => {
      const { id: accountId } = await account('eve')
      const made = recovery('r_1', accountId, now)
      await change(tx => tx.identity.addRecovery('cancel-1', made))
      assert.equal(await store.identity.findRecovery('finish-1'), undefined)
      await change(tx => tx.identity.setRecoverySecret('r_1', 'finish-1'))
      for (const found of [
        await store.identity.findRecovery('finish-1'),
        await store.identity.findRecoveryToCancel('cancel-1'),
        await store.identity.getRecovery('r_1'),
      ])
        assert.deepEqual(found, made)
      const move = (on: Store) => change(tx => tx.identity.moveRecovery('r_1', 'waiting', 'done'), on)
      assert.deepEqual((await Promise.all([move(store), move(second)])).sort(), [false, true])
    })

    test('open recoveries are those that are neither over nor late', async () => {
      const { id } = await account('fay')
      await change(tx => tx.identity.addRecovery('c2', recovery('r_2', id, now)))
      await change(tx => tx.identity.addRecovery('c3', recovery('r_3', id, now + 1)))
      await change(tx => tx.identity.moveRecovery('r_2', 'waiting', 'cancelled'))
      const open = async (at: number, of?: string) =>
        (await store.identity.listOpenRecoveries(at, of)).map(each => each.id)
      assert.deepEqual(await open(now, id), ['r_3'])
      assert.deepEqual(await open(now), ['r_3'])
      await change(tx => tx.identity.setRecoveryTimes('r_3', now, now + 5))
      assert.deepEqual(await open(now + 5, id), [])
    })

    test('domains of proven addresses are due once, longest ago first, and kept as they were found', async () => {
      const { id } = await account('gus')
      for (const email of ['g1@one.example', 'g2@ONE.example', 'g@two.example']) await prove(id, email)
      await change(tx => tx.identity.addAddress(id, 'g@unproven.example', now))
      const due = async (before: number) =>
        (await store.identity.listMailDomainsDue(before, 100)).filter(each => /one|two|unp/.test(each))
      assert.deepEqual(await due(now), ['one.example', 'two.example'])
      const found = { domain: 'one.example', checkedAt: now, takesMail: false, registeredAt: null }
      await change(tx => tx.identity.saveMailDomain(found))
      assert.deepEqual(await store.identity.findMailDomain('one.example'), found)
      await change(tx => tx.identity.saveMailDomain({ ...found, takesMail: true, registeredAt: 7 }))
      assert.equal((await store.identity.findMailDomain('one.example'))?.registeredAt, 7)
      assert.deepEqual(await due(now - 1), ['two.example'])
      assert.deepEqual(await due(now), ['two.example', 'one.example'])
      assert.equal((await store.identity.listAddressesAt('one.example')).length, 2)
    })
  })
}

function recovery(id: string, accountId: string, beganAt: number): Recovery {
  return {
    id,
    accountId,
    way: 'mail',
    state: 'waiting',
    email: 'somebody@a.example',
    dropsFactors: true,
    openedBy: '',
    beganAt,
    readyAt: beganAt + 10,
    expiresAt: beganAt + 20,
  }
}
