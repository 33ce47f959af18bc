// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Config, openFileBlobs, openSnapshot, type Snapshot, takeSnapshot } from '../main.ts'
import type { Ports } from '../ports.ts'
import {
  type BackupManifest,
  copyBlob,
  copyLog,
  type Damage,
  explainDamage,
  findManifest,
  type ListedFile,
  listFile,
  syncFolder,
  writeManifest,
} from './backup-folder.ts'
import { openProgress } from './progress.ts'
import { configOf, configOptions, readArguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast backup --data DIR --to FOLDER [--with-keys] [--json]

Copies an instance while it runs: the database in one moment, then the bytes that it names. Into a folder with an
earlier backup of the same instance only what is new is copied. The keys stay out unless --with-keys asks for them:
then keep the backup as safe as the keys. The configuration file is not part of it.

Exit code 0 when all is there, 2 when it is not.
Example: holdfast backup --data ./data --to /backup/holdfast`

const options = { ...configOptions, to: 'value', 'with-keys': 'flag', json: 'flag', help: 'flag' } as const

const refusePostgres =
  'This instance keeps its state in PostgreSQL: back it up with pg_dump, then copy the blobs folder (rsync), in this order. docs/operating.md shows both.'

type Facts = Pick<BackupManifest, 'instance' | 'position' | 'packages' | 'versions' | 'migrations'>

interface Copied {
  readonly count: number
  readonly sizeBytes: number
  /** How many were not in the backup folder yet. */
  readonly fresh: number
  readonly damage: readonly Damage[]
}

/** `holdfast backup`: a consistent copy of the embedded instance, incremental, while it runs. */
export async function runBackup(args: readonly string[]): Promise<number> {
  const read = readArguments(args, options, usage)
  if (read.flags.has('help')) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const config = configOf(read)
  const to = read.values['to']
  if (to === undefined) throw new UsageError(usage)
  if (config.database !== undefined) throw new UsageError(refusePostgres)
  const isJson = read.flags.has('json')
  const { manifest, copied } = await backUp(config, resolve(to), read.flags.has('with-keys'), isJson)
  const { lines, code } = explainDamage(copied.damage)
  if (isJson)
    process.stdout.write(`${JSON.stringify({ ...manifest, fresh: copied.fresh, damage: copied.damage })}\n`)
  else process.stdout.write(`${[sumUp(resolve(to), manifest, copied), ...lines].join('\n')}\n`)
  return code
}

async function backUp(config: Config, folder: string, withKeys: boolean, quiet: boolean) {
  const database = join(config.data, 'holdfast.db')
  if (!existsSync(database)) throw new UsageError(`There is no instance in ${config.data}.`)
  const earlier = await openFolder(folder)
  const aside = join(folder, 'holdfast.db.new')
  await rm(aside, { force: true })
  // The database first: every blob that it names was durable before it was named.
  await takeSnapshot(database, aside)
  const { facts, logSize, copied } = await copyWhatItNames(config, folder, aside, earlier, quiet)
  await copyLog(join(config.data, 'log'), join(folder, 'log'), logSize)
  const keys = withKeys ? await copyKeys(config.keys, join(folder, 'keys')) : (earlier?.keys ?? [])
  return { copied, manifest: await finish(folder, aside, facts, copied, keys) }
}

async function copyWhatItNames(
  config: Config,
  folder: string,
  path: string,
  earlier: BackupManifest | undefined,
  quiet: boolean,
): Promise<{ facts: Facts; logSize: number; copied: Copied }> {
  const snapshot = openSnapshot(path)
  try {
    if (earlier !== undefined && earlier.instance !== snapshot.instance) {
      throw new UsageError(
        `${folder} holds a backup of another instance (${earlier.instance}): choose another folder.`,
      )
    }
    const copied = await copyBlobs(snapshot, await openFileBlobs(join(config.data, 'blobs')), folder, quiet)
    const { instance, position, packages, versions, migrations, logSize } = snapshot
    return { copied, logSize, facts: { instance, position, packages, versions, migrations: [...migrations] } }
  } finally {
    snapshot.close()
  }
}

async function openFolder(folder: string): Promise<BackupManifest | undefined> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const earlier = await findManifest(folder)
  // A first backup that was stopped left these; anything else is not ours to write into.
  const isOurs =
    earlier !== undefined ||
    (await readdir(folder)).every(name =>
      /^(?:blobs|keys|log|holdfast.*\.db(?:\.new)?(?:-journal)?)$/.test(name),
    )
  if (!isOurs) throw new UsageError(`${folder} is not empty and holds no backup.`)
  return earlier
}

async function copyBlobs(
  snapshot: Snapshot,
  from: Ports['blobs'],
  folder: string,
  quiet: boolean,
): Promise<Copied> {
  const to = await openFileBlobs(join(folder, 'blobs'))
  const progress = quiet ? undefined : openProgress(process.stdout, 'backing up', 'tarballs')
  const damage: Damage[] = []
  const sum = { count: 0, sizeBytes: 0, fresh: 0 }
  for (const { digest, sizeBytes } of snapshot.blobs()) {
    sum.count += 1
    sum.sizeBytes += sizeBytes
    progress?.show(sum.count, snapshot.versions)
    if ((await to.size(digest)) === sizeBytes) continue
    sum.fresh += 1
    const found = await copyBlob(from, to, digest)
    if (found !== undefined) damage.push(found)
  }
  progress?.clear()
  return { ...sum, damage }
}

async function copyKeys(from: string, to: string): Promise<ListedFile[]> {
  await mkdir(to, { recursive: true, mode: 0o700 })
  const names = (await readdir(from)).filter(name => /^[\w.-]+$/.test(name) && !name.endsWith('.new')).sort()
  for (const name of names) await copyFile(join(from, name), join(to, name))
  await syncFolder(to)
  return Promise.all(names.map(name => listFile(to, name)))
}

/** Gives the database its name, then writes the manifest that names it; until then the backup before counts. */
async function finish(
  folder: string,
  aside: string,
  facts: Facts,
  { count, sizeBytes }: Copied,
  keys: readonly ListedFile[],
): Promise<BackupManifest> {
  const madeAt = new Date()
  const name = `holdfast-${madeAt.getTime()}.db`
  await rename(aside, join(folder, name))
  await syncFolder(folder)
  const database = await listFile(folder, name)
  const rest = { madeAt: madeAt.toISOString(), database, blobs: { count, sizeBytes }, keys: [...keys] }
  const manifest: BackupManifest = { format: 1, ...facts, ...rest }
  await writeManifest(folder, manifest)
  // A crash here leaves the database of the backup before; the next backup removes it.
  const old = (await readdir(folder)).filter(each => /^holdfast-\d+\.db$/.test(each) && each !== name)
  for (const each of old) await rm(join(folder, each), { force: true })
  return manifest
}

function sumUp(folder: string, manifest: BackupManifest, { fresh, damage }: Copied): string {
  const keys = manifest.keys.length > 0 ? 'The keys are in it.' : 'The keys are not in it.'
  const trouble = damage.length > 0 ? `\n${damage.length} tarballs could not be copied:` : ''
  const { packages, versions, blobs } = manifest
  return `backed up ${packages} packages, ${versions} versions, ${blobs.count} tarballs (${fresh} of them new) to ${folder}. ${keys}${trouble}`
}
