// SPDX-License-Identifier: Apache-2.0
/** What an instance without a network gets from one that has it: versions with their proofs, and what is known against any. */
import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  formatLogProof,
  type LockEntry,
  listLocked,
  parseDigest,
  parsePackageName,
  parseVersion,
  proveVersion,
} from '@holdfast/core'
import { readGraph } from '../locked.ts'
import { Misbehaviour, reportMisbehaviour } from '../log/misbehaviour.ts'
import { nodeCrypto } from '../log/node-crypto.ts'
import { fetchProofs } from '../log/registry-log.ts'
import { loadTrust, type Trust } from '../log/trust.ts'
import { verifyLocked } from '../log/verify.ts'
import { parseArgs } from '../parse-args.ts'
import { explainRefusal, fetchBounded, findRegistry, type Registry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'
import { signFolder } from './pack.ts'

const usage = `holdfast bundle FOLDER [NAME@VERSION]... [--lock LOCKFILE]... --name NAME --key FILE [--registry URL]

Packs versions of a registry for an instance that has no network: each tarball with its proof from the log, and all advisories, in
a new folder that is signed as holdfast pack signs one. Everything is verified first, as holdfast verify does it, by what
holdfast trust init pinned; nothing is packed when a version fails. --lock packs what a lock file names.

On the other side: holdfast operator bundle FOLDER --vkey KEY --log-vkey KEY --data DIR. holdfast pack init makes the key to sign
with; its public half, and that of the log, go over once by another way.

Exit code 0 when it is packed, 1 when a version does not verify, 2 for usage and network, 3 when the log misbehaves.

Example: holdfast bundle ./carry @acme/widget@1.2.0 --name bundles.example/1 --key ./bundle.pem
`

const options = {
  name: { type: 'string' },
  key: { type: 'string' },
  lock: { type: 'string', multiple: true },
  registry: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

const maxTarballBytes = 512 * 1024 * 1024
const maxAdvisoryBytes = 1024 * 1024 * 1024

/** Runs `holdfast bundle …`. */
export async function runBundle(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage, 0)
  const [folder, ...specs] = positionals
  const { name, key, lock = [] } = values
  if (folder === undefined || name === undefined || key === undefined || specs.length + lock.length === 0)
    throw new UsageError(
      'holdfast bundle needs a folder, versions and a key',
      'holdfast bundle --help says how.',
    )
  const registry = await findRegistry(values.registry)
  const trust = await loadTrust(registry.url)
  const wanted = [...specs.map(readSpec), ...(await Promise.all(lock.map(readLock))).flat()]
  await makeFolder(folder)
  return reportMisbehaviour(async () => {
    let isDone = false
    try {
      const faults = await fill(folder, registry, trust, distinct(wanted))
      if (faults.length > 0) return print(`${faults.join('\n')}\nNothing was packed.\n`, 1)
      const said = await signFolder(folder, name, key)
      isDone = true
      return print(said, 0)
    } finally {
      if (!isDone) await rm(folder, { recursive: true, force: true })
    }
  })
}

/** Writes everything into the folder, files numbered from 1; what does not verify is told, and then it is not whole. */
async function fill(
  folder: string,
  registry: Registry,
  trust: Trust,
  wanted: readonly LockEntry[],
): Promise<readonly string[]> {
  const entries: LockEntry[] = []
  for (const [at, each] of wanted.entries()) {
    const { name, version } = each
    const path = `npm/${name}/-/${name.split('/').at(-1)}-${version}.tgz`
    const bytes = await fetchFile(registry, path, maxTarballBytes)
    const integrity = parseDigest(createHash('sha512').update(bytes).digest('hex'))
    if (each.integrity !== undefined && each.integrity !== integrity)
      return [`${name}@${version}: the registry gives other bytes than the lock file names`]
    entries.push({ ...each, integrity })
    await writeFile(join(folder, `${at + 1}.tgz`), bytes)
  }
  const { versions } = await verifyLocked(trust, registry, entries, { isByBytes: false, provenanceOf: [] })
  const faults = versions.flatMap(({ name, version, kind, faults: found }) => {
    const all = kind === 'elsewhere' ? ['the log of this registry has nothing of it'] : found
    return all.map(why => `${name}@${version}: ${why}`)
  })
  if (faults.length > 0) return faults
  await writeProofs(folder, registry, trust, entries)
  await writeFile(
    join(folder, 'advisories.zip'),
    await fetchFile(registry, 'osv/npm/all.zip', maxAdvisoryBytes),
  )
  return []
}

async function writeProofs(
  folder: string,
  registry: Registry,
  trust: Trust,
  entries: readonly LockEntry[],
): Promise<void> {
  const proofs = await fetchProofs(registry, entries)
  for (const [at, { name, version, integrity }] of entries.entries()) {
    const proof = proofs.get(`${name}@${version}`)
    const proven = proof && (await proveVersion(nodeCrypto, proof, trust.logKeys))
    if (proof === undefined || proven?.digest !== integrity)
      throw new Misbehaviour(
        `the log proved ${name}@${version} a moment ago and does not now`,
        'Keep what the registry answered, and ask its operator by another way.',
      )
    await writeFile(join(folder, `${at + 1}.tlog-proof`), formatLogProof(proof))
  }
}

async function fetchFile(registry: Registry, path: string, maxBytes: number): Promise<Uint8Array> {
  const answer = await fetchBounded(registry, 'GET', path, maxBytes, { accept: '*/*' })
  if (!answer.isOk) throw explainRefusal(registry, answer)
  return answer.body
}

function readSpec(spec: string): LockEntry {
  const at = spec.lastIndexOf('@')
  if (at < 1)
    throw new UsageError(`${spec} is no NAME@VERSION`, 'Name single versions, such as left-pad@1.3.0.')
  const [name, version] = [parsePackageName(spec.slice(0, at)), parseVersion(spec.slice(at + 1))]
  return { name, version, integrity: undefined, resolved: undefined }
}

async function readLock(file: string): Promise<readonly LockEntry[]> {
  return listLocked(await readGraph(file)).map(each => ({ ...each, resolved: undefined }))
}

function distinct(entries: readonly LockEntry[]): readonly LockEntry[] {
  return [...new Map(entries.map(each => [`${each.name}@${each.version}`, each])).values()]
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder).catch((error: Error) => {
    throw new UsageError(`${folder} cannot be made: ${error.message}`, 'Name a folder that is not there yet.')
  })
}

function print(words: string, code: number): number {
  process.stdout.write(words)
  return code
}
