// SPDX-License-Identifier: Apache-2.0
export { openFileBlobs, openMemoryBlobs } from './blob/index.ts'
export { openLogFolder } from './log/index.ts'
export {
  openPostgres,
  openSnapshot,
  openSqlite,
  openStore,
  type Schema,
  type Snapshot,
  type SqlDriver,
  takeSnapshot,
} from './sql/index.ts'
