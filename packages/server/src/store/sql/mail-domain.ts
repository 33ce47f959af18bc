// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable } from 'kysely'
import type { MailDomainReads, MailDomainWrites } from '../../identity/index.ts'
import type { Schema } from './schema.ts'

/** Questions about the domains of mail addresses. */
export function mailDomainReads(db: Kysely<Schema>): MailDomainReads {
  return {
    async findMailDomain(domain) {
      const row = await db
        .selectFrom('mail_domain')
        .selectAll()
        .where('domain', '=', domain)
        .executeTakeFirst()
      return row && toDomain(row)
    },
    async listMailDomainsDue(before, limit) {
      const rows = await db
        .selectFrom('address')
        .leftJoin('mail_domain', 'mail_domain.domain', 'address.domain')
        .select(['address.domain', eb => eb.fn.coalesce('mail_domain.checked_at', eb.lit(0)).as('at')])
        .distinct()
        .where('address.verified_at', 'is not', null)
        .where(eb => eb.fn.coalesce('mail_domain.checked_at', eb.lit(0)), '<=', before)
        .orderBy('at')
        .orderBy('address.domain')
        .limit(limit)
        .execute()
      return rows.map(row => row.domain)
    },
    async listAddressesAt(domain) {
      const query = db.selectFrom('address').selectAll().where('domain', '=', domain)
      const rows = await query.where('verified_at', 'is not', null).orderBy('email_key').execute()
      return rows.map(row => ({
        accountId: row.account,
        email: row.email,
        verifiedAt: row.verified_at ?? 0,
      }))
    },
    async listMailDomains(limit) {
      const query = db
        .selectFrom('mail_domain')
        .selectAll()
        .orderBy('takes_mail')
        .orderBy('registered_at', 'desc')
      return (await query.orderBy('domain').limit(limit).execute()).map(toDomain)
    },
  }
}

/** What was found of a domain, inside a transaction. */
export function mailDomainWrites(db: Kysely<Schema>): MailDomainWrites {
  return {
    async saveMailDomain({ domain, checkedAt, takesMail, registeredAt }) {
      const found = { checked_at: checkedAt, takes_mail: takesMail ? 1 : 0, registered_at: registeredAt }
      await db
        .insertInto('mail_domain')
        .values({ domain, ...found })
        .onConflict(clash => clash.column('domain').doUpdateSet(found))
        .execute()
    },
  }
}

function toDomain(row: Selectable<Schema['mail_domain']>) {
  return {
    domain: row.domain,
    checkedAt: row.checked_at,
    takesMail: row.takes_mail === 1,
    registeredAt: row.registered_at,
  }
}
