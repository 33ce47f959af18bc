// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import type { AddressReads, AddressWrites } from '../../identity/index.ts'
import { isUniqueViolation } from './driver.ts'
import { toAccount } from './identity.ts'
import type { Schema } from './schema.ts'

/** Questions about mail addresses. */
export function addressReads(db: Kysely<Schema>): AddressReads {
  return {
    async findAccountByEmail(email) {
      const row = await db
        .selectFrom('account')
        .innerJoin('address', 'address.account', 'account.id')
        .selectAll('account')
        .where('address.email_key', '=', email.toLowerCase())
        .where('address.verified_at', 'is not', null)
        .executeTakeFirst()
      return row && toAccount(row)
    },
    async listAddresses(accountId) {
      const query = db.selectFrom('address').selectAll().where('account', '=', accountId)
      return (await query.orderBy('created_at').orderBy('email_key').execute()).map(toAddress)
    },
  }
}

/** Changes of mail addresses, inside a transaction. */
export function addressWrites(db: Kysely<Schema>): AddressWrites {
  const one = (accountId: string, email: string) =>
    db.updateTable('address').where('account', '=', accountId).where('email_key', '=', email.toLowerCase())
  return {
    async addAddress(accountId, email, at) {
      await db
        .insertInto('address')
        .values({
          account: accountId,
          email,
          email_key: email.toLowerCase(),
          domain: email.slice(email.lastIndexOf('@') + 1).toLowerCase(),
          verified_at: null,
          created_at: at,
        })
        .onConflict(clash => clash.columns(['account', 'email_key']).doNothing())
        .execute()
    },
    async setAddressVerified(accountId, email, at) {
      try {
        await one(accountId, email).set({ verified_at: at }).execute()
      } catch (error) {
        if (!isUniqueViolation(error)) throw error
        throw problem('address-taken')
      }
      const primary = db.updateTable('account').where('id', '=', accountId)
      await primary.where('email_key', '=', email.toLowerCase()).set({ email_verified_at: at }).execute()
    },
    async setPrimaryAddress(accountId, { email, verifiedAt }) {
      await db
        .updateTable('account')
        .where('id', '=', accountId)
        .set({ email, email_key: email.toLowerCase(), email_verified_at: verifiedAt })
        .execute()
    },
    async removeAddress(accountId, email) {
      await db
        .deleteFrom('address')
        .where('account', '=', accountId)
        .where('email_key', '=', email.toLowerCase())
        .execute()
    },
  }
}

function toAddress(row: Selectable<Schema['address']>) {
  return { email: row.email, verifiedAt: row.verified_at, createdAt: row.created_at }
}
