// SPDX-License-Identifier: Apache-2.0
/** A copy of an SQLite database in one file that stands for itself: it opens without a log beside it, and only for reading. */
import { open } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { type Digest, parseDigest } from '@holdfast/core'
import { openSqlite } from './sqlite.ts'

const kept = `
  select digest, max(size_bytes) as size from (
    select digest, size_bytes from version where status <> 'removed'
    union all
    select digest, size_bytes from stage
    union all
    select ingested.digest, ingested.size_bytes from ingested
      join upstream_measure using (package, version) where ingested.dropped_at is null
  ) group by digest order by digest`

/** What a snapshot holds. */
export interface Snapshot {
  readonly instance: string
  /** Position of its newest event. */
  readonly position: number
  /** Entries of its log that are published. */
  readonly logSize: number
  readonly packages: number
  readonly versions: number
  /** Migrations it has seen, in order. */
  readonly migrations: readonly string[]
  /**
   * Bytes that its versions name, and evidence among those of upstreams: each once, in the order of digests. Removed versions
   * are left out, and so is what upstreams give again.
   */
  blobs(): Iterable<{ readonly digest: Digest; readonly sizeBytes: number }>
  /** What SQLite finds wrong with the file, a line each. */
  findFaults(): readonly string[]
  close(): void
}

/** Copies a database that may be in use to a new file, durable when this resolves. */
export async function takeSnapshot(database: string, path: string): Promise<void> {
  const driver = openSqlite<unknown>(database)
  try {
    await driver.backup?.(path)
  } finally {
    await driver.close()
  }
  const copy = new DatabaseSync(path)
  copy.exec('pragma journal_mode = delete')
  copy.close()
  const file = await open(path, 'r')
  await file.sync().finally(() => file.close())
}

/** Opens a snapshot; nothing can be written through it. */
export function openSnapshot(path: string): Snapshot {
  const database = new DatabaseSync(path, { readOnly: true })
  const value = (sql: string) => Object.values(database.prepare(sql).get() ?? {})[0]
  return {
    instance: String(value("select value from instance where key = 'id'")),
    position: Number(value('select position from event_counter')),
    logSize: Number(value('select coalesce(max(size), 0) from log_published')),
    packages: Number(value('select count(*) from package')),
    versions: Number(value('select count(*) from version')),
    migrations: database
      .prepare('select name from migration order by name')
      .all()
      .map(row => String(row['name'])),
    *blobs() {
      const rows = database.prepare(kept)
      for (const row of rows.iterate()) {
        yield { digest: parseDigest(String(row['digest'])), sizeBytes: Number(row['size']) }
      }
    },
    findFaults: () =>
      database
        .prepare('pragma integrity_check')
        .all()
        .map(row => String(row['integrity_check']))
        .filter(line => line !== 'ok'),
    close: () => database.close(),
  }
}
