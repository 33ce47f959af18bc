// SPDX-License-Identifier: Apache-2.0
/**
 * What the store asks of a database engine; SQLite and PostgreSQL answer alike, so that one schema, one list of
 * migrations and one set of queries serve both:
 *
 * - parameters are null, strings without NUL, finite numbers, safe bigints or bytes; all else is refused
 *   (no Date, no boolean, no undefined, no object: the engines would each make something different of them);
 * - rows are plain objects of null, string, number and Uint8Array; truth is 0 or 1; a whole number beyond 2^53
 *   is an error, never a rounded value.
 */
import type { Kysely, Transaction } from 'kysely'

/** One open database. */
export interface SqlDriver<DB> {
  readonly dialect: 'sqlite' | 'postgres'
  /** For reads, at any time; writing through it is refused by the engine. Never waits for a writer. */
  readonly db: Kysely<DB>
  /**
   * Runs work in one write transaction, durable when it resolves, rolled back when work throws.
   * Work may run more than once (the engine said busy, serialization failure or deadlock), so it has no effect
   * outside `tx`. It awaits queries on `tx` and nothing else: SQLite has one writer, and a network call or a second
   * `transact` inside would stop all of them. Schema changes go through here as well.
   */
  transact<T>(work: (tx: Transaction<DB>) => Promise<T>): Promise<T>
  /**
   * The same for what can be made again from the rest: done when it resolves, also if this process is killed, but a
   * power cut may lose the last of it. Spares the disk a sync; other processes need not hear of it.
   */
  transactDerived<T>(work: (tx: Transaction<DB>) => Promise<T>): Promise<T>
  /**
   * Calls back after another process (or another driver) committed; several commits may share one call, and a call
   * may come without cause after a lost connection. Own commits are not reported. Returns a stop function.
   *
   * `heardUntil` says several times a second until when (on the clock of `performance.now()`) every commit of others has
   * been called back. While it is silent nothing is known of others.
   */
  onForeignCommit(listener: () => void, heardUntil?: (atMs: number) => void): () => void
  /** Writes a consistent copy of the database to a new file, while it is in use. SQLite only. */
  backup?(path: string): Promise<void>
  /** Waits for the running transaction, then lets go of everything. */
  close(): Promise<void>
}

const SQLITE_UNIQUE = [1555, 2067, 2579] // SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE, _ROWID
const POSTGRES_UNIQUE = '23505'

/** Whether an engine refused a row because another one holds the same unique key. */
export function isUniqueViolation(error: unknown): boolean {
  const { errcode, code } = engineError(error)
  return code === POSTGRES_UNIQUE || (errcode !== undefined && SQLITE_UNIQUE.includes(errcode))
}

/** The fields by which both engines tell their errors apart. */
export function engineError(error: unknown): { readonly errcode?: number; readonly code?: string } {
  return error instanceof Error ? (error as { errcode?: number; code?: string }) : {}
}
