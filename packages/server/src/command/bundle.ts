// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator bundle FOLDER`: what another instance packed comes in without a network, and only as far as it is proved. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  isProblem,
  packListName,
  parseLogProof,
  parseVerifierKey,
  problem,
  proveVersion,
  type VerifierKey,
  webCrypto,
} from '@holdfast/core'
import { type Arrival, takeAdvisories } from '../flow/index.ts'
import { operator } from '../identity/index.ts'
import type { Ports } from '../main.ts'
import { readOsvZip, readSignedPack, type SignedPack } from '../vulnerability/index.ts'
import { explainImport, importAll } from './import.ts'
import type { ImportSource } from './import-folder.ts'
import { type Arguments, UsageError } from './usage.ts'

const usage = `Usage: holdfast operator bundle FOLDER --vkey KEY... --log-vkey KEY... [--host-names] --data DIR

FOLDER was made by holdfast bundle and carried here. --vkey names who may sign bundles, --log-vkey the keys of the log that its versions
stand in; both came here by another way. Everything is checked before anything is taken in.`

const advisoriesFile = 'advisories.zip'

/** A folder whose signature and every file in it hold. */
interface Bundle {
  readonly folder: string
  readonly pack: SignedPack
  /** Base names of each version's two files: numbers, in the order of packing. */
  readonly versions: readonly string[]
}

/** The act above; what it prints. */
export async function bundleAct(
  ports: Ports,
  { lists, flags }: Arguments,
  [path, ...more]: readonly string[],
): Promise<string> {
  const [vkeys = [], logVkeys = []] = [lists['vkey'], lists['log-vkey']]
  if (path === undefined || more.length > 0 || vkeys.length === 0 || logVkeys.length === 0)
    throw new UsageError(usage)
  const folder = resolve(path)
  if (!existsSync(join(folder, packListName))) throw new UsageError(`There is no bundle in ${folder}.`)
  for (const key of vkeys) await parseVerifierKey(webCrypto, key)
  const logKeys = await Promise.all(logVkeys.map(key => parseVerifierKey(webCrypto, key)))
  const { bundle, arrivals } = await proveBundle(folder, vkeys, logKeys)
  const advisories = await readNamed(bundle, advisoriesFile)
  const taken = await takeAdvisories(
    ports,
    operator,
    'bundle',
    readOsvZip(advisoriesFile, pieces([advisories])),
  )
  const source: ImportSource = { total: arrivals.length, arrivals: pieces(arrivals), notes: [] }
  const wishes = { access: 'public', hostNames: flags.has('host-names') } as const
  const report = await importAll(ports, source, wishes, flags.has('json'))
  if (report.refused.length > 0) throw new UsageError(explainImport(report, ports.config.data).trim())
  const signed = `signed by ${bundle.pack.by} at ${new Date(bundle.pack.madeAt).toISOString()}`
  return `${signed}\n${explainImport(report, ports.config.data)}advisories ${taken.read} read, ${taken.changed} new or changed, ${taken.faults} left out`
}

/** Throws `bundle-refused` unless one of the keys signed it, every file is what was signed, and a log has each version. */
async function proveBundle(
  folder: string,
  keys: readonly string[],
  logKeys: readonly VerifierKey[],
): Promise<{ readonly bundle: Bundle; readonly arrivals: readonly Arrival[] }> {
  try {
    const bundle = await openBundle(folder, keys)
    const arrivals: Arrival[] = []
    for (const version of bundle.versions) arrivals.push(await proveArrival(bundle, version, logKeys))
    return { bundle, arrivals }
  } catch (error) {
    throw isProblem(error) && error.code !== 'bundle-refused' ? refuse(error.message) : error
  }
}

async function openBundle(folder: string, keys: readonly string[]): Promise<Bundle> {
  const pack = await readSignedPack(folder, keys)
  const bundle = { folder, pack, versions: [...pack.names].filter(isProof).map(baseOf).sort(byIndex) }
  const here = new Set(await readdir(folder))
  for (const name of pack.names) {
    if (!here.has(name)) throw refuse(`${name} is missing`)
    await readNamed(bundle, name)
  }
  if (!pack.names.has(advisoriesFile)) throw refuse(`it has no ${advisoriesFile}`)
  return bundle
}

/** The bytes of a file that the signed list names, as it names them. */
async function readNamed({ folder, pack }: Bundle, name: string): Promise<Buffer> {
  const bytes = await readFile(join(folder, name))
  if (!pack.has(name, bytes)) throw refuse(`${name} is not what was signed`)
  return bytes
}

/** A version that may come in: the log has it, with these bytes. They are read, and held against the proof, again when it is its turn. */
async function proveArrival(
  bundle: Bundle,
  version: string,
  logKeys: readonly VerifierKey[],
): Promise<Arrival> {
  const proof = parseLogProof((await readNamed(bundle, `${version}.tlog-proof`)).toString('utf8'))
  const proven = await proveVersion(webCrypto, proof, logKeys)
  const file = `${version}.tgz`
  if (!bundle.pack.names.has(file)) throw refuse(`${file} is missing`)
  const digest = createHash('sha512')
    .update(await readNamed(bundle, file))
    .digest('hex')
  if (digest !== proven.digest) throw refuse(`${file} is not the tarball that its proof speaks of`)
  return {
    source: file,
    publishedAt: proven.at,
    proven,
    async *read() {
      yield await readNamed(bundle, file)
    },
  }
}

async function* pieces<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all
}

function isProof(name: string): boolean {
  return name.endsWith('.tlog-proof')
}

function baseOf(name: string): string {
  return name.slice(0, -'.tlog-proof'.length)
}

function byIndex(one: string, other: string): number {
  return Number(one) - Number(other)
}

function refuse(why: string) {
  return problem('bundle-refused', { why })
}
