// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite'

/** Tables that have a row for each package of an upstream, with the column that names it. */
const tables = { mirror: 'name', mirror_source: 'name', mirror_term: 'package', ingested: 'package' } as const

/** Makes `count` packages out of the one that a stopped instance took from its upstream: to pull as many would take an hour. */
export function multiplyMirrors(databaseFile: string, count: number): void {
  const database = new DatabaseSync(databaseFile)
  database.exec('begin')
  for (const [table, named] of Object.entries(tables)) {
    const columns = database.prepare(`pragma table_info(${table})`).all()
    const values = columns.map(({ name }) => (name === named ? `"${named}" || '-' || n` : `"${name}"`))
    const numbers = `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${count - 1})`
    // The rows that there are, and not those that come.
    database.exec(`create temp table one as select * from ${table}`)
    database.exec(`insert into ${table} ${numbers} select ${values.join(', ')} from one, numbers`)
    database.exec('drop table one')
  }
  database.exec('commit')
  database.close()
}
