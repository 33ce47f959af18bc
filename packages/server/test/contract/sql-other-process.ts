// SPDX-License-Identifier: Apache-2.0
/** Another process on the same database: adds things one by one and prints the name of each once it is committed. */
import { writeSync } from 'node:fs'
import { openPostgres } from '../../src/store/sql/postgres.ts'
import { openSqlite } from '../../src/store/sql/sqlite.ts'
import type { ContractTables } from './sql-tables.ts'

const [dialect, address = '', prefix, count] = process.argv.slice(2)
const driver =
  dialect === 'sqlite' ? openSqlite<ContractTables>(address) : await openPostgres<ContractTables>(address)
for (let index = 1; index <= Number(count); index++) {
  const name = `${prefix} ${index}`
  await driver.transact(tx => tx.insertInto('thing').values({ name, bytes: null, number: null }).execute())
  writeSync(1, `${name}\n`)
}
await driver.close()
