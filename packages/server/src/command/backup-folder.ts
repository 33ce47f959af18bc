// SPDX-License-Identifier: Apache-2.0
/**
 * A backup in a folder:
 *
 *   backup.json          what is in it, with digests; written last, so that it never names what is not there
 *   holdfast-<ms>.db     the database in one file, named by the time
 *   blobs/sha512/ab/…    the bytes that the database's versions name; shared by all backups made into this folder
 *   log/                 the log's files as far as the database says that they are published; they never change
 *   keys/                only when asked for: who reads them can sign in the instance's name
 *
 * Not trusted: whoever owns the folder can change database and digests together. The digests find what rots.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, parseTilePath } from '@holdfast/core'
import * as v from 'valibot'
import { openLogFolder } from '../main.ts'
import type { BlobReader, Ports } from '../ports.ts'
import { UsageError } from './usage.ts'

type Blobs = Ports['blobs']

const fileName = v.pipe(v.string(), v.regex(/^[\w.-]+$/))
const sha512 = v.pipe(v.string(), v.regex(/^[0-9a-f]{128}$/))
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const listedFile = v.strictObject({ name: fileName, sha512, sizeBytes: count })

const manifestShape = v.strictObject({
  format: v.literal(1),
  madeAt: v.pipe(v.string(), v.isoTimestamp()),
  instance: v.string(),
  /** Position of the newest event. */
  position: count,
  migrations: v.array(v.string()),
  packages: count,
  versions: count,
  database: listedFile,
  blobs: v.strictObject({ count, sizeBytes: count }),
  keys: v.array(listedFile),
})

/** What a backup says of itself. */
export type BackupManifest = v.InferOutput<typeof manifestShape>
export type ListedFile = v.InferOutput<typeof listedFile>

/** Something in a backup or an instance that is not as it should be. */
export interface Damage {
  readonly what: string
  /** `changed` bytes differ from their digest, which is evidence; `missing` ones may just not have been copied. */
  readonly kind: 'missing' | 'changed'
}

const chunkBytes = 1024 * 1024
const manifestName = 'backup.json'

/** The manifest of a backup, or undefined where the folder holds none. Throws `UsageError` when it cannot be read. */
export async function findManifest(folder: string): Promise<BackupManifest | undefined> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return v.parse(manifestShape, JSON.parse(text))
  } catch (error) {
    const why = v.isValiError(error) ? v.summarize(error.issues) : String(error)
    throw new UsageError(`${join(folder, manifestName)} is not the manifest of a backup: ${why}`)
  }
}

/** Puts a manifest in place of the one before, durably. A crash leaves either. */
export async function writeManifest(folder: string, manifest: BackupManifest): Promise<void> {
  const aside = join(folder, `${manifestName}.new`)
  const file = await open(aside, 'w', 0o600)
  await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`)
  await file.sync().finally(() => file.close())
  await rename(aside, join(folder, manifestName))
  await syncFolder(folder)
}

/** Makes names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

/** A file with its digest. */
export async function listFile(folder: string, name: string): Promise<ListedFile> {
  const path = join(folder, name)
  const hash = createHash('sha512')
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) hash.update(chunk)
  return { name, sha512: hash.digest('hex'), sizeBytes: (await stat(path)).size }
}

/** Whether a file is what the manifest says. */
export async function checkFile(folder: string, wanted: ListedFile): Promise<Damage | undefined> {
  const found = await listFile(folder, wanted.name).catch(() => undefined)
  if (found === undefined) return { what: wanted.name, kind: 'missing' }
  return found.sha512 === wanted.sha512 ? undefined : { what: wanted.name, kind: 'changed' }
}

/** Whether a blob's bytes give its digest. */
export async function checkBlob(blobs: Blobs, digest: Digest): Promise<Damage | undefined> {
  const reader = await blobs.open(digest)
  if (reader === undefined) return { what: digest, kind: 'missing' }
  const hash = createHash('sha512')
  try {
    for await (const chunk of readAll(reader)) hash.update(chunk)
  } finally {
    await reader.close()
  }
  return hash.digest('hex') === digest ? undefined : { what: digest, kind: 'changed' }
}

/** Copies a blob, durably, unless its bytes do not give its digest. */
export async function copyBlob(from: Blobs, to: Blobs, digest: Digest): Promise<Damage | undefined> {
  const reader = await from.open(digest)
  if (reader === undefined) return { what: digest, kind: 'missing' }
  const writer = await to.begin()
  try {
    for await (const chunk of readAll(reader)) await writer.write(chunk)
    if (writer.digests().digest !== digest) return { what: digest, kind: 'changed' }
    await writer.keep()
    return undefined
  } finally {
    await writer.discard()
    await reader.close()
  }
}

/** Copies those files of a log that a tree of this size has, or had when it was smaller, and that are not there yet. */
export async function copyLog(from: string, to: string, size: number): Promise<void> {
  const names = await readdir(from, { recursive: true }).catch(() => [])
  const log = await openLogFolder(to)
  const copied: string[] = []
  for (const name of names) {
    const path = name.replaceAll('\\', '/')
    if (!isWithin(path, size) || (await log.read(path)) !== undefined) continue
    await log.write(new Map([[path, await readFile(join(from, name))]]))
    copied.push(path)
  }
  await log.settle(copied)
}

function isWithin(path: string, size: number): boolean {
  const address = parseTilePath(path)
  if (address === undefined) return false
  const leavesEach = address.kind === 'hash' ? 256 ** address.level : 1
  return (address.index * 256 + address.width) * leavesEach <= size
}

async function* readAll(reader: BlobReader): AsyncIterable<Uint8Array> {
  for (let at = 0; at < reader.sizeBytes; at += chunkBytes)
    yield await reader.read(at, Buffer.allocUnsafeSlow(chunkBytes))
}

/** Whether there is nothing in a folder, or no folder. */
export async function isEmpty(folder: string): Promise<boolean> {
  return (await readdir(folder).catch(() => [])).length === 0
}

/** Lines about damage, and the exit code: 3 when bytes differ from their digest, 1 when some are missing. */
export function explainDamage(damage: readonly Damage[]): { lines: string[]; code: number } {
  const lines = damage.map(({ what, kind }) => `  ${kind === 'missing' ? 'missing' : 'changed'}: ${what}`)
  if (damage.some(each => each.kind === 'changed')) return { lines, code: 3 }
  return { lines, code: damage.length > 0 ? 1 : 0 }
}
