// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { makeReleases } from '../corpus.ts'
import { get } from '../http.ts'
import { load } from '../load.ts'
import { findFreePort, memoryOf, resetPeak } from '../process.ts'
import type { Project } from '../project.ts'
import { startHoldfast } from '../server/holdfast.ts'
import { startNginx } from '../server/nginx.ts'
import { type Peer, stockOf } from '../server/peer.ts'
import { writeStaticFiles } from '../server/static-files.ts'
import { startUpstream, throughHoldfast } from '../server/upstream.ts'
import { startVerdaccio } from '../server/verdaccio.ts'
import { attempt, stopField } from './field.ts'
import { fetchOrSkip, secondsToInstall } from './install.ts'
import {
  atLeast,
  type Found,
  factor,
  interleave,
  limit,
  type Options,
  present,
  type Row,
  type Section,
} from './row.ts'

const upstreamDelayMs = 20

// A time of at most 1.1 times the peer's is, as a factor, 1 / 1.1.
const rows = {
  warm: {
    id: 'through-warm',
    title: 'npm ci from behind an upstream, warm',
    unit: 's',
    targets: [factor('nginx', 1 / 1.1)],
  },
  cold: {
    id: 'through-cold',
    title: 'npm ci from an upstream 20 ms away, cold (bare: straight from it)',
    unit: 's',
    targets: [factor('bare', 1 / 1.15)],
  },
  policy: {
    id: 'through-policy',
    title: 'packument reads with the policy on, share of those without',
    unit: '×',
    targets: [atLeast(0.95)],
  },
  memory: {
    id: 'through-memory',
    title: 'peak memory, 64 clients pulling 100 packuments of 20 MB',
    unit: 'MB',
    targets: [limit(300)],
  },
} as const satisfies Record<string, Row>

/** What it costs to stand between an upstream and those who install. */
export const through: Section = {
  rows: Object.values(rows),
  run: async (options, wanted) => {
    const found: Found[] = []
    const isWanted = (row: Row) => wanted.includes(row)
    if (isWanted(rows.warm) || isWanted(rows.cold)) found.push(...(await runInstalls(options, isWanted)))
    if (isWanted(rows.policy)) found.push(await runPolicy(options))
    if (isWanted(rows.memory)) found.push(await runMemory(options))
    return found
  },
}

async function runInstalls(options: Options, isWanted: (row: Row) => boolean): Promise<Found[]> {
  const project = await fetchOrSkip(options)
  if (!project) return []
  const folder = join(options.folder, 'through')
  const upstream = await startUpstream(join(folder, 'upstream'), stockOf(project.releases), upstreamDelayMs)
  try {
    const found: Found[] = []
    if (isWanted(rows.warm)) found.push(await runWarm(options, folder, upstream, project))
    if (isWanted(rows.cold)) found.push(await runCold(options, folder, upstream, project))
    return found
  } finally {
    await upstream.running.stop()
  }
}

async function runWarm(options: Options, folder: string, upstream: Peer, project: Project): Promise<Found> {
  options.say(rows.warm.title)
  const port = await findFreePort()
  const files = join(folder, 'files')
  await writeStaticFiles(files, `http://127.0.0.1:${port}`, stockOf(project.releases), undefined)
  const peers = present([
    await attempt(options, 'holdfast', () =>
      startHoldfast(join(folder, 'holdfast'), throughHoldfast(upstream), ''),
    ),
    await attempt(options, 'verdaccio', () =>
      startVerdaccio(join(folder, 'verdaccio'), { uplink: upstream.registry }),
    ),
    await attempt(options, 'nginx', () => startNginx(join(folder, 'nginx'), files, port)),
  ])
  try {
    for (const peer of peers) await secondsToInstall(options, peer, project, true) // everything warm, uncounted
    const rounds = Math.ceil(options.rounds / 2)
    const samples = await interleave(peers, rounds, peer => secondsToInstall(options, peer, project, true))
    return { row: rows.warm, samples }
  } finally {
    await stopField(peers)
  }
}

