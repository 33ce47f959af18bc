// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { isUniqueViolation, type SqlDriver } from '../../src/store/sql/driver.ts'
import type { ContractTables } from './sql-tables.ts'
import { valueContract } from './sql-value.ts'

/** One engine to hold against the contract. */
export interface SqlEngine {
  readonly dialect: 'sqlite' | 'postgres'
  /** Where a fresh database lies: a path or a URL. */
  makeAddress(): Promise<string>
  open(address: string): Promise<SqlDriver<ContractTables>>
}

const other = fileURLToPath(new URL('./sql-other-process.ts', import.meta.url))
const text = (value: string) => ({ name: value, bytes: null, number: null })

/** Every promise of `SqlDriver`, checked on one engine. */
export function sqlContract(engine: SqlEngine): void {
  describe(`SqlDriver on ${engine.dialect}`, () => {
    let address: string
    let driver: SqlDriver<ContractTables>

    before(async () => {
      address = await engine.makeAddress()
      driver = await engine.open(address)
      await driver.transact(async tx => {
        const bytes = engine.dialect === 'sqlite' ? sql`blob` : sql`bytea`
        await tx.schema
          .createTable('thing')
          .addColumn('name', 'text', column => column.primaryKey())
          .addColumn('bytes', bytes)
          .addColumn('number', 'bigint')
          .execute()
        await tx.schema
          .createTable('counter')
          .addColumn('id', 'integer', column => column.primaryKey())
          .addColumn('value', 'bigint', column => column.notNull())
          .execute()
        await tx
          .insertInto('counter')
          .values([1, 2].map(id => ({ id, value: 0 })))
          .execute()
      })
    })

    after(() => driver.close())

    const names = async (on = driver) =>
      (await on.db.selectFrom('thing').select('name').orderBy('name').execute()).map(({ name }) => name)
    const add = (name: string, on = driver) =>
      on.transact(tx => tx.insertInto('thing').values(text(name)).execute())
    const durability = () =>
      driver.transact(tx =>
        (engine.dialect === 'sqlite' ? sql`pragma synchronous` : sql`show synchronous_commit`).execute(tx),
      )
    const raise = (id: number, on = driver) =>
      on.transact(tx =>
        tx
          .updateTable('counter')
          .set(({ eb }) => ({ value: eb('value', '+', 1) }))
          .where('id', '=', id)
          .returning('value')
          .executeTakeFirstOrThrow(),
      )
    const counterValue = async (id: number) =>
      (await driver.db.selectFrom('counter').selectAll().where('id', '=', id).executeTakeFirstOrThrow()).value

    test('what can be made again is written whole or not at all, and the next transaction is durable again', async () => {
      const { rows: before } = await durability()
      await driver.transactDerived(tx => tx.insertInto('thing').values(text('derived')).execute())
      const failed = driver.transactDerived(async tx => {
        await tx.insertInto('thing').values(text('derived in vain')).execute()
        throw new Error('on purpose')
      })
      await assert.rejects(failed, /on purpose/)
      assert.ok((await names()).includes('derived'))
      assert.ok(!(await names()).includes('derived in vain'))
      assert.deepEqual((await durability()).rows, before)
    })

    test('what was committed is there for a second driver, and after opening anew', async () => {
      await add('durable')
      const second = await engine.open(address)
      assert.ok((await names(second)).includes('durable'))
      await second.close()
    })

    test('work that throws leaves nothing and its error comes out', async () => {
      const boom = new Error('boom')
      const attempt = driver.transact(async tx => {
        await tx.insertInto('thing').values(text('never')).execute()
        throw boom
      })
      await assert.rejects(attempt, error => error === boom)
      assert.ok(!(await names()).includes('never'))
      await add('after the failure')
    })

    test('a transaction sees its own writes, and nobody else does before it commits', async () => {
      await driver.transact(async tx => {
        await tx.insertInto('thing').values(text('inside')).execute()
        assert.equal(
          (await tx.selectFrom('thing').select('name').where('name', '=', 'inside').execute()).length,
          1,
        )
        assert.ok(!(await names()).includes('inside'))
      })
      assert.ok((await names()).includes('inside'))
    })

    test('concurrent writers lose nothing, in one process and across two drivers', async () => {
      const second = await engine.open(address)
      const values = await Promise.all(
        Array.from({ length: 200 }, (_, index) => raise(1, index % 2 === 0 ? driver : second)),
      )
      await second.close()
      assert.equal(await counterValue(1), 200)
      assert.equal(new Set(values.map(({ value }) => value)).size, 200)
    })

    test('a number taken from a locked row becomes visible in order', async () => {
      const second = await engine.open(address)
      const step = (on: SqlDriver<ContractTables>, index: number) =>
        on.transact(async tx => {
          const counter = tx
            .updateTable('counter')
            .set(({ eb }) => ({ value: eb('value', '+', 1) }))
            .where('id', '=', 2)
          const { value } = await counter.returning('value').executeTakeFirstOrThrow()
          const name = `ordered ${index}`
          await tx
            .insertInto('thing')
            .values({ ...text(name), number: value })
            .execute()
        })
      let isWriting = true
      const watcher = (async () => {
        const seen = driver.db
          .selectFrom('thing')
          .select(({ fn }) => [fn.count<number>('number').as('rows'), fn.max<number>('number').as('highest')])
          .where('name', 'like', 'ordered %')
        while (isWriting) {
          const { rows, highest } = await seen.executeTakeFirstOrThrow()
          assert.equal(highest ?? 0, rows, 'a row with a lower number is not visible yet')
          await delay(1)
        }
      })()
      const steps = Array.from({ length: 60 }, (_, index) => step(index % 2 === 0 ? driver : second, index))
      await Promise.all(steps).finally(() => {
        isWriting = false
      })
      await watcher
      await second.close()
    })

    test('transactions that lock rows in opposite order both come through', async () => {
      const touch = (first: number, last: number) =>
        driver.transact(async tx => {
          for (const id of [first, last]) {
            await tx
              .updateTable('counter')
              .set(({ eb }) => ({ value: eb('value', '+', 0) }))
              .where('id', '=', id)
              .execute()
            await tx.selectFrom('thing').select('name').limit(1).execute()
          }
        })
      await Promise.all([touch(1, 2), touch(2, 1), touch(1, 2), touch(2, 1)])
    })

    test('a commit by another process is noticed, an own one is not reported', {
      timeout: 60_000,
    }, async () => {
      let calls = 0
      let noticed = Promise.withResolvers<void>()
      const stop = driver.onForeignCommit(() => {
        calls++
        noticed.resolve()
      })
      await add('own commit')
      await delay(500) // more than two polls
      assert.equal(calls, 0)
      await runOther(engine.dialect, address, 'from another process', '1')
      await noticed.promise
      assert.ok((await names()).includes('from another process 1'))
      stop()
      const before = calls
      noticed = Promise.withResolvers<void>()
      await runOther(engine.dialect, address, 'unheard', '1')
      await delay(500)
      assert.equal(calls, before)
    })

    test('what a killed process had acknowledged is there, and writing goes on', {
      timeout: 60_000,
    }, async () => {
      const child = spawnOther(engine.dialect, address, 'killed', '1000000')
      const acknowledged: string[] = []
      for await (const line of createInterface({ input: child.stdout ?? assert.fail() })) {
        acknowledged.push(line)
        if (acknowledged.length === 50) child.kill('SIGKILL')
      }
      const stored = new Set(await names())
      assert.ok(acknowledged.length >= 50)
      for (const name of acknowledged) assert.ok(stored.has(name), name)
      await add('after the kill')
    })

    test('a second row with the same key is told by isUniqueViolation', async () => {
      await add('twice')
      await assert.rejects(add('twice'), isUniqueViolation)
      await assert.rejects(
        driver.transact(tx => sql`select * from nowhere`.execute(tx)),
        error => !isUniqueViolation(error),
      )
    })

    test('a transaction whose statement failed cannot commit what came before', async () => {
      const attempt = driver.transact(async tx => {
        await tx.insertInto('thing').values(text('half')).execute()
        await tx
          .insertInto('thing')
          .values(text('half'))
          .execute()
          .catch(() => undefined)
      })
      await assert.rejects(attempt, /transaction/)
      assert.ok(!(await names()).includes('half'))
    })

    test('outside of transact nothing can be written', async () => {
      await assert.rejects(driver.db.insertInto('thing').values(text('side door')).execute())
      assert.ok(!(await names()).includes('side door'))
    })

    test('transact inside transact is refused instead of waiting for ever', async () => {
      await assert.rejects(
        driver.transact(() => add('nested')),
        /inside transact/,
      )
      await add('not nested')
    })

    test('a transaction cannot be used after it ended', async () => {
      const leaked = await driver.transact(async tx => ({ tx }))
      await assert.rejects(leaked.tx.insertInto('thing').values(text('late')).execute())
      assert.ok(!(await names()).includes('late'))
    })

    valueContract(engine.dialect, () => driver)

    test('foreign keys are enforced', async () => {
      await driver.transact(async tx => {
        await tx.schema
          .createTable('part')
          .addColumn('thing', 'text', column => column.references('thing.name'))
          .execute()
      })
      await assert.rejects(
        driver.transact(tx => sql`insert into part (thing) values ('no such thing')`.execute(tx)),
      )
    })

    test('close waits for running transactions, and may be called twice', async () => {
      const closing = await engine.open(address)
      const running = closing.transact(async tx => {
        await tx.insertInto('thing').values(text('before closing')).execute()
        await tx.selectFrom('thing').select('name').execute()
      })
      await closing.close()
      await running
      await closing.close()
      assert.ok((await names()).includes('before closing'))
      await assert.rejects(add('too late', closing))
    })
  })
}

async function runOther(...args: readonly string[]): Promise<void> {
  const child = spawnOther(...args)
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
}

function spawnOther(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [other, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}
