// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  encodeBase64,
  excerpt,
  findStrays,
  type IsExpected,
  type LockEntry,
  listLocked,
  type NamePattern,
  parseIntegrity,
  parseLogProof,
  parseNamePattern,
  parseVersion,
  readLeaf,
  revealHidden,
} from '@holdfast/core'
import { readGraph } from '../locked.ts'
import { type VerifiedCheckpoint, verifyCheckpoint } from '../log/checkpoint.ts'
import { reportMisbehaviour } from '../log/misbehaviour.ts'
import { listTrust, loadTrust, type Trust } from '../log/trust.ts'
import { type VerifyWish, verifyLocked } from '../log/verify.ts'
import { checkVersion, demandProvenance, type VersionKind, type VersionReport } from '../log/version.ts'
import { readRoutes } from '../npm-registry.ts'
import { parseArgs } from '../parse-args.ts'
import { lockFiles } from '../project.ts'
import { findRegistry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast verify [LOCKFILE]... [--registry URL] [--fresh] [--tarballs] [--provenance PATTERN]... [--json]
holdfast verify [LOCKFILE]... --offline PROOF.tlog-proof [--provenance PATTERN]... [--json]

Checks every version that lock files of npm, pnpm, yarn or bun name against the transparency log of the registry: that
its digest is the one in the log, that the log proves it, what happened to it since, and that the log tells the same
story as the last time on this machine. Entries fail that lead past the registry: to repositories, to addresses that are
no registry's of that name, over plain http, or to another package than was asked for. Whom to believe was pinned before with holdfast trust init. --fresh refuses a
checkpoint that no witness signed within a day. --tarballs fetches every tarball too and holds its bytes against the log:
lock files of yarn 2 and later have a checksum of yarn's own archive and no sha512, so that nothing else can be said of them. --provenance fails versions of these names (such as '@acme/*') whose entry names no
provenance that the registry verified when they were published; holdfast provenance show verifies one here. --offline checks one proof, without any network.

Exit code 0 when all are verified, 1 when a version is not, 2 for usage and network, 3 when the log misbehaves.

Example: holdfast verify package-lock.json --fresh
`

const options = {
  registry: { type: 'string' },
  offline: { type: 'string' },
  fresh: { type: 'boolean' },
  tarballs: { type: 'boolean' },
  provenance: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const staleAfterMs = 24 * 60 * 60_000

interface Outcome {
  readonly trust: Trust
  readonly checkpoint: VerifiedCheckpoint
  readonly versions: readonly VersionReport[]
}

/** Runs `holdfast verify …`. */
export async function runVerify(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  const provenanceOf = (values.provenance ?? []).map(parseNamePattern)
  const wish: VerifyWish = { isByBytes: values.tarballs === true, provenanceOf }
  return reportMisbehaviour(async () => {
    const outcome =
      values.offline === undefined
        ? await verifyOnline(values.registry, positionals, wish)
        : await verifyOffline(values.offline, positionals, provenanceOf)
    const isTooOld = values.fresh === true && isStale(outcome.checkpoint)
    print(values.json ? `${JSON.stringify(toJson(outcome))}\n` : describe(outcome))
    if (isTooOld) print('No witness signed the checkpoint within a day, and --fresh asks for that.\n')
    return isTooOld || outcome.versions.some(({ faults }) => faults.length > 0) ? 1 : 0
  })
}

async function verifyOnline(
  place: string | undefined,
  files: readonly string[],
  wish: VerifyWish,
): Promise<Outcome> {
  const registry = await findRegistry(place)
  const trust = await loadTrust(registry.url)
  const named = files.length > 0 ? files : await findLockFiles()
  const read = await Promise.all(named.map(file => readFor(file, registry.url)))
  const strays = read.flatMap(each => each.strays)
  const { checkpoint, versions } = await verifyLocked(
    trust,
    registry,
    read.flatMap(each => each.locked),
    wish,
  )
  const seen = versions.map(each =>
    isForeign(each, read) ? { ...each, kind: 'stray' as const, faults } : each,
  )
  return { trust, checkpoint, versions: [...strays, ...seen] }
}

const faults = ['it comes from another registry than its name is set to, and this log has nothing of it']

interface Read {
  readonly locked: readonly LockEntry[]
  /** What leads past the registry, and past those that scopes are set to in the lock file's folder. */
  readonly strays: readonly VersionReport[]
  readonly isExpected: IsExpected
}

async function readFor(file: string, url: string): Promise<Read> {
  const graph = await readGraph(file)
  const { isExpected } = await readRoutes(dirname(file), `${url}/npm/`)
  // npm may ask the registry that it is set to where a lock file names another host: of those the log tells.
  const isLeft: IsExpected = (name, address) =>
    isExpected(name, address) || (graph.manager === 'npm' && address.protocol === 'https:')
  const strays = findStrays(graph, isLeft)
  const isStray = new Set(strays.map(({ name, version }) => `${name}@${version}`))
  return {
    locked: listLocked(graph).filter(({ name, version }) => !isStray.has(`${name}@${version}`)),
    strays: strays.map(({ name, version, why }) => ({
      name,
      version,
      kind: 'stray',
      faults: [why],
      notes: [],
    })),
    isExpected,
  }
}

function isForeign({ kind, name, version }: VersionReport, read: readonly Read[]): boolean {
  return (
    kind === 'elsewhere' &&
    read.some(({ locked, isExpected }) =>
      locked.some(
        each =>
          each.name === name &&
          each.version === version &&
          URL.canParse(each.resolved ?? '') &&
          !isExpected(name, new URL(each.resolved ?? '')),
      ),
    )
  )
}

async function readAll(files: readonly string[]): Promise<readonly LockEntry[]> {
  return (await Promise.all(files.map(file => readGraph(file)))).flatMap(listLocked)
}

async function findLockFiles(): Promise<readonly string[]> {
  const there = await Promise.all(
    lockFiles.map(file =>
      stat(file).then(
        () => file,
        () => undefined,
      ),
    ),
  )
  const found = there.filter(file => file !== undefined)
  if (found.length > 0) return found
  throw new UsageError('there is no lock file here', 'Name one, such as package-lock.json.')
}

/** Checks one proof against what is pinned, and against the lock files where some are named. */
async function verifyOffline(
  file: string,
  lockNames: readonly string[],
  provenanceOf: readonly NamePattern[],
): Promise<Outcome> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${file} cannot be read: ${error.message}`, 'Check the name of the file.')
  })
  const { checkpoint: note, ...proof } = parseLogProof(text)
  const trust = await findTrust(note)
  const checkpoint = await verifyCheckpoint(trust, note)
  const { link, fields } = readLeaf(proof.entry)
  const locked = (await readAll(lockNames)).filter(
    ({ name, version }) => name === link?.pkg && version === fields['ver'],
  )
  if (locked.length === 0 && lockNames.length > 0)
    throw new UsageError(
      `no lock file names ${link?.pkg}@${fields['ver']}`,
      'Name the lock file that has it.',
    )
  const wanted = locked.length > 0 ? locked : [asLocked(proof.entry)]
  const found = await Promise.all(wanted.map(each => checkVersion(each, proof, checkpoint)))
  const reports = found.map(each => ('report' in each ? each.report : each))
  const versions = demandProvenance(provenanceOf, reports)
  return { trust, checkpoint, versions }
}

/** What a proof says of itself, where no lock file says what was meant. */
function asLocked(entry: Uint8Array): LockEntry {
  const { link, fields } = readLeaf(entry)
  if (link === undefined)
    throw new UsageError('this proof is about no package', 'holdfast log show prints entries.')
  const { integrity } = (fields['dist'] ?? {}) as { readonly integrity?: unknown }
  const version = parseVersion(fields['ver'])
  return { name: link.pkg, version, integrity: parseIntegrity(String(integrity)), resolved: undefined }
}

async function findTrust(note: string): Promise<Trust> {
  const origin = note.split('\n')[0] ?? ''
  const trust = (await listTrust()).find(each => each.origin === origin)
  if (trust !== undefined) return trust
  throw new UsageError(
    `nothing is pinned for the log ${excerpt(origin)}`,
    'Run holdfast trust init URL --root-sha256 HEX, with the digest from its operator.',
  )
}

function isStale({ cosignedAt }: VerifiedCheckpoint): boolean {
  return cosignedAt === undefined || Date.now() - cosignedAt > staleAfterMs
}

function toJson({ trust, checkpoint, versions }: Outcome): unknown {
  return {
    origin: trust.origin,
    size: checkpoint.size,
    root: encodeBase64(checkpoint.root),
    witnesses: checkpoint.witnesses.map(key => key.name),
    cosignedAt: checkpoint.cosignedAt ?? null,
    versions,
  }
}

const kindWords: Readonly<Record<VersionKind, string>> = {
  hosted: 'published here',
  ingested: 'from upstreams',
  unseen: 'not in the log',
  unverifiable: 'without a sha512 in the lock file',
  elsewhere: 'from elsewhere',
  stray: 'past the registry',
}

function describe({ trust, checkpoint, versions: all }: Outcome): string {
  const versions = all.filter(({ kind }) => kind !== 'elsewhere')
  const elsewhere = all.length - versions.length
  const failed = versions.filter(({ faults }) => faults.length > 0)
  const [bare, others] = [failed.filter(isBare), failed.filter(each => !isBare(each))]
  const noted = versions.filter(({ faults, notes }) => faults.length === 0 && notes.length > 0)
  const counts = Object.entries(kindWords).flatMap(([kind, said]) => {
    const count = versions.filter(each => each.kind === kind).length
    return count === 0 ? [] : [`${count} ${said}`]
  })
  return [
    ...others.map(each => `FAILED ${each.name}@${each.version}: ${each.faults.join('; ')}`),
    ...noted.map(each => `note   ${each.name}@${each.version}: ${each.notes.join('; ')}`),
    ...explainBare(bare),
    `${versions.length - failed.length} of ${versions.length} versions verified (${counts.join(', ')}).`,
    ...(elsewhere === 0
      ? []
      : [`${elsewhere} come from other registries by their addresses, and this log has nothing of them.`]),
    `Log ${trust.origin}, ${checkpoint.size} entries; what happened to them since is as the registry tells it.`,
    describeWitnesses(trust, checkpoint),
  ]
    .map(line => `${revealHidden(line)}\n`)
    .join('')
}

function isBare({ kind, faults }: VersionReport): boolean {
  return kind === 'unverifiable' && faults.length === 1
}

/** Said once, since it is all of a lock file or nearly none. */
function explainBare(bare: readonly VersionReport[]): string[] {
  if (bare.length === 0) return []
  const names = bare.slice(0, 5).map(({ name, version }) => `${name}@${version}`)
  const more = bare.length > names.length ? ` and ${bare.length - names.length} more` : ''
  return [
    `FAILED ${names.join(', ')}${more}: the lock file has no sha512 for them, so nothing says which bytes were meant.`,
    'Lock files of yarn 2 and later have none: they hold a checksum of an archive that yarn makes. holdfast verify --tarballs holds the bytes that the registry gives now against its log.',
  ]
}

function describeWitnesses({ policy }: Trust, checkpoint: VerifiedCheckpoint): string {
  if (policy.isNone && checkpoint.witnesses.length === 0)
    return 'No witness is asked for: the log is compared with what this machine saw before, and nobody else vouches.'
  const names = checkpoint.witnesses.map(key => key.name).join(', ')
  const when = new Date(checkpoint.cosignedAt ?? 0).toISOString()
  const age = isStale(checkpoint) ? ', which is STALE: newer entries may be hidden' : ''
  return `Witnessed by ${names}, last on ${when}${age}.`
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
