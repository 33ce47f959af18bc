// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type { Schema } from './schema.ts'

type Transact = <T>(work: (tx: Kysely<Schema>) => Promise<T>) => Promise<T>

const addressesAtOnce = 50

/** Puts networks in place of the addresses in records of days before this one, some in a transaction: what was cut off is done the next time. */
export async function shortenAddresses(
  db: Kysely<Schema>,
  transact: Transact,
  beforeDay: number,
  shorten: (address: string) => string,
): Promise<void> {
  const whole = await db
    .selectFrom('download')
    .select(['day', 'address'])
    .distinct()
    .where('day', '<', beforeDay)
    .where('address', 'not like', '%/%')
    .execute()
  for (const [day, addresses] of Map.groupBy(whole, row => row.day))
    for (let at = 0; at < addresses.length; at += addressesAtOnce)
      await transact(tx => replaceOnDay(tx, day, addresses.slice(at, at + addressesAtOnce), shorten))
}

async function replaceOnDay(
  tx: Kysely<Schema>,
  day: number,
  rows: readonly { readonly address: string }[],
  shorten: (address: string) => string,
): Promise<void> {
  const byNetwork = Map.groupBy(
    rows.map(row => row.address),
    shorten,
  )
  for (const [address, from] of byNetwork)
    await tx
      .updateTable('download')
      .where('day', '=', day)
      .where('address', 'in', from)
      .set({ address })
      .execute()
}
