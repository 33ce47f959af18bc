// SPDX-License-Identifier: Apache-2.0
/**
 * SQLite through node:sqlite. Two connections on one file in WAL mode: a reader that never waits for the writer, and
 * a writer that one transaction at a time holds. The engine never blocks the event loop to wait for another process:
 * its busy time-out is 0, and waiting is done here, asynchronously.
 */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import type { SqlDriver } from './driver.ts'
import { engineError } from './driver.ts'
import { makeNestingGuard, retryWhileBusy } from './retry.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

const SQLITE_BUSY = 5
const OPEN_WAIT_MS = 5_000
const FOREIGN_COMMIT_POLL_MS = 200
const ALL_PAGES = 2 ** 31 - 1

/** Opens or creates an SQLite database; `:memory:` is a private file that is never synced and goes when closed. */
export function openSqlite<DB>(path: string): SqlDriver<DB> {
  const inMemory = path === ':memory:'
  const file = inMemory ? join(mkdtempSync(join(tmpdir(), 'holdfast-')), 'memory.db') : path
  const driver = new SqliteDriver<DB>(file, inMemory ? 'off' : 'full')
  if (inMemory) forgetAtExit.add(dirname(file))
  return driver
}

class SqliteDriver<DB> implements SqlDriver<DB> {
  readonly dialect = 'sqlite'
  readonly db: Kysely<DB>
  readonly #file: string
  readonly #writer: Kysely<DB>
  readonly #foreignCommits: ForeignCommits
  readonly #synchronous: 'full' | 'off'
  readonly #setSynchronous: (level: 'full' | 'normal' | 'off') => void
  #lastInLine: Promise<unknown> = Promise.resolve()
  readonly #withoutNesting = makeNestingGuard()
  #closing: Promise<void> | undefined

  constructor(file: string, synchronous: 'full' | 'off') {
    this.#file = file
    const writer = openWriter(file, synchronous)
    this.#writer = new Kysely<DB>({ dialect: sqliteDialect(writer) })
    this.db = new Kysely<DB>({ dialect: sqliteDialect(openReader(file)) })
    this.#foreignCommits = new ForeignCommits(writer)
    this.#synchronous = synchronous
    this.#setSynchronous = level => writer.exec(`pragma synchronous = ${level}`)
  }

  transact: SqlDriver<DB>['transact'] = work =>
    this.#withoutNesting(() =>
      this.#inLine(() => retryWhileBusy(() => this.#writer.transaction().execute(work), isBusy)),
    )

  transactDerived: SqlDriver<DB>['transactDerived'] = work =>
    this.#withoutNesting(() =>
      this.#inLine(async () => {
        // Between transactions only: SQLite ignores the change inside one.
        this.#setSynchronous(this.#synchronous === 'full' ? 'normal' : 'off')
        try {
          return await retryWhileBusy(() => this.#writer.transaction().execute(work), isBusy)
        } finally {
          this.#setSynchronous(this.#synchronous)
        }
      }),
    )

  onForeignCommit: SqlDriver<DB>['onForeignCommit'] = (listener, heardUntil) =>
    this.#foreignCommits.add(listener, heardUntil)

  async backup(path: string): Promise<void> {
    // A connection of its own, and all pages in one step on a worker thread: one snapshot, no reader or writer waits.
    const source = openReader(this.#file)
    try {
      await backup(source, path, { rate: ALL_PAGES })
    } finally {
      source.close()
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#foreignCommits.stop()
    await this.#lastInLine
    await this.db.destroy()
    await this.#writer.destroy() // last, so that it takes the write-ahead log into the database
    const folder = dirname(this.#file)
    if (forgetAtExit.delete(folder)) rmSync(folder, { recursive: true, force: true })
  }

  /** One transaction at a time, first come, first served. */
  #inLine<T>(transaction: () => Promise<T>): Promise<T> {
    if (this.#closing) return Promise.reject(new Error('The database is closed'))
    const mine = this.#lastInLine.then(transaction)
    this.#lastInLine = mine.catch(() => undefined)
    return mine
  }
}

/** Tells commits of others by `PRAGMA data_version`, which on the writing connection changes for them only. */
class ForeignCommits {
  readonly #listeners = new Set<(hasChanged: boolean, atMs: number) => void>()
  readonly #writer: DatabaseSync
  #timer: NodeJS.Timeout | undefined

  constructor(writer: DatabaseSync) {
    this.#writer = writer
  }

  add(listener: () => void, heardUntil: (atMs: number) => void = () => {}): () => void {
    const entry = (hasChanged: boolean, atMs: number) => {
      if (hasChanged) listener()
      heardUntil(atMs)
    }
    this.#listeners.add(entry)
    this.#timer ??= this.#start()
    return () => {
      this.#listeners.delete(entry)
      if (this.#listeners.size === 0) this.stop()
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #start(): NodeJS.Timeout {
    const dataVersion = this.#writer.prepare('pragma data_version')
    let known = dataVersion.get()?.['data_version']
    const poll = () => {
      const atMs = performance.now()
      const found = dataVersion.get()?.['data_version']
      const hasChanged = found !== known
      known = found
      for (const listener of this.#listeners) listener(hasChanged, atMs)
    }
    return setInterval(poll, FOREIGN_COMMIT_POLL_MS).unref()
  }
}

function openWriter(file: string, synchronous: 'full' | 'off'): DatabaseSync {
  // Password hashes lie in here: the file, and the log files that take over its mode, are for the owner alone.
  closeSync(openSync(file, 'a', 0o600))
  const writer = new DatabaseSync(file, { timeout: OPEN_WAIT_MS }) // another process may be creating it right now
  writer.exec('pragma journal_mode = wal')
  writer.exec(`pragma synchronous = ${synchronous}`)
  writer.exec('pragma foreign_keys = on; pragma trusted_schema = off; pragma temp_store = memory')
  writer.exec('pragma journal_size_limit = 67108864') // a bulk import leaves no endless log file behind
  writer.exec('pragma busy_timeout = 0')
  return writer
}

function openReader(file: string): DatabaseSync {
  const reader = new DatabaseSync(file, { timeout: OPEN_WAIT_MS })
  reader.exec('pragma query_only = on; pragma trusted_schema = off; pragma temp_store = memory')
  reader.exec('pragma busy_timeout = 0')
  return reader
}

/** Whether another connection was in the way: any extended form of SQLITE_BUSY. */
function isBusy(error: unknown): boolean {
  const { errcode } = engineError(error)
  return errcode !== undefined && (errcode & 0xff) === SQLITE_BUSY
}

const forgetAtExit = new Set<string>()
process.once('exit', () => {
  for (const folder of forgetAtExit) rmSync(folder, { recursive: true, force: true })
})
