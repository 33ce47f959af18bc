// SPDX-License-Identifier: Apache-2.0
import { makeRelease, makeReleases, type Release } from '../corpus.ts'
import { get } from '../http.ts'
import { load } from '../load.ts'
import { processorSecondsOf } from '../process.ts'
import { type Peer, stockOf } from '../server/peer.ts'
import { attempt, startField, stopField } from './field.ts'
import {
  type Found,
  factor,
  interleave,
  type Options,
  type Row,
  type Samples,
  type Section,
  type Target,
} from './row.ts'

/** A row of reads: what is asked, and how. */
type Read = Row & {
  readonly connections: number
  /** Ask again with the ETag of the first answer. */
  readonly conditional: boolean
  readonly encoding: string
  urls(peer: Peer): string[]
}

const distinct = 48 // so many different tarballs are asked in turn where nothing may come from a cache
const coldName = (size: string, i: number) => `bench-${size}-${i}`

const documents = [
  {
    id: 'one',
    title: '1 version (20 KB)',
    connections: 32,
    targets: [factor('verdaccio', 8), factor('bare', 0.8)],
  },
  { id: 'many', title: '41 versions', connections: 32, targets: [factor('verdaccio', 30)] },
  { id: 'huge', title: 'react-sized (2 MB)', connections: 8, targets: [factor('verdaccio', 300)] },
] as const

const documentRows: Read[] = documents.flatMap(({ id, title, connections, targets }) => {
  const row = (
    kind: string,
    words: string,
    encoding: string,
    conditional: boolean,
    goals: readonly Target[],
  ) => ({
    id: `packument-${id}-${kind}`,
    title: `packument, ${title}, ${words}`,
    unit: 'per second' as const,
    targets: goals,
    connections,
    conditional,
    encoding,
    urls: (peer: Peer) => [peer.packumentUrl(`bench-${id}`)],
  })
  return [
    row('gzip', 'gzip', 'gzip', false, targets),
    row('plain', 'uncompressed', 'identity', false, targets),
    row('304', '304', 'gzip', true, [factor('bare', 0.8)]),
  ]
})

const hotRows: Read[] = [
  tarballRow('tarball-50k', 'tarball, 50 KB, hot', [factor('bare', 0.8)], peer => [
    peer.tarballUrl('bench-50k-0', '1.0.0'),
  ]),
  tarballRow('tarball-1m', 'tarball, 1 MB, hot', [factor('nginx', 0.9)], peer => [
    peer.tarballUrl('bench-1m-0', '1.0.0'),
  ]),
]

const coldRows: Read[] = [
  tarballRow('tarball-50k-cold', 'tarball, 50 KB, from disk', [factor('bare', 0.2)], peer =>
    coldUrls(peer, '50k'),
  ),
  tarballRow('tarball-1m-cold', 'tarball, 1 MB, from disk', [factor('nginx', 0.5)], peer =>
    coldUrls(peer, '1m'),
  ),
]

function tarballRow(id: string, title: string, targets: Target[], urls: (peer: Peer) => string[]): Read {
  return {
    id,
    title,
    unit: 'per second',
    targets,
    connections: 32,
    conditional: false,
    encoding: 'identity',
    urls,
  }
}

function coldUrls(peer: Peer, size: string): string[] {
  return Array.from({ length: distinct }, (_, i) => peer.tarballUrl(coldName(size, i), '1.0.0'))
}

/** Packuments and tarballs from whatever a server keeps in memory. */
export const hotReads: Section = {
  rows: documentRows.concat(hotRows),
  run: (options, rows) => runReads(options, 'hot', hotStock(options), {}, documentRows.concat(hotRows), rows),
}

/** Tarballs where Holdfast may keep none of them in memory; the page cache of the system stays as it is. */
export const coldReads: Section = {
  rows: coldRows,
  run: (options, rows) =>
    runReads(options, 'cold', coldStock(), { HOLDFAST_CACHE_BYTES: '1' }, coldRows, rows),
}

function hotStock(options: Options): Release[] {
  return [
    ...makeReleases('bench-one', 1, { manifestBytes: 4_000, readmeBytes: 15_500, tarballBytes: 8_000 }),
    ...makeReleases('bench-many', 41, { manifestBytes: 1_800, tarballBytes: 2_000 }),
    ...makeReleases('bench-huge', options.quick ? 300 : 2_100, { manifestBytes: 600, tarballBytes: 0 }),
    makeRelease('bench-50k-0', '1.0.0', { manifestBytes: 500, tarballBytes: 50_000 }),
    makeRelease('bench-1m-0', '1.0.0', { manifestBytes: 500, tarballBytes: 1 << 20 }),
  ]
}

function coldStock(): Release[] {
  return Array.from({ length: distinct }, (_, i) => [
    makeRelease(coldName('50k', i), '1.0.0', { manifestBytes: 500, tarballBytes: 50_000 }),
    makeRelease(coldName('1m', i), '1.0.0', { manifestBytes: 500, tarballBytes: 1 << 20 }),
  ]).flat()
}

async function runReads(
  options: Options,
  label: string,
  releases: readonly Release[],
  settings: Record<string, string>,
  reads: readonly Read[],
  wanted: readonly Row[],
): Promise<Found[]> {
  const peers = await startField(options, label, stockOf(releases), settings)
  try {
    const found: Found[] = []
    for (const read of reads.filter(row => wanted.includes(row))) {
      options.say(read.title)
      found.push({ row: read, samples: await measureRead(options, peers, read) })
    }
    return found
  } finally {
    await stopField(peers)
  }
}

async function measureRead(options: Options, peers: readonly Peer[], read: Read): Promise<Samples> {
  const headers = new Map<Peer, Record<string, string>>()
  for (const peer of peers) {
    const right = await attempt(options, peer.name, () => checkedHeaders(peer, read))
    if (right) headers.set(peer, right)
  }
  const stretch = async (peer: Peer, seconds: number) => {
    const plan = {
      urls: read.urls(peer),
      headers: headers.get(peer) ?? {},
      seconds,
      connections: read.connections,
    }
    const used = processorSecondsOf(peer.running.pid)
    const { perSecond, answers, refused } = await load(plan)
    if (refused > 0) options.notes.push(`${peer.name} refused ${refused} requests of ${read.id}`)
    return options.processorTime ? answers / (processorSecondsOf(peer.running.pid) - used) : perSecond
  }
  const right = peers.filter(peer => headers.has(peer))
  for (const peer of right) await stretch(peer, 0.5) // compilers warm up, uncounted
  return interleave(right, options.rounds, peer => stretch(peer, options.seconds))
}

/** Asks every address once: a wrong or failing answer must never count as a fast one. */
async function checkedHeaders(peer: Peer, read: Read): Promise<Record<string, string>> {
  const plain = { 'accept-encoding': read.encoding }
  let headers: Record<string, string> = plain
  for (const url of read.urls(peer)) {
    const first = await get(url, plain)
    const encoded = first.headers['content-encoding'] === 'gzip'
    if (first.status !== 200 || encoded !== (read.encoding === 'gzip'))
      throw new Error(`${peer.name} answers ${first.status} (gzip: ${encoded}) to ${read.id}`)
    if (!read.conditional) continue
    headers = { ...plain, 'if-none-match': String(first.headers['etag']) }
    const second = await get(url, headers)
    if (second.status !== 304)
      throw new Error(`${peer.name} answers ${second.status} instead of 304 to ${read.id}`)
  }
  return headers
}
