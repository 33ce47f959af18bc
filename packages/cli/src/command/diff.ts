// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import {
  describeFinding,
  diffPackages,
  type FileDiff,
  formatIntegrity,
  type PackageContent,
  type PackageDiff,
  parseDigest,
  revealHidden,
} from '@holdfast/core'
import { parseArgs } from '../parse-args.ts'
import { findRegistry, type Registry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast diff PACKAGE@VERSION PACKAGE@VERSION [--registry URL] [--json]

Shows what changed between two versions: what decides on an install first, then every file line by line. Both tarballs are
fetched, held against the sha512 of their packument, and compared on this machine. Without --registry the one that npm is
set to. Exit code 1 when they differ, 3 when bytes are not those that the registry promised.

Example: holdfast diff @acme/ui@1.0.0 @acme/ui@1.1.0
`

const options = {
  registry: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Reads a tarball as strictly as the registry does; throws where no client could trust it. */
export type ReadPackage = (tarball: Uint8Array) => Promise<PackageContent>

const withinMs = 60_000
const maxDocumentBytes = 256 * 1024 * 1024
const maxTarballBytes = 512 * 1024 * 1024

interface Version {
  readonly name: string
  readonly version: string
}

/** Runs `holdfast diff …`: 0 when both are the same, 1 when they differ, 3 when bytes are not what was promised. */
export async function runDiff(args: string[], readPackage: ReadPackage): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  const [before, after] = [parseSpec(positionals[0]), parseSpec(positionals[1])]
  const registry = await findRegistry(values.registry, after.name)
  const [old, now] = [await fetchTarball(registry, before), await fetchTarball(registry, after)]
  for (const { about, wanted, found } of [old, now]) {
    if (wanted === found) continue
    process.stderr.write(
      `${about} has other bytes than its registry promised\n  promised ${wanted}\n  got      ${found}\n`,
    )
    return 3
  }
  const diff = diffPackages(await readPackage(old.bytes), await readPackage(now.bytes))
  print(values.json ? `${JSON.stringify({ before, after, ...diff })}\n` : `${format(diff).join('\n')}\n`)
  return diff.files.length === 0 ? 0 : 1
}

function parseSpec(spec: string | undefined): Version {
  const at = spec?.lastIndexOf('@') ?? -1
  if (spec === undefined || at < 1)
    throw new UsageError(
      'two versions are needed',
      'Name them exactly, such as left-pad@1.2.0 left-pad@1.3.0.',
    )
  return { name: spec.slice(0, at), version: spec.slice(at + 1) }
}

interface Fetched {
  readonly about: string
  /** The sha512 of the packument, and that of the bytes. */
  readonly wanted: string
  readonly found: string
  readonly bytes: Uint8Array
}

async function fetchTarball(registry: Registry, { name, version }: Version): Promise<Fetched> {
  const about = `${name}@${version}`
  const path = `${registry.url}/npm/${name.replace('/', '%2f')}`
  const document = JSON.parse(
    Buffer.from(await fetchBytes(registry, path, maxDocumentBytes, `${name} is not there`)).toString(),
  ) as { versions?: Record<string, { dist?: { tarball?: string; integrity?: string } }> }
  const versions = document.versions ?? {}
  const dist = Object.hasOwn(versions, version) ? versions[version]?.dist : undefined
  if (typeof dist?.tarball !== 'string' || typeof dist.integrity !== 'string')
    throw new UsageError(`${about} is not there`, `See npm view ${name} versions.`)
  const bytes = await fetchBytes(registry, dist.tarball, maxTarballBytes, `${about} cannot be fetched`)
  const digest = createHash('sha512').update(bytes).digest('hex')
  return { about, wanted: dist.integrity, found: formatIntegrity(parseDigest(digest)), bytes }
}

async function fetchBytes(
  { url, token }: Registry,
  address: string,
  maxBytes: number,
  what: string,
): Promise<Uint8Array> {
  // The token goes to the registry and nowhere else, wherever a document leads.
  const isOwn = URL.canParse(address) && new URL(address).origin === new URL(url).origin
  const headers = {
    accept: 'application/vnd.npm.install-v1+json, */*;q=0.5',
    ...(token === undefined || !isOwn ? {} : { authorization: `Bearer ${token}` }),
  }
  const answer = await fetch(address, {
    redirect: isOwn ? 'error' : 'follow',
    headers,
    signal: AbortSignal.timeout(withinMs),
  }).catch((error: Error) => {
    throw new UsageError(`${address} cannot be asked: ${error.message}`, 'Check the address and try again.')
  })
  if (!answer.ok || answer.body === null)
    throw new UsageError(`${what} (${answer.status})`, 'Check the name, the version and your token.')
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of answer.body) {
    size += piece.length
    if (size > maxBytes)
      throw new UsageError(`${address} gives more than ${maxBytes} bytes`, 'Tell its operator.')
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function format({ findings, files, unchangedFiles, isCut }: PackageDiff): string[] {
  return [
    ...findings.map(each => `${each.weight.padEnd(7)}  ${describeFinding(each)}`),
    ...(findings.length > 0 ? [''] : []),
    ...files.flatMap(formatFile),
    ...(isCut ? ['More differs than is listed here.'] : []),
    `${files.length} files differ, ${unchangedFiles} do not.`,
  ]
}

function formatFile({ path: said, change, body }: FileDiff): string[] {
  const path = revealHidden(said)
  if (body.kind === 'same') return [`${path}: executable now`, '']
  if (body.kind !== 'text')
    return [`${path}: ${change}, ${body.kind === 'large' ? 'too large' : 'no text'}`, '']
  const signs = { same: ' ', added: '+', removed: '-' } as const
  const lines = body.hunks.flatMap(({ beforeLine, afterLine, lines }) => [
    `@@ -${beforeLine} +${afterLine} @@`,
    ...lines.map(({ kind, text }) => signs[kind] + text),
  ])
  const title = `${path}: ${change}, +${body.addedLines} -${body.removedLines}${body.isUnfolded ? ', long lines are broken' : ''}`
  return [title, ...lines, ...(body.isCut ? ['… more is not shown'] : []), '']
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
