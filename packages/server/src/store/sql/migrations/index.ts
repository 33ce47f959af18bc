// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import { up as foundation } from './0001-foundation.ts'

/** One step forward. Migrations are never edited once released, and each runs on both dialects. */
export interface Migration {
  readonly name: string
  up(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void>
}

export const migrations: readonly Migration[] = [{ name: '0001-foundation', up: foundation }]
