// SPDX-License-Identifier: Apache-2.0
/** The static files: hashes for whoever may read here, entries for whoever may read all of them. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { parseTilePath, problem } from '@holdfast/core'
import { checkMayReadHashes, checkMayReadWholeLog } from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { Ports } from '../../ports.ts'

const compress = promisify(gzip)

type Tile = NonNullable<ReturnType<typeof parseTilePath>>

/** The newest checkpoint with its cosignatures. */
export async function readCheckpoint(ports: Ports, { actor }: Call): Promise<Answer> {
  checkMayReadHashes(ports, actor)
  const published = await ports.log.published()
  if (published === undefined) throw problem('log-entry-not-found', { entry: '0' })
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  }
  return { status: 200, headers, body: published.note }
}

/** A tile of hashes, or a bundle of entries: only what the newest checkpoint covers, though more may lie on disk already. */
export async function readTile(ports: Ports, { actor, headers }: Call, path: string): Promise<Answer> {
  const tile = parseTilePath(path)
  if (tile === undefined) throw problem('not-found')
  if (tile.kind === 'hash') checkMayReadHashes(ports, actor)
  else await checkMayReadWholeLog(ports, actor)
  const published = await ports.log.published()
  const bytes = isCovered(tile, published?.size ?? 0) ? await ports.log.read(path) : undefined
  if (bytes === undefined) throw problem('not-found')
  const isForAll = tile.kind === 'hash' || !(await ports.store.catalog.wasEverRestricted())
  const sent = tileHeaders(isForAll && ports.config.read === 'anyone')
  if (tile.kind === 'hash') return { status: 200, headers: sent, body: bytes }
  return answerBundle(bytes, sent, headers['accept-encoding'] ?? '')
}

function isCovered(tile: Tile, size: number): boolean {
  const level = tile.kind === 'hash' ? tile.level : 0
  // Sizes end at 2^53, so a level of 7 or more has no tile.
  return level < 7 && (tile.index * 256 + tile.width) * 256 ** level <= size
}

/** What is behind a path never changes; but a cache that many share must not give out what only some may have. */
function tileHeaders(isPublic: boolean): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'cache-control': `${isPublic ? 'public' : 'private'}, max-age=31536000, immutable`,
    'x-content-type-options': 'nosniff',
  }
}

async function answerBundle(
  bytes: Uint8Array,
  sent: Record<string, string>,
  accepted: string,
): Promise<Answer> {
  const headers = { ...sent, vary: 'accept-encoding' }
  if (!/\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(accepted)) return { status: 200, headers, body: bytes }
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: await compress(bytes) }
}
