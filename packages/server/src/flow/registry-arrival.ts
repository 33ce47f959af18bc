// SPDX-License-Identifier: Apache-2.0
/** Packages of another registry on their way in: what npm's protocol tells of them, and their bytes as they flow. */
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import {
  formatIntegrity,
  isPackageName,
  isProblem,
  matchesName,
  type NamePattern,
  type PackageName,
  parseJson,
  problem,
} from '@holdfast/core'
import type { UpstreamVersion } from '../catalog/index.ts'
import { listSourcePieces, splitLines } from '../mirror-source.ts'
import type { Outbound, Ports, Upstream, UpstreamContent } from '../ports.ts'
import type { Arrival, Told } from './arrival.ts'
import { mapAhead } from './map-ahead.ts'

type Json = Readonly<Record<string, unknown>>

/** An old registry: the port that reads it, and what listing its names takes. */
export interface OldRegistry {
  readonly upstream: Upstream
  readonly outbound: Outbound
  /** Goes to its own host only. */
  readonly authorization: string | undefined
}

const inflate = promisify(zstdDecompress)
const maxListBytes = 128 * 1024 * 1024
const listDeadlineMs = 120_000
const pageSize = 250
/** Registries that answer the same page for ever come to an end too. */
const maxPages = 4000
const readAhead = 6
/** A registry in trouble gets this long to come back, before the rest is refused and left for the next run. */
const restsMs = [2000, 10_000, 30_000]

/**
 * Names of a registry that a pattern covers, each once and in order: from `/-/all`, else from its search a page at a time.
 * Names that could be no package are left out. Throws `remote-failed` where it lists nothing in either way.
 */
export async function listRegistryNames(
  registry: OldRegistry,
  patterns: readonly NamePattern[],
): Promise<readonly PackageName[]> {
  const listed = (await readAll(registry)) ?? (await readSearch(registry))
  const wanted = (name: PackageName) =>
    patterns.length === 0 || patterns.some(pattern => matchesName(pattern, name))
  return [...new Set(listed)].filter(isPackageName).filter(wanted).sort()
}

/** The old list of everything: an object by name, or a list of names or packages. Undefined where there is none. */
async function readAll(registry: OldRegistry): Promise<readonly string[] | undefined> {
  const found = await ask(registry, '/-/all')
  if (Array.isArray(found))
    return found.map(each => (typeof each === 'string' ? each : text(asJson(each)['name'])))
  const names = Object.keys(asJson(found)).filter(key => !key.startsWith('_'))
  return names.length === 0 ? undefined : names
}

async function readSearch(registry: OldRegistry): Promise<readonly string[]> {
  const names = new Set<string>()
  for (let page = 0; page < maxPages; page++) {
    const found = asJson(await ask(registry, `/-/v1/search?text=&size=${pageSize}&from=${page * pageSize}`))
    const objects = Array.isArray(found['objects']) ? found['objects'] : undefined
    if (objects === undefined && page === 0) break
    const before = names.size
    for (const each of objects ?? []) names.add(text(asJson(asJson(each)['package'])['name']))
    if (names.size === before) return [...names]
  }
  if (names.size > 0) return [...names]
  const { host } = new URL(registry.upstream.url)
  throw problem('remote-failed', { host, why: 'it lists no names; say which packages to import' })
}

