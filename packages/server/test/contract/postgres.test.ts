// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isProblem } from '@holdfast/core'
import { sql } from 'kysely'
import pg from 'pg'
import type { SqlDriver } from '../../src/store/sql/driver.ts'
import { openPostgres } from '../../src/store/sql/postgres.ts'
import { startPostgres } from '../postgres.ts'
import type { ContractTables } from './sql-tables.ts'

const server = await startPostgres()
const url = server.url(await server.createDatabase())
let driver: SqlDriver<ContractTables>

before(async () => {
  driver = await openPostgres(url)
  await driver.transact(tx =>
    sql`create table thing (name text primary key, bytes bytea, number int8)`.execute(tx),
  )
})

after(() => driver.close())

/** Ends connections of the database under test from outside, as a failover or an administrator does. */
async function killConnections(where = 'true'): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and (${where})`)
  await client.end()
}

const isUnavailable = (error: unknown) => isProblem(error) && error.code === 'unavailable'
const add = (name: string, on = driver) =>
  on.transact(tx => tx.insertInto('thing').values({ name, bytes: null, number: null }).execute())
const has = async (name: string) =>
  (await driver.db.selectFrom('thing').select('name').where('name', '=', name).execute()).length === 1

test('a transaction that loses its connection is rolled back, and says unavailable', async () => {
  const attempt = driver.transact(async tx => {
    await tx.insertInto('thing').values({ name: 'lost', bytes: null, number: null }).execute()
    await killConnections("state = 'idle in transaction'")
    await tx.selectFrom('thing').select('name').execute()
  })
  await assert.rejects(attempt, isUnavailable)
  assert.equal(await has('lost'), false)
})

test('a connection that died between two statements does not end the process', async () => {
  const attempt = driver.transact(async tx => {
    await tx.selectFrom('thing').select('name').execute()
    await killConnections("state = 'idle in transaction'")
    await new Promise(resolve => setTimeout(resolve, 50))
  })
  await assert.rejects(attempt, isUnavailable)
  await add('next')
  assert.ok(await has('next'))
})

test('what hangs in a transaction loses its locks before those who wait for them give up', async () => {
  await add('locked')
  const change = (on: typeof driver, text: string, then?: () => Promise<void>) =>
    on.transact(async tx => {
      const row = tx.updateTable('thing').where('name', '=', 'locked')
      await row.set({ bytes: Buffer.from(text) }).execute()
      await then?.()
    })
  const second = await openPostgres<ContractTables>(url)
  const [locked, hanging] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const hang = () => {
    locked.resolve()
    return hanging.promise
  }
  const refused = assert.rejects(change(second, 'hangs', hang), isUnavailable)
  await locked.promise
  await change(driver, 'goes on')
  hanging.resolve()
  await refused
  const row = driver.db.selectFrom('thing').select('bytes').where('name', '=', 'locked')
  assert.equal(String(Buffer.from((await row.executeTakeFirst())?.bytes ?? [])), 'goes on')
  await second.close()
})

test('after all connections died, the next reads and writes work', async () => {
  await Promise.all(Array.from({ length: 8 }, () => has('next')))
  await killConnections()
  await add('after the failover')
  assert.ok(await has('after the failover'))
})

test('a listener whose connection died is told, since it may have missed a commit, and hears again', async () => {
  const heard = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let calls = 0
  const stop = driver.onForeignCommit(() => heard[calls++]?.resolve())
  await killConnections("query like 'listen%' or query like '%pg_listening_channels%'")
  const alive = setInterval(() => undefined, 1000) // the driver's own timers do not keep a process running
  await heard[0]?.promise
  const second = await openPostgres<ContractTables>(url)
  await add('heard again', second)
  await heard[1]?.promise
  clearInterval(alive)
  await second.close()
  stop()
})

test('a database that does not answer is unavailable', async () => {
  await assert.rejects(openPostgres(`${url.split('?')[0]}?host=/nonexistent`), isUnavailable)
})

test('numbers of a sequence become visible out of order, which is why the store does not order by them', async () => {
  await driver.transact(tx => sql`create table drawn (id serial primary key)`.execute(tx))
  const draw = sql<{ id: number }>`insert into drawn default values returning id`
  const second = await openPostgres<ContractTables>(url)
  const visible = () => sql<{ id: number }>`select id from drawn order by id`.execute(driver.db)
  await driver.transact(async tx => {
    await draw.execute(tx)
    await second.transact(other => draw.execute(other))
    assert.deepEqual((await visible()).rows, [{ id: 2 }])
  })
  assert.deepEqual((await visible()).rows, [{ id: 1 }, { id: 2 }])
  await second.close()
})
