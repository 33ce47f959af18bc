// SPDX-License-Identifier: Apache-2.0
import { chmod, copyFile, mkdir, open, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Config, openFileBlobs, openSnapshot } from '../main.ts'
import type { Ports } from '../ports.ts'
import {
  type BackupManifest,
  checkBlob,
  checkFile,
  copyBlob,
  copyLog,
  type Damage,
  explainDamage,
  findManifest,
  isEmpty,
  syncFolder,
} from './backup-folder.ts'
import { openProgress } from './progress.ts'
import { type Arguments, configOf, configOptions, readArguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast restore --from FOLDER --data DIR [--verify] [--json]
       holdfast restore --from FOLDER --verify

Makes an instance in an empty folder from a backup; every digest is checked on the way. With --verify what was written
is read once more. Without --data the backup is checked and nothing is written. Exit code 3 when bytes differ from
their digest, 1 when some are missing.
Example: holdfast restore --from /backup/holdfast --data ./new --verify`

const options = { ...configOptions, from: 'value', verify: 'flag', json: 'flag', help: 'flag' } as const

type Digest = Parameters<Ports['blobs']['open']>[0]

/** What was done, in lines for people, and what is wrong. */
interface Outcome {
  readonly lines: readonly string[]
  readonly damage: readonly Damage[]
}

/** `holdfast restore`: an instance from a backup, or a check of one. */
export async function runRestore(args: readonly string[]): Promise<number> {
  const read = readArguments(args, options, usage)
  if (read.flags.has('help')) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const from = read.values['from']
  const isCheckOnly = read.values['data'] === undefined
  if (from === undefined || (isCheckOnly && !read.flags.has('verify'))) throw new UsageError(usage)
  const folder = resolve(from)
  const manifest = await findManifest(folder)
  if (manifest === undefined)
    throw new UsageError(`${folder} holds no backup: there is no backup.json in it.`)
  const outcome = isCheckOnly
    ? await checkBackup(folder, manifest, read)
    : await restore(folder, manifest, configOf(read), read)
  const { lines, code } = explainDamage(outcome.damage)
  if (read.flags.has('json'))
    process.stdout.write(`${JSON.stringify({ ...manifest, damage: outcome.damage })}\n`)
  else process.stdout.write(`${[...outcome.lines, ...lines].join('\n')}\n`)
  return code
}

async function checkBackup(folder: string, manifest: BackupManifest, read: Arguments): Promise<Outcome> {
  const damage = await checkListed(folder, manifest)
  // A database that differs names we do not know what.
  if (damage.every(each => each.what !== manifest.database.name)) {
    const blobs = await openFileBlobs(join(folder, 'blobs'))
    const path = join(folder, manifest.database.name)
    damage.push(...(await forEachBlob(path, 'checking', read, digest => checkBlob(blobs, digest))))
  }
  const line = damage.length === 0 ? `${describe(manifest)} is whole.` : `${describe(manifest)} is damaged:`
  return { lines: [line], damage }
}

/** The database and the keys against the digests of the manifest. */
async function checkListed(folder: string, { database, keys }: BackupManifest): Promise<Damage[]> {
  const files = [checkFile(folder, database), ...keys.map(key => checkFile(join(folder, 'keys'), key))]
  return (await Promise.all(files)).filter(each => each !== undefined)
}

async function restore(
  folder: string,
  manifest: BackupManifest,
  config: Config,
  read: Arguments,
): Promise<Outcome> {
  if (config.database !== undefined) {
    throw new UsageError(
      'The configuration names a PostgreSQL database: a backup of the embedded one cannot go there.',
    )
  }
  if (!(await isEmpty(config.data)))
    throw new UsageError(`${config.data} is not empty: restore into a new folder.`)
  const faults = await checkListed(folder, manifest)
  if (faults.length > 0)
    return { lines: [`${describe(manifest)} is damaged, and nothing was restored:`], damage: faults }
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  const aside = join(config.data, 'holdfast.db.new')
  await copyDurably(join(folder, manifest.database.name), aside)
  const damage = await restoreBlobs(folder, config.data, aside, read)
  await copyLog(join(folder, 'log'), join(config.data, 'log'), Number.MAX_SAFE_INTEGER)
  const aboutKeys = await restoreKeys(folder, manifest, config.keys)
  // Last: until the database has its name there is no instance in the folder.
  await rename(aside, join(config.data, 'holdfast.db'))
  await syncFolder(config.data)
  const trouble = damage.length > 0 ? ['These tarballs could not be restored:'] : []
  return { lines: [`restored to ${config.data}: ${describe(manifest)}.`, aboutKeys, ...trouble], damage }
}

async function restoreBlobs(
  folder: string,
  data: string,
  database: string,
  read: Arguments,
): Promise<Damage[]> {
  const source = await openFileBlobs(join(folder, 'blobs'))
  const target = await openFileBlobs(join(data, 'blobs'))
  const damage = await forEachBlob(database, 'restoring', read, digest => copyBlob(source, target, digest))
  if (!read.flags.has('verify')) return damage
  const again = await forEachBlob(database, 'checking', read, digest => checkBlob(target, digest))
  return [...damage, ...again.filter(each => damage.every(known => known.what !== each.what))]
}

async function forEachBlob(
  database: string,
  label: string,
  { flags }: Arguments,
  work: (digest: Digest) => Promise<Damage | undefined>,
): Promise<Damage[]> {
  const snapshot = openSnapshot(database)
  const progress = flags.has('json') ? undefined : openProgress(process.stdout, label, 'tarballs')
  const damage: Damage[] = []
  let done = 0
  try {
    for (const { digest } of snapshot.blobs()) {
      const found = await work(digest)
      if (found !== undefined) damage.push(found)
      done += 1
      progress?.show(done, snapshot.versions)
    }
  } finally {
    progress?.clear()
    snapshot.close()
  }
  return damage
}

/** Puts the keys in place when the backup has them and nobody else did; says what is left to do. */
async function restoreKeys(folder: string, { keys }: BackupManifest, target: string): Promise<string> {
  if (!(await isEmpty(target))) return `There are keys in ${target}: they were left as they are.`
  if (keys.length === 0) {
    return `The keys are not in this backup: put the keys folder back at ${target} before the first start, or new ones are made, which cannot open stored secrets.`
  }
  await mkdir(target, { recursive: true, mode: 0o700 })
  for (const { name } of keys) await copyDurably(join(folder, 'keys', name), join(target, name))
  await syncFolder(target)
  return `The keys are back in ${target}.`
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to)
  await chmod(to, 0o600)
  const file = await open(to, 'r')
  await file.sync().finally(() => file.close())
}

function describe({ madeAt, packages, versions, blobs }: BackupManifest): string {
  return `the backup of ${madeAt} with ${packages} packages, ${versions} versions, ${blobs.count} tarballs`
}
