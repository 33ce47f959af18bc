// SPDX-License-Identifier: Apache-2.0
/** A log as static files: over HTTP, or in a folder that was copied. */
import { open, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  type BundleAddress,
  decodeBundle,
  formatTilePath,
  type ReadTile,
  type TileAddress,
} from '@holdfast/core'
import { explainRefusal, fetchBounded, findRegistry, type Registry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'
import { Misbehaviour } from './misbehaviour.ts'

const maxNoteBytes = 65_536
const maxTileBytes = 8192
// 256 entries of at most 8 KiB, each with its length.
const maxBundleBytes = 256 * (8192 + 2)

export interface LogSource {
  /** For people. */
  readonly address: string
  /** A file of the log, or undefined when it has none there; throws `UsageError` when it cannot be asked. */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>
}

/** The log of a registry. */
export function openLog(registry: Registry): LogSource {
  return openBelow(registry, 'log/')
}

function openBelow(registry: Registry, prefix: string): LogSource {
  return {
    address: `${registry.url}/${prefix}`,
    async read(path, maxBytes) {
      const answer = await fetchBounded(registry, 'GET', `${prefix}${path}`, maxBytes)
      if (answer.status === 404) return undefined
      if (!answer.isOk) throw explainRefusal(registry, answer)
      return answer.body
    },
  }
}

/** The log at an address (of the registry, or of the log itself) or in a folder. */
export async function findLog(place: string): Promise<LogSource> {
  if (!/^https?:\/\//.test(place)) return openFolder(place)
  const registry = await findRegistry(place.replace(/\/log\/*$/, ''))
  const log = openLog(registry)
  // A mirror may serve nothing but the log, at its own root.
  return (await log.read('checkpoint', maxNoteBytes)) === undefined ? openBelow(registry, '') : log
}

async function openFolder(place: string): Promise<LogSource> {
  const folder = resolve(place)
  const found = await stat(folder).catch(() => undefined)
  if (!found?.isDirectory())
    throw new UsageError(
      `${place} is no folder and no address`,
      'Name the folder of the log, or its address.',
    )
  return { address: folder, read: (path, maxBytes) => readFile(join(folder, path), maxBytes) }
}

async function readFile(file: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new UsageError(`${file} cannot be read: ${error.message}`, 'Check who may read it.')
  })
  if (handle === undefined) return undefined
  try {
    const { size } = await handle.stat()
    if (size > maxBytes)
      throw new Misbehaviour(`${file} has ${size} bytes`, 'No file of a log is that large.')
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/** The newest checkpoint of a log, as text. */
export async function readCheckpointNote(source: LogSource): Promise<string> {
  const bytes = await source.read('checkpoint', maxNoteBytes)
  if (bytes === undefined)
    throw new UsageError(
      `there is no checkpoint at ${source.address}`,
      'Check the address. A new registry publishes its first checkpoint with its first change, and an older one has no log.',
    )
  return decodeText(bytes)
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Misbehaviour('the checkpoint is no text', 'No client can read it.')
  }
}

/** Reads tiles of a log, each once; a partial one that is gone is the beginning of the full one. */
export function tileReader(source: LogSource): ReadTile {
  const known = new Map<string, Promise<Uint8Array>>()
  return address => {
    const path = formatTilePath(address)
    const tile = known.get(path) ?? readTile(source, address)
    known.set(path, tile)
    return tile
  }
}

async function readTile(source: LogSource, address: TileAddress): Promise<Uint8Array> {
  const bytes = await readFull(source, address, maxTileBytes)
  return bytes.subarray(0, address.width * 32)
}

/** The entries of a bundle, exactly as many as the address says. */
export async function readBundle(source: LogSource, address: BundleAddress): Promise<readonly Uint8Array[]> {
  const entries = decodeBundle(await readFull(source, address, maxBundleBytes))
  if (entries.length >= address.width) return entries.slice(0, address.width)
  throw missing(source, address)
}

async function readFull(
  source: LogSource,
  address: TileAddress | BundleAddress,
  maxBytes: number,
): Promise<Uint8Array> {
  const bytes =
    (await source.read(formatTilePath(address), maxBytes)) ??
    (await source.read(formatTilePath({ ...address, width: 256 }), maxBytes))
  if (bytes === undefined) throw missing(source, address)
  return bytes
}

// A signed checkpoint says that it is there.
function missing(source: LogSource, address: TileAddress | BundleAddress): Misbehaviour {
  return new Misbehaviour(
    `${source.address} signed a tree and does not have ${formatTilePath(address)}`,
    'Try again; if it stays so, part of the log was lost or is being hidden.',
  )
}
