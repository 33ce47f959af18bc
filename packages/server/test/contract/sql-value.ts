// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import type { SqlDriver } from '../../src/store/sql/driver.ts'
import type { ContractTables } from './sql-tables.ts'

/** What may go in as a parameter, and how values come back. */
export function valueContract(dialect: 'sqlite' | 'postgres', driver: () => SqlDriver<ContractTables>): void {
  const thing = (name: string) => ({ name, bytes: null, number: null })

  const refused: readonly [string, unknown][] = [
    ['undefined', undefined],
    ['a Date', new Date(0)],
    ['a boolean', true],
    ['an object', {}],
    ['a list', [1]],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a number beyond 2^53', 2 ** 53],
    ['a bigint beyond 2^53', 2n ** 53n],
  ]
  for (const [what, value] of refused) {
    test(`${what} is refused as a parameter`, async () => {
      await assert.rejects(sql`select ${sql.val(value)} as value`.execute(driver().db), TypeError)
    })
  }

  test('text with NUL is refused as the fault of whoever sent it', async () => {
    const asked = sql`select ${sql.val('a\0b')} as value`.execute(driver().db)
    await assert.rejects(asked, { code: 'invalid-text' })
  })

  test('too few and too many parameters are refused', async () => {
    const run = (parameters: unknown[]) => {
      const place = dialect === 'sqlite' ? '?' : '$1'
      const statement = `select name from thing where name = ${place}`
      return driver().db.executeQuery({ ...sql`select 1`.compile(driver().db), sql: statement, parameters })
    }
    await assert.rejects(run([]))
    await assert.rejects(run(['a', 'b']))
    await run(['a'])
  })

  test('values come back as they went in, in plain objects', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const rows = [
      { name: 'largest', bytes, number: Number.MAX_SAFE_INTEGER },
      { name: 'nothing', bytes: null, number: null },
      { name: 'smallest ✓ 𝄞', bytes: new Uint8Array(0), number: Number.MIN_SAFE_INTEGER },
    ]
    await driver().transact(tx => tx.insertInto('thing').values(rows).execute())
    const wanted = rows.map(({ name }) => name)
    const found = await driver().db.selectFrom('thing').selectAll().where('name', 'in', wanted).execute()
    assert.deepEqual(
      found.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      rows,
    )
  })

  test('truth, counts, sums and averages are numbers', async () => {
    const counted = [1, 2, 4, 3].map(number => ({ ...thing(`counted ${number}`), number }))
    await driver().transact(tx => tx.insertInto('thing').values(counted).execute())
    const query = sql<
      Record<string, unknown>
    >`select count(*) as count, sum(number) as sum, avg(number) as mean,
      exists (select 1 from thing) as truth, 1 = 2 as lie from thing where name like 'counted %'`
    const { rows } = await query.execute(driver().db)
    assert.deepEqual(rows, [{ count: 4, sum: 10, mean: 2.5, truth: 1, lie: 0 }])
  })

  test('a whole number that a double cannot hold is an error, not a rounded value', async () => {
    await assert.rejects(sql`select 9007199254740993 as value`.execute(driver().db), /too large/)
  })

  test('writes tell how many rows they touched, and RETURNING gives the rows', async () => {
    const insert = await driver().transact(tx =>
      tx
        .insertInto('thing')
        .values([thing('r1'), thing('r2')])
        .returning('name')
        .execute(),
    )
    assert.deepEqual(insert, [{ name: 'r1' }, { name: 'r2' }])
    const removed = await driver().transact(tx =>
      tx.deleteFrom('thing').where('name', 'in', ['r1', 'r2', 'r3']).executeTakeFirstOrThrow(),
    )
    assert.equal(removed.numDeletedRows, 2n)
  })
}