/** Every round begins with an empty registry; its start is not counted. */
async function runCold(options: Options, folder: string, upstream: Peer, project: Project): Promise<Found> {
  options.say(rows.cold.title)
  const starts = {
    holdfast: (home: string) => startHoldfast(home, throughHoldfast(upstream), ''),
    verdaccio: (home: string) => startVerdaccio(home, { uplink: upstream.registry }),
  }
  const names = (['holdfast', 'verdaccio', 'bare'] as const).filter(name => !options.absent.has(name))
  const peers = names.map(name => ({ name }))
  const samples = await interleave(peers, Math.ceil(options.rounds / 2), async ({ name }, round) => {
    if (name === 'bare') return secondsToInstall(options, upstream, project, true)
    const peer = await starts[name](join(folder, `cold-${name}-${round}`))
    try {
      return await secondsToInstall(options, peer, project, true)
    } finally {
      await peer.running.stop()
    }
  })
  return { row: rows.cold, samples }
}

/** Two instances over one upstream in turn; the same machine, the same minute. */
async function runPolicy(options: Options): Promise<Found> {
  options.say(rows.policy.title)
  const folder = join(options.folder, 'through-policy')
  const name = 'bench-many'
  const stock = stockOf(makeReleases(name, 41, { manifestBytes: 1_800, tarballBytes: 2_000 }))
  const upstream = await startUpstream(join(folder, 'upstream'), stock, 0)
  const settings = throughHoldfast(upstream)
  const [off, on] = await Promise.all([
    startHoldfast(join(folder, 'off'), { ...settings, HOLDFAST_POLICY: '[]' }, ''),
    startHoldfast(join(folder, 'on'), settings, ''),
  ])
  try {
    const perSecond = async (peer: Peer, seconds: number) => {
      const urls = [peer.packumentUrl(name)]
      const plan = { urls, headers: { 'accept-encoding': 'gzip' }, seconds, connections: 32 }
      return (await load(plan)).perSecond
    }
    for (const peer of [off, on]) {
      const { status } = await get(peer.packumentUrl(name), { 'accept-encoding': 'gzip' })
      if (status !== 200) throw new Error(`holdfast answers ${status} for ${name}`)
      await perSecond(peer, 0.5)
    }
    const shares: number[] = []
    for (let round = 0; round < options.rounds; round += 1) {
      const without = await perSecond(off, options.seconds)
      shares.push((await perSecond(on, options.seconds)) / without)
    }
    return { row: rows.policy, samples: { holdfast: shares } }
  } finally {
    await stopField([upstream, off, on])
  }
}

async function runMemory(options: Options): Promise<Found> {
  options.say(rows.memory.title)
  const folder = join(options.folder, 'through-memory')
  const count = options.quick ? 10 : 100
  const large = makeReleases('bench-copy-00', 5_000, { manifestBytes: 3_700, tarballBytes: 0 })
  const upstream = await startUpstream(join(folder, 'upstream'), stockOf(large), 0, count)
  const peer = await startHoldfast(join(folder, 'holdfast'), throughHoldfast(upstream), '')
  try {
    resetPeak(peer.running.pid)
    const names = Array.from({ length: count }, (_, at) => `bench-copy-${String(at).padStart(2, '0')}`)
    const queue = names.values()
    const client = async () => {
      for (const name of queue) {
        const { status, body } = await get(peer.packumentUrl(name), { 'accept-encoding': 'gzip' })
        if (status !== 200 || body.length < 100_000)
          throw new Error(`holdfast answers ${status} with ${body.length} bytes for ${name}`)
      }
    }
    await Promise.all(Array.from({ length: 64 }, client))
    return { row: rows.memory, samples: { holdfast: [memoryOf(peer.running.pid).peakMb] } }
  } finally {
    await stopField([upstream, peer])
  }
}
