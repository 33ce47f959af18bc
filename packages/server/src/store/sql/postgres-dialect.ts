// SPDX-License-Identifier: Apache-2.0
import type {
  CompiledQuery,
  DatabaseConnection,
  Dialect,
  Driver,
  QueryResult,
  TransactionSettings,
} from 'kysely'
import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { unavailable } from '../unavailable.ts'
import { engineError } from './driver.ts'
import { checkParameters } from './parameter.ts'

/** Kysely on a pool of PostgreSQL connections, with our rules on parameters and our problem when the server is gone. */
export function postgresDialect(pool: Pool): Dialect {
  return {
    createDriver: () => new PgDriver(pool),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: db => new PostgresIntrospector(db),
  }
}

/** A connection was lost before its transaction began: nothing happened, and another connection may do. */
class NotBegun extends Error {}

/** Whether a transaction can be tried again because it never began. */
export function isNotBegun(error: unknown): boolean {
  return error instanceof NotBegun
}

class PgDriver implements Driver {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PgConnection> {
    try {
      return new PgConnection(await this.#pool.connect())
    } catch (error) {
      throw unavailable('the database does not answer', error)
    }
  }

  async beginTransaction(connection: PgConnection, settings: TransactionSettings): Promise<void> {
    try {
      await connection.client.query(`begin isolation level ${settings.isolationLevel} ${settings.accessMode}`)
    } catch (error) {
      throw isConnectionLost(error) ? new NotBegun('Connection lost', { cause: error }) : error
    }
  }

  async commitTransaction(connection: PgConnection): Promise<void> {
    const { command } = await connection.query('commit', [])
    if (command === 'ROLLBACK') throw new Error('An earlier statement of this transaction failed')
  }

  async rollbackTransaction(connection: PgConnection): Promise<void> {
    try {
      await connection.client.query('rollback')
    } catch (error) {
      // The server rolls back what lost its connection; what the caller gets to see is why it came to this.
      connection.isBroken = true
      if (!isConnectionLost(error)) throw error
    }
  }

  async releaseConnection(connection: PgConnection): Promise<void> {
    connection.client.release(connection.isBroken)
  }

  async destroy(): Promise<void> {
    await this.#pool.end()
  }
}

class PgConnection implements DatabaseConnection {
  readonly client: PoolClient
  isBroken = false

  constructor(client: PoolClient) {
    this.client = client
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    checkParameters(parameters)
    const { command, rowCount, rows } = await this.query(sql, parameters)
    const isRead = command === 'SELECT' || rowCount === null
    return isRead ? { rows: rows as R[] } : { rows: rows as R[], numAffectedRows: BigInt(rowCount) }
  }

  // biome-ignore lint/correctness/useYield: lists are paged by key, on both engines
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Queries are not streamed: page by key')
  }

  async query(sql: string, parameters: readonly unknown[]) {
    try {
      return await this.client.query(sql, parameters as unknown[])
    } catch (error) {
      if (!isConnectionLost(error)) throw error
      this.isBroken = true
      throw unavailable('the connection to the database was lost', error)
    }
  }
}

const LOST_STATES = /^(08...|25P03|57P0[1-3]|ECONN.*|EPIPE|ETIMEDOUT)$/
const LOST_MESSAGES = /^(Connection terminated|Client has encountered a connection error|Client was closed)/

/** Whether the server ended the connection, or it broke; pg tells some of these by their message alone. */
function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return LOST_STATES.test(engineError(error).code ?? '') || LOST_MESSAGES.test(error.message)
}
