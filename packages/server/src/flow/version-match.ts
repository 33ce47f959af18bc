// SPDX-License-Identifier: Apache-2.0
/** Which versions a query names: of those that are hosted the database says it, of an upstream's what its registry told. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import type { Digest, PackageName, Version } from '@holdfast/core'
import type { Mirror, UpstreamVersion } from '../catalog/index.ts'
import type { MeasureVersion, VersionQuery } from '../incident/index.ts'
import { listSourcePieces } from '../mirror-source.ts'
import type { Ports } from '../ports.ts'

type Matching = Pick<Ports, 'store'>

const namesAtOnce = 500
const inflate = promisify(zstdDecompress)

/** Whether a query can name what is hosted here. */
export function isOfHosted({ origin }: VersionQuery): boolean {
  return origin === undefined || origin === 'hosted'
}

/** Whether it can name what an upstream has: people and tokens are those of here unless an upstream is named. */
export function isOfUpstreams({ origin, publisher, token }: VersionQuery): boolean {
  if (origin === 'hosted' || token !== undefined) return false
  return publisher === undefined || origin !== undefined
}

/** An upstream's versions that a query names, a package at a time, in the order of names; those that came in and those that did not. */
export async function* matchUpstream(
  { store }: Matching,
  query: VersionQuery,
): AsyncGenerator<readonly MeasureVersion[]> {
  if (!isOfUpstreams(query)) return
  for await (const name of listNames(store, query)) {
    const mirror = await store.mirrors.find(name)
    // What was ever published here is hosted, whatever an upstream says of the name.
    const isHosted = mirror !== undefined && (await store.catalog.findPackage(name)) !== undefined
    const found = mirror === undefined || isHosted ? [] : await matchMirror(store, mirror, query)
    if (found.length > 0) yield found
    // Facts of a large package take long to read: others are served between two.
    await nextTurn()
  }
}

async function* listNames(
  { mirrors }: Ports['store'],
  { package: name, origin, since = 0 }: VersionQuery,
): AsyncGenerator<PackageName> {
  if (name !== undefined) {
    yield name
    return
  }
  // Nothing counts as published after it was first read here.
  for (let after = ''; ; ) {
    const names = await mirrors.listChanged(origin, since, after, namesAtOnce)
    yield* names
    const last = names.at(-1)
    if (last === undefined || names.length < namesAtOnce) return
    after = last
  }
}

async function matchMirror(
  { mirrors }: Ports['store'],
  mirror: Mirror,
  query: VersionQuery,
): Promise<readonly MeasureVersion[]> {
  const { name } = mirror
  if (query.origin !== undefined && query.origin !== mirror.origin) return []
  const ingested = query.digest === undefined ? [] : await mirrors.listIngested(name)
  const digests = new Map(ingested.map(each => [each.version, each.digest]))
  const found = mirror.versions.filter(each => isMatch(each, digests.get(each.version), query))
  const { indicator } = query
  if (indicator === undefined || found.length === 0) return found.map(({ version }) => ({ name, version }))
  const named = await linesWith((await mirrors.findSource(name)) ?? new Uint8Array(), indicator)
  // In front of the versions stands what is said of the package.
  return found.flatMap(({ version }) => {
    const index = mirror.versions.findIndex(each => each.version === version)
    return named.has(index + 1) ? { name, version } : []
  })
}

/** Lines of a source in which a text stands, in capitals or not. */
async function linesWith(source: Uint8Array, text: string): Promise<ReadonlySet<number>> {
  const wanted = JSON.stringify(text).slice(1, -1).toLowerCase()
  const found = new Set<number>()
  let at = 0
  for (const { lines, compressed } of listSourcePieces(source)) {
    const said = (await inflate(compressed)).toString().toLowerCase()
    if (said.includes(wanted))
      for (const [index, line] of said.split('\n').entries()) if (line.includes(wanted)) found.add(at + index)
    at += lines
  }
  return found
}

function isMatch(
  told: UpstreamVersion,
  found: Digest | undefined,
  { version, publisher, since, until, digest }: VersionQuery,
): boolean {
  const { publishedAt } = told
  return (
    isWanted<Version>(version, told.version) &&
    isWanted<string>(publisher, told.publisher) &&
    isWanted<Digest>(digest, found ?? told.digest) &&
    (since === undefined || publishedAt >= since) &&
    (until === undefined || publishedAt < until)
  )
}

function isWanted<T>(wanted: T | undefined, found: T | undefined): boolean {
  return wanted === undefined || wanted === found
}
