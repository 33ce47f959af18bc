// SPDX-License-Identifier: Apache-2.0
/** The databases that every contract of the store is checked on. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { ensureAccount } from '../../src/flow/index.ts'
import { type Account, authorize, type Grant, operator } from '../../src/identity/index.ts'
import type { Ports } from '../../src/main.ts'
import type { Clock, Store } from '../../src/ports.ts'
import { openPostgres, openSqlite, openStore, type Schema, type SqlDriver } from '../../src/store/index.ts'
import { startPostgres } from '../postgres.ts'

/** A database that a store can be opened on, again and again. */
export interface StoreEngine {
  readonly name: string
  makeAddress(): Promise<string>
  open(address: string): Promise<SqlDriver<Schema>>
}

const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
after(() => rm(folder, { recursive: true }))
let databases = 0

/** The address of a new PostgreSQL database. */
export async function makeDatabase(): Promise<string> {
  const server = await startPostgres()
  return server.url(await server.createDatabase())
}

export const engines: readonly StoreEngine[] = [
  {
    name: 'SQLite',
    makeAddress: async () => join(folder, `${databases++}.db`),
    open: async address => openSqlite(address),
  },
  { name: 'PostgreSQL', makeAddress: makeDatabase, open: openPostgres },
]

/** Two stores on one new database, as two processes have it, and the right of the machine's owner. */
export interface Pair {
  readonly store: Store
  readonly second: Store
  readonly grant: Grant
  /** The account of this name, made when it is missing. */
  account(login: string): Promise<Account>
  close(): Promise<void>
}

export async function openPair(engine: StoreEngine, clock: Clock): Promise<Pair> {
  const address = await engine.makeAddress()
  const open = async () => openStore(await engine.open(address), clock, 'registry.example/log')
  const [store, second] = [await open(), await open()]
  const config = {} as Ports['config']
  const grant = await authorize({ store, config }, operator, 'instance:operate', '')
  return {
    store,
    second,
    grant,
    account: login => ensureAccount({ store, config, clock } as Ports, operator, login),
    async close() {
      await second.close()
      await store.close()
    },
  }
}
