// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openPostgres } from '../../src/store/sql/postgres.ts'
import { openSqlite } from '../../src/store/sql/sqlite.ts'
import { startPostgres } from '../postgres.ts'
import { sqlContract } from './sql.ts'

const folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
after(() => rm(folder, { recursive: true }))

sqlContract({
  dialect: 'sqlite',
  makeAddress: async () => join(folder, 'contract.db'),
  open: async address => openSqlite(address),
})

sqlContract({
  dialect: 'postgres',
  makeAddress: async () => {
    const server = await startPostgres()
    return server.url(await server.createDatabase())
  },
  open: openPostgres,
})
