// SPDX-License-Identifier: Apache-2.0
/**
 * PostgreSQL through pg, which is loaded when it is configured and not before. Reads run on the same pool of at most
 * ten connections, in read-only sessions. Commits are announced by NOTIFY, in the order in which they commit.
 *
 * Numbers of a PostgreSQL sequence become visible out of order: a reader may see 8 before 7. What must be read in
 * order takes its number from a row that the transaction holds locked until it commits.
 */
import { randomUUID } from 'node:crypto'
import { Kysely, sql, type Transaction } from 'kysely'
import type { Pool, PoolConfig } from 'pg'
import type { SqlDriver } from './driver.ts'
import { engineError } from './driver.ts'
import { isNotBegun, postgresDialect } from './postgres-dialect.ts'
import { openForeignCommits, type PostgresForeignCommits } from './postgres-notice.ts'
import { typeParsers } from './postgres-type.ts'
import { makeNestingGuard, retryWhileBusy } from './retry.ts'

const CONNECTIONS = 10
const CONNECT_MS = 10_000
const SESSION = [
  'set default_transaction_read_only = on', // `db` cannot write; `transact` says `read write`
  "set statement_timeout = '60s'",
  "set lock_timeout = '5s'",
  // A replica that hangs or is cut off in a transaction gives its locks up before anyone who waits for them does.
  "set idle_in_transaction_session_timeout = '5s'",
].join(';')
const BUSY = ['40001', '40P01', '55P03'] // serialization failure, deadlock, lock time-out

/** Opens a PostgreSQL database by its URL; fails when it cannot be reached. */
export async function openPostgres<DB>(url: string): Promise<SqlDriver<DB>> {
  const { default: pg } = await import('pg')
  const connection = {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'holdfast',
  }
  const name = randomUUID()
  const foreignCommits = await openForeignCommits(
    () => new pg.Client({ ...connection, keepAlive: true }),
    name,
  )
  const pool = new pg.Pool(poolConfig(connection))
  // A connection that dies while nobody uses it is replaced; unheard, its error would end the process.
  pool.on('error', () => undefined)
  pool.on('connect', client => client.on('error', () => undefined))
  return new PostgresDriver<DB>(pool, foreignCommits, name)
}

function poolConfig(connection: PoolConfig): PoolConfig {
  return {
    ...connection,
    max: CONNECTIONS,
    keepAlive: true,
    types: typeParsers,
    onConnect: async client => {
      await client.query(SESSION)
    },
  }
}

class PostgresDriver<DB> implements SqlDriver<DB> {
  readonly dialect = 'postgres'
  readonly db: Kysely<DB>
  readonly #foreignCommits: PostgresForeignCommits
  /** How this driver's own notices are told from those of others. */
  readonly #name: string
  readonly #withoutNesting = makeNestingGuard()
  #closing: Promise<void> | undefined

  constructor(pool: Pool, foreignCommits: PostgresForeignCommits, name: string) {
    this.db = new Kysely<DB>({ dialect: postgresDialect(pool) })
    this.#foreignCommits = foreignCommits
    this.#name = name
  }

  transact: SqlDriver<DB>['transact'] = work =>
    this.#write(async tx => {
      const result = await work(tx)
      await sql`select pg_notify('holdfast', ${this.#name})`.execute(tx)
      return result
    })

  transactDerived: SqlDriver<DB>['transactDerived'] = work =>
    this.#write(async tx => {
      await sql`set local synchronous_commit = off`.execute(tx)
      return work(tx)
    })

  #write<T>(work: (tx: Transaction<DB>) => Promise<T>): Promise<T> {
    const attempt = () =>
      this.db.transaction().setIsolationLevel('read committed').setAccessMode('read write').execute(work)
    return this.#withoutNesting(() => retryWhileBusy(attempt, isBusy))
  }

  onForeignCommit: SqlDriver<DB>['onForeignCommit'] = (listener, heardUntil) =>
    this.#foreignCommits.add(listener, heardUntil)

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#foreignCommits.close()
    await this.db.destroy() // waits for the connections in use
  }
}

function isBusy(error: unknown): boolean {
  const { code } = engineError(error)
  return (code !== undefined && BUSY.includes(code)) || isNotBegun(error)
}