async function ask({ upstream, outbound, authorization }: OldRegistry, path: string): Promise<unknown> {
  const headers = { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) }
  const request = { url: upstream.url + path, headers, maxBytes: maxListBytes, deadlineMs: listDeadlineMs }
  const { status, bytes } = await outbound.ask(request)
  if (status === 401 || status === 403)
    throw problem('remote-failed', { host: new URL(upstream.url).host, why: `it answered ${status}` })
  if (status !== 200) return undefined
  try {
    return parseJson(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}

/**
 * The versions of these packages, package by package and oldest first. A version whose name no pattern hosts is told as
 * refused before its bytes are asked for; so is what the registry says of itself that cannot be true. What was asked for and is not
 * listed is told first: an import with a slip in a pattern must not look like one that is complete.
 */
export async function* arriveFromRegistry(
  ports: Pick<Ports, 'store' | 'clock'>,
  upstream: Upstream,
  names: readonly PackageName[],
  unmet: readonly NamePattern[],
  hostsNames: boolean,
): AsyncGenerator<Arrival> {
  for (const pattern of unmet) yield refusedArrival(pattern, problem('package-not-found', { name: pattern }))
  const hosted = await ports.store.catalog.listHosted()
  const mayCome = async (name: PackageName) =>
    hostsNames ||
    hosted.some(pattern => matchesName(pattern, name)) ||
    (await ports.store.catalog.findPackage(name)) !== undefined
  const read = async (name: PackageName) => {
    if (!(await mayCome(name))) return [refusedArrival(name, problem('name-not-hosted', { name }))]
    return readArrivals(upstream, name, ports.clock()).catch(error => {
      if (!isProblem(error)) throw error
      return [refusedArrival(name, error)]
    })
  }
  for await (const arrivals of mapAhead(names, readAhead, read)) yield* arrivals
}

async function readArrivals(upstream: Upstream, name: PackageName, now: number): Promise<readonly Arrival[]> {
  const answer = await patiently(upstream, () => upstream.readPackument(name, undefined, now))
  if (answer.kind !== 'told') throw problem('package-not-found', { name })
  const { mirror, source, leftOut } = answer
  const [head = {}, ...manifests] = await readLines(source)
  const found = mirror.versions.map((each, at) =>
    toArrival(upstream, mirror, each, head, manifests[at] ?? {}),
  )
  const refused = leftOut.map(({ version, why }) =>
    refusedArrival(`${name}@${version}`, problem('upstream-failed', { origin: upstream.name, why })),
  )
  return [...found, ...refused]
}

async function readLines(source: Uint8Array): Promise<readonly Json[]> {
  const lines: Json[] = []
  for (const { compressed } of listSourcePieces(source))
    for (const line of splitLines(await inflate(compressed))) lines.push(asJson(parseJson(line.toString())))
  return lines
}

function toArrival(
  upstream: Upstream,
  mirror: UpstreamContent,
  listed: UpstreamVersion,
  head: Json,
  manifest: Json,
): Arrival {
  const { name, tags } = mirror
  const { version, digest, shasum, deprecated, publishedAt, tarball } = listed
  const isLatest = [...tags].some(([tag, target]) => tag === 'latest' && target === version)
  const told: Told = {
    name,
    version,
    manifest,
    integrity: digest === undefined ? '' : formatIntegrity(digest),
    shasum,
    deprecated,
    readme: isLatest ? text(head['readme']) || undefined : undefined,
    tags: [...tags].filter(([, target]) => target === version).map(([tag]) => tag),
    maintainers: maintainersOf(head, listed),
  }
  const open = () => patiently(upstream, () => upstream.openTarball(tarball))
  return { source: `${name}@${version}`, publishedAt, read: () => readBytes(open), told }
}

async function* readBytes(open: () => ReturnType<Upstream['openTarball']>): AsyncGenerator<Uint8Array> {
  try {
    yield* (await open()).bytes
  } catch (error) {
    throw asRefusal(error)
  }
}

/** What is wrong with one version of theirs is no fault of this instance, and must not end the import. */
function asRefusal(error: unknown): unknown {
  if (!isProblem(error) || error.status < 500) return error
  return problem('import-unreadable', { why: error.message })
}

/** Comes in only to be told as refused. */
function refusedArrival(source: string, fault: Error): Arrival {
  return {
    source,
    publishedAt: 0,
    // biome-ignore lint/correctness/useYield: there is nothing to read
    async *read() {
      throw asRefusal(fault)
    },
  }
}

function maintainersOf(head: Json, { publisher }: UpstreamVersion): string[] {
  const people = Array.isArray(head['maintainers']) ? head['maintainers'] : []
  const names = people.map(person => (typeof person === 'string' ? person : text(asJson(person)['name'])))
  return [
    ...new Set([...names, publisher].map(each => each.replace(/ <.*$/, '')).filter(each => each !== '')),
  ]
}

/** Again after a rest while the registry itself is in trouble, not one package of it. */
async function patiently<T>(upstream: Upstream, work: () => Promise<T>): Promise<T> {
  for (const restMs of restsMs) {
    try {
      return await work()
    } catch (error) {
      if (!isProblem(error) || upstream.health().state === 'up') throw error
      await delay(restMs)
    }
  }
  return work()
}

function asJson(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
