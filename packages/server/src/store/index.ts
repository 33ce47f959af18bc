// SPDX-License-Identifier: Apache-2.0
export { openFileBlobs, openMemoryBlobs } from './blob/index.ts'
export { openPostgres, openSqlite, openStore, type Schema, type SqlDriver } from './sql/index.ts'
