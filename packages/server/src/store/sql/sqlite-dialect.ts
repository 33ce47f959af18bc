// SPDX-License-Identifier: Apache-2.0
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely'
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { explainDiskError } from '../unavailable.ts'
import { checkParameters, countPlaces } from './parameter.ts'

const STATEMENTS_KEPT = 250

/** Kysely on one node:sqlite connection; a transaction takes the write lock at its start. */
export function sqliteDialect(database: DatabaseSync): Dialect {
  return {
    createDriver: () => new NodeSqliteDriver(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: db => new SqliteIntrospector(db),
  }
}

class NodeSqliteDriver implements Driver {
  readonly #database: DatabaseSync
  readonly #connection: NodeSqliteConnection

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#connection = new NodeSqliteConnection(database)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async beginTransaction(): Promise<void> {
    this.#database.exec('begin immediate')
    this.#connection.hasFailed = false
  }

  async commitTransaction(): Promise<void> {
    this.#connection.checkNotFailed()
    try {
      this.#database.exec('commit')
    } catch (error) {
      throw explainDiskError(error)
    }
  }

  async rollbackTransaction(): Promise<void> {
    // On a full disk the engine has rolled back by itself.
    if (this.#database.isTransaction) this.#database.exec('rollback')
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#database.close()
  }
}

/** A statement with what we must know to run it. */
interface Prepared {
  readonly statement: StatementSync
  readonly places: number
  /** Whether it answers with rows: a read, or a write with RETURNING. */
  readonly hasRows: boolean
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()
  /** Whether a statement of the running transaction failed: it can only be rolled back then, as in PostgreSQL. */
  hasFailed = false

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    this.checkNotFailed()
    try {
      return this.#run(this.#prepare(query.sql), query.parameters)
    } catch (error) {
      this.hasFailed = this.#database.isTransaction
      throw explainDiskError(error)
    }
  }

  checkNotFailed(): void {
    if (this.hasFailed) throw new Error('An earlier statement of this transaction failed')
  }

  // biome-ignore lint/correctness/useYield: lists are paged by key, on both engines
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Queries are not streamed: page by key')
  }

  #run<R>({ statement, places, hasRows }: Prepared, parameters: readonly unknown[]): QueryResult<R> {
    checkParameters(parameters)
    // The engine would take NULL for what is missing.
    if (parameters.length !== places) {
      throw new TypeError(`SQL statement has ${places} places and got ${parameters.length} parameters`)
    }
    const values = parameters as readonly SQLInputValue[]
    if (hasRows) return { rows: statement.all(...values).map(row => ({ ...row })) as R[] }
    return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) }
  }

  #prepare(sql: string): Prepared {
    const kept = this.#prepared.get(sql)
    this.#prepared.delete(sql)
    const prepared = kept ?? this.#compile(sql)
    this.#prepared.set(sql, prepared) // last used, last forgotten
    if (this.#prepared.size > STATEMENTS_KEPT) this.#forgetOldest()
    return prepared
  }

  #compile(sql: string): Prepared {
    const statement = this.#database.prepare(sql)
    return { statement, places: countPlaces(sql), hasRows: statement.columns().length > 0 }
  }

  #forgetOldest(): void {
    const [oldest] = this.#prepared.keys()
    if (oldest !== undefined) this.#prepared.delete(oldest)
  }
}
