// SPDX-License-Identifier: Apache-2.0
/** What a log of many entries costs beside a small one: opening it, a change with its checkpoint, the proofs of a lock file. */
import { hash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  formatCheckpoint,
  formatTilePath,
  listNewTiles,
  type PackageName,
  parseNamePattern,
  rootOf,
  type Version,
} from '@holdfast/core'
import { hostNames, proveVersions } from '../packages/server/src/flow/index.ts'
import { emptyEdge, frontierOf, growEdge } from '../packages/server/src/flow/log-edge.ts'
import { operator } from '../packages/server/src/identity/index.ts'
import { nodeCrypto } from '../packages/server/src/integrity/index.ts'
import { openPorts, readConfig } from '../packages/server/src/main.ts'
import { openLogKey } from '../packages/server/src/remote/index.ts'

/** Processor time, in milliseconds: what the machine does besides does not count. */
export interface LogCost {
  readonly start: number
  readonly append: number
  readonly proofs: number
  /** Files of the log on disk: tiles, bundles, the checkpoint. */
  readonly bytes: number
}

const atOnce = 8192
const appends = 40
const locked = 1500
const firstAt = Date.UTC(2026, 0, 1)

/** Makes a log of this many entries in a folder of its own, uses it, and removes it. */
export async function measureLog(entries: number): Promise<LogCost> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-log-'))
  try {
    await makeLog(folder, entries)
    return await useLog(folder, entries)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function useLog(folder: string, entries: number): Promise<LogCost> {
  const bytes = sizeOf(join(folder, 'log'))
  const begun = process.cpuUsage()
  const { ports, close } = await openPorts(readConfig({ data: folder, port: '0' }, {}))
  try {
    await addOne(ports, 'first')
    const start = since(begun)
    const append = await median(appends, at => addOne(ports, `added-${at}`))
    const wanted = Array.from({ length: locked }, (_, at) => subjectAt(Math.floor((at * entries) / locked)))
    const proofs = await median(5, () => proveVersions(ports, operator, wanted))
    return { start, append, proofs, bytes }
  } finally {
    await close()
  }
}

type Ports = Awaited<ReturnType<typeof openPorts>>['ports']

async function addOne(ports: Ports, name: string): Promise<void> {
  await hostNames(ports, operator, [parseNamePattern(name)])
  if (!(await ports.log.covered())) throw new Error('the log does not get on')
}

/** As rounds would have left it, without their commits: rows, tiles, bundles, a signed checkpoint. */
async function makeLog(folder: string, entries: number): Promise<void> {
  const { ports, close } = await openPorts(readConfig({ data: folder, port: '0' }, {}))
  const { logOrigin } = ports.store.instance
  await close()
  const database = new DatabaseSync(join(folder, 'holdfast.db'))
  database.exec('pragma synchronous = off; pragma journal_mode = off; pragma cache_size = -400000')
  const wanted = new Set(listNewTiles(0, entries).map(formatTilePath))
  const rows = openRows(database, logOrigin)
  let edge = emptyEdge
  while (edge.size < entries) {
    database.exec('begin')
    const leaves = Array.from({ length: Math.min(atOnce, entries - edge.size) }, (_, at) =>
      rows.add(edge.size + at),
    )
    database.exec('commit')
    const grown = await growEdge(edge, leaves)
    for (const [path, bytes] of grown.files)
      if (wanted.has(path)) writeBelow(join(folder, 'log'), path, bytes)
    edge = grown.edge
  }
  const { size, hashes } = await frontierOf(edge)
  const root = await rootOf(nodeCrypto, { size, hashes })
  const text = formatCheckpoint({ origin: logOrigin, size, root })
  const signer = await openLogKey(join(folder, 'keys'), logOrigin)
  const note = `${text}\n${await signer.sign({ size, root }, text)}`
  rows.end({ size, root, hashes: Buffer.concat(hashes), note })
  database.close()
  writeBelow(join(folder, 'log'), 'checkpoint', Buffer.from(note))
}

interface Rows {
  /** Writes the row of an entry, and gives the entry. */
  add(index: number): Uint8Array
  end(tree: {
    readonly size: number
    readonly root: Uint8Array
    readonly hashes: Uint8Array
    readonly note: string
  }): void
}

function openRows(database: DatabaseSync, log: string): Rows {
  const before = database.prepare('select coalesce(max(position), 0) as last from event').get() as {
    last: number
  }
  const event = database.prepare(
    `insert into event (position, id, at, type, actor_kind, actor_id, pkg, ver, seq, prev, leaf, leaf_hash, detail)
     values (?, ?, ?, 'ingest', 'system', 'mirror', ?, ?, 1, '', ?, ?, '{}')`,
  )
  const place = database.prepare('insert into log_leaf (idx, position) values (?, ?)')
  return {
    add(index) {
      const position = before.last + 1 + index
      const { id, at, name, version, leaf } = leafAt(log, index)
      const leafHash = hash('sha256', Buffer.from(`\0${leaf}`), 'base64')
      event.run(position, id, at, name, version, leaf, leafHash)
      place.run(index, position)
      return new Uint8Array(Buffer.from(leaf))
    },
    end({ size, root, hashes, note }) {
      const position = before.last + size
      database.prepare('update event_counter set position = ?').run(position)
      database
        .prepare('update log_head set size = ?, root = ?, hashes = ?, position = ?')
        .run(size, root, hashes, position)
      database
        .prepare('insert into log_published (one, size, root, note, at) values (1, ?, ?, ?, ?)')
        .run(size, root, note, Date.now())
    },
  }
}

/** Canonical as it stands here: members in order, nothing but ASCII. Millions are made. */
function leafAt(log: string, index: number) {
  const { name, version } = subjectAt(index)
  const at = firstAt + index
  const digest = hash('sha512', name, 'buffer')
  const hex = digest.toString('hex', 0, 9)
  const id = `${at
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7${hex.slice(0, 3)}-8${hex.slice(3, 6)}-${hex.slice(6, 18)}`
  const leaf = JSON.stringify({
    ...{ actor: { id: 'sys_mirror', kind: 'system' }, at },
    dist: { integrity: `sha512-${digest.toString('base64')}`, size: 1000 },
    ...{ id, log, pkg: name, prev: '', seq: 1, signature: 'verified', type: 'ingest' },
    ...{ upstream: 'npm', v: 1, ver: version },
  })
  return { id, at, name, version, leaf }
}

function subjectAt(index: number): { readonly name: PackageName; readonly version: Version } {
  return { name: `lib-${index}` as PackageName, version: '1.0.0' as Version }
}

function writeBelow(folder: string, path: string, bytes: Uint8Array): void {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, bytes)
}

async function median(times: number, work: (at: number) => Promise<unknown>): Promise<number> {
  const taken: number[] = []
  for (let at = 0; at < times; at += 1) {
    const begun = process.cpuUsage()
    await work(at)
    taken.push(since(begun))
  }
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0
}

function since(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1000
}

function sizeOf(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(each => each.isFile())
    .reduce((sum, each) => sum + statSync(join(each.parentPath, each.name)).size, 0)
}
