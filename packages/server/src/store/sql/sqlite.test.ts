// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { isProblem } from '@holdfast/core'
import { sql } from 'kysely'
import type { SqlDriver } from './driver.ts'
import { openSqlite } from './sqlite.ts'

interface Tables {
  readonly thing: { readonly id: number; readonly text: string }
}

const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
after(() => rm(folder, { recursive: true }))

async function openThings(path: string): Promise<SqlDriver<Tables>> {
  const driver = openSqlite<Tables>(path)
  await driver.transact(tx =>
    sql`create table if not exists thing (id integer primary key, text text)`.execute(tx),
  )
  return driver
}

const count = async (driver: SqlDriver<Tables>) =>
  (
    await driver.db
      .selectFrom('thing')
      .select(({ fn }) => fn.countAll<number>().as('rows'))
      .executeTakeFirst()
  )?.rows

test('the file is for its owner alone, its log files too', async () => {
  const path = join(folder, 'mode.db')
  const driver = await openThings(path)
  for (const name of [path, `${path}-wal`, `${path}-shm`])
    assert.equal((await stat(name)).mode & 0o777, 0o600, name)
  await driver.close()
})

test('a commit is synced before it counts', async () => {
  const driver = await openThings(join(folder, 'pragma.db'))
  await driver.transact(async tx => {
    assert.deepEqual((await sql`pragma synchronous`.execute(tx)).rows, [{ synchronous: 2 }])
    assert.deepEqual((await sql`pragma journal_mode`.execute(tx)).rows, [{ journal_mode: 'wal' }])
  })
  await driver.close()
})

test('another process that holds the write lock stops neither reads nor the event loop, and writes follow it', async () => {
  const path = join(folder, 'busy.db')
  const driver = await openThings(path)
  const other = new DatabaseSync(path)
  other.exec("begin immediate; insert into thing (text) values ('other')")
  let isWritten = false
  const write = driver
    .transact(tx => tx.insertInto('thing').values({ id: 7, text: 'mine' }).execute())
    .then(() => {
      isWritten = true
    })
  for (let turn = 0; turn < 20; turn++) {
    assert.equal(await count(driver), 0)
    await delay(5)
  }
  assert.equal(isWritten, false)
  other.exec('commit')
  other.close()
  await write
  assert.equal(await count(driver), 2)
  await driver.close()
})

test('a backup taken under writing is one consistent state, and a database of its own', async () => {
  const driver = await openThings(join(folder, 'source.db'))
  const pairs = async (from: number, to: number) => {
    for (let id = from; id < to; id += 2) {
      const rows = [id, id + 1].map(each => ({ id: each, text: 'x'.repeat(2000) }))
      await driver.transact(tx => tx.insertInto('thing').values(rows).execute())
    }
  }
  await pairs(0, 400)
  const copy = join(folder, 'copy.db')
  await Promise.all([pairs(400, 1200), driver.backup?.(copy)])
  const restored = await openThings(copy)
  const rows = (await count(restored)) ?? 0
  assert.ok(rows >= 400)
  assert.equal(rows % 2, 0, 'half a transaction in the copy')
  assert.deepEqual((await sql`pragma integrity_check`.execute(restored.db)).rows, [{ integrity_check: 'ok' }])
  await restored.close()
  await driver.close()
})

test('a full disk is unavailable, loses nothing that was there, and writing works once there is room', async () => {
  const driver = await openThings(join(folder, 'full.db'))
  const write = (id: number) =>
    driver.transact(async tx => {
      await sql`pragma max_page_count = ${sql.lit(id === 1 ? 20 : 1000)}`.execute(tx)
      await tx
        .insertInto('thing')
        .values({ id, text: 'x'.repeat(200_000) })
        .execute()
    })
  await assert.rejects(write(1), error => isProblem(error) && error.code === 'unavailable')
  assert.equal(await count(driver), 0)
  await write(2)
  assert.equal(await count(driver), 1)
  await driver.close()
})

test('more different statements than are kept prepared all work', async () => {
  const driver = await openThings(':memory:')
  for (let index = 0; index < 600; index++) {
    const { rows } = await sql`select ${sql.lit(index % 300)} as value`.execute(driver.db)
    assert.deepEqual(rows, [{ value: index % 300 }])
  }
  await driver.close()
})

test('`:memory:` leaves nothing behind, closed or not', async () => {
  const module = JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)
  const script = `import { openSqlite } from ${module}
    for (const close of [true, false]) { const driver = openSqlite(':memory:'); if (close) await driver.close() }`
  const env = { ...process.env, TMPDIR: await mkdtemp(join(folder, 'tmp-')) }
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env })
  assert.deepEqual(await readdir(env.TMPDIR), [])
})

test('processes that create one database at the same time all get it', async () => {
  const path = join(folder, 'race.db')
  const module = JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)
  const script = `import { openSqlite } from ${module}
    import { sql } from ${JSON.stringify(import.meta.resolve('kysely'))}
    const driver = openSqlite(${JSON.stringify(path)})
    await driver.transact(tx => sql\`create table if not exists thing (id integer primary key, text text)\`.execute(tx))
    await driver.transact(tx => sql\`insert into thing (text) values ('x')\`.execute(tx))
    await driver.close()`
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
  await Promise.all(Array.from({ length: 8 }, run))
  const driver = await openThings(path)
  assert.equal(await count(driver), 8)
  await driver.close()
})
