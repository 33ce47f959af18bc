// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { matchesName, type NamePattern, type PackageName, parseNamePattern } from '@holdfast/core'
import { arriveFromRegistry, listRegistryNames } from '../flow/index.ts'
import { openUpstream, type Ports } from '../main.ts'
import type { ImportSource } from './import-folder.ts'
import { type Arguments, UsageError } from './usage.ts'

/** A registry as the command line names it. */
export interface OldPlace {
  /** Without a slash at the end. */
  readonly url: string
  readonly host: string
  readonly authorization: string | undefined
  /** What to import; all that it lists when empty. */
  readonly patterns: readonly NamePattern[]
}

/** Reads `--from URL NAME… --token-file FILE`. Throws `UsageError`, `invalid-pattern`. */
export function oldPlaceOf(from: string, { words, values }: Arguments): OldPlace {
  const url = URL.canParse(from) ? new URL(from) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    throw new UsageError(`--from takes the address of a registry, not ${from}.`)
  if (url.username !== '' || url.password !== '')
    throw new UsageError('Give the password in a file (--token-file): command lines are seen by others.')
  const file = values['token-file']
  return {
    url: url.href.replace(/\/+$/, ''),
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    authorization: file === undefined ? undefined : readAuthorization(file),
    patterns: words.map(parseNamePattern),
  }
}

function readAuthorization(file: string): string {
  const secret = readSecret(file).trim()
  if (!/^[\x21-\x7e]+$/.test(secret)) throw new UsageError(`${file} holds no token in one line.`)
  return secret.includes(':') ? `Basic ${Buffer.from(secret).toString('base64')}` : `Bearer ${secret}`
}

function readSecret(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Everything that an old registry has under the names that were asked for. */
export async function openRegistrySource(
  ports: Ports,
  { url, authorization, patterns }: OldPlace,
  hostsNames: boolean,
): Promise<ImportSource> {
  const { allowPrivateHosts, maxPackumentBytes, maxTarballBytes } = ports.config
  const origin = { name: 'import', url, authorization, proxy: undefined, ca: undefined }
  const around = {
    allowPrivateHosts,
    maxPackumentBytes,
    maxTarballBytes,
    clock: ports.clock,
    ownKeyId: ports.signer.keyId,
  }
  const upstream = openUpstream(origin, around)
  const registry = { upstream, outbound: ports.outbound, authorization }
  // Whole names need no list, which many registries do not give, and may be left out of.
  const named = patterns.filter(isWhole)
  const listing = patterns.filter(each => !isWhole(each))
  const isListed = listing.length > 0 || patterns.length === 0
  const listed = isListed ? await listRegistryNames(registry, listing) : []
  const unmet = listing.filter(pattern => !listed.some(name => matchesName(pattern, name)))
  const names = [...new Set([...named, ...listed])]
  const arrivals = arriveFromRegistry(ports, upstream, names, unmet, hostsNames)
  return { total: undefined, arrivals: closing(arrivals, upstream), notes: [] }
}

/** Kept connections would hold the command back at its end. */
async function* closing<T>(items: AsyncIterable<T>, upstream: { close(): void }): AsyncGenerator<T> {
  try {
    yield* items
  } finally {
    upstream.close()
  }
}

function isWhole(pattern: NamePattern): pattern is NamePattern & PackageName {
  // Old names may hold a star, so that a pattern may look like one.
  return !pattern.endsWith('*')
}
