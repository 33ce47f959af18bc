// SPDX-License-Identifier: Apache-2.0
export type { SqlDriver } from './driver.ts'
export { openPostgres } from './postgres.ts'
export type { Schema } from './schema.ts'
export { openSnapshot, type Snapshot, takeSnapshot } from './snapshot.ts'
export { openSqlite } from './sqlite.ts'
export { openStore } from './store.ts'
