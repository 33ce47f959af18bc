// SPDX-License-Identifier: Apache-2.0
/** What an attack may have left behind, seen from outside the process: rows, blobs, temporary files, logged bugs. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { type Live, put } from '../live.ts'

/** What follows from reading, or is counted beside it. */
const passing = new Set([
  'cursor',
  'document',
  'download',
  'download_day',
  'failure',
  'first_use',
  'log_leaf',
  'log_published',
])

export interface Trace {
  readonly rows: Readonly<Record<string, number>>
  readonly files: readonly string[]
}

/** Rows by table, and every file below `blobs`. */
export async function takeTrace(live: Pick<Live, 'folder'>): Promise<Trace> {
  const entries = await readdir(join(live.folder, 'blobs'), { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => entry.name)
  const db = new DatabaseSync(join(live.folder, 'holdfast.db'), { readOnly: true, timeout: 5000 })
  try {
    const tables = db.prepare("select name from sqlite_master where type = 'table'").all()
    const names = tables
      .map(({ name }) => String(name))
      .filter(name => !passing.has(name) && !name.startsWith('sqlite_'))
    const rows = names.map(name => {
      // What was refused is told to auditors: bounded, and written a moment later, as is what the log made of events before.
      const later = "('denied', 'sign-in-failed', 'checkpoint')"
      const counted = name === 'event' ? `event where type not in ${later}` : `"${name}"`
      return [name, Number(db.prepare(`select count(*) as n from ${counted}`).get()?.['n'])]
    })
    return { rows: Object.fromEntries(rows), files: files.sort() }
  } finally {
    db.close()
  }
}

/** Runs an attack; afterwards nothing is stored, nothing was logged as a bug, and the server answers. */
export async function leavesNothing(live: Live, attack: () => Promise<unknown>): Promise<void> {
  const before = await takeTrace(live)
  await attack()
  const health = await fetch(`${live.url}/-/health/ready`)
  assert.equal(health.status, 200, await health.text())
  assert.deepEqual(await settled(live, before), before, 'something is left behind')
  assert.deepEqual(live.errors, [], 'something went wrong inside')
}

/** A temporary file goes a moment after its connection: the server hears of a lost peer when it hears of it. */
async function settled(live: Live, wanted: Trace): Promise<Trace> {
  for (let waited = 0; ; waited += 20) {
    const trace = await takeTrace(live)
    if (waited > 10_000 || JSON.stringify(trace) === JSON.stringify(wanted)) return trace
    await delay(20)
  }
}

/** Puts a document that must be refused: with this status, and a sentence that npm shows. */
export async function refuses(
  live: Live,
  name: string,
  document: unknown,
  wanted: { readonly status: number; readonly code?: string; readonly says?: RegExp },
): Promise<void> {
  await leavesNothing(live, async () => {
    const answer = await put(live, name, document)
    const text = await answer.text()
    assert.equal(answer.status, wanted.status, text)
    const { error, code } = JSON.parse(text) as { error: string; code: string }
    assert.match(error, wanted.says ?? /\S+ \S+/)
    assert.doesNotMatch(error, /\{\w+\}|undefined|\[object/, 'a place in the sentence is not filled')
    if (wanted.code !== undefined) assert.equal(code, wanted.code, text)
  })
}
