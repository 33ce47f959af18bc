// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeRelease } from '../corpus.ts'
import { get } from '../http.ts'
import { memoryOf, processorSecondsOf } from '../process.ts'
import { importStock, startHoldfast } from '../server/holdfast.ts'
import { multiplyMirrors } from '../server/many-mirrors.ts'
import { type Peer, type PeerName, stockOf } from '../server/peer.ts'
import { startUpstream, throughHoldfast } from '../server/upstream.ts'
import { startVerdaccio, writeVerdaccioStock } from '../server/verdaccio.ts'
import { attempt } from './field.ts'
import { type Found, interleave, limit, type Options, type Row, type Samples, type Section } from './row.ts'

const rows = {
  fill: { id: 'import', title: 'import of 10,000 packages', unit: 'per second', targets: [] },
  start: { id: 'start', title: 'start to ready, 10,000 packages', unit: 'ms', targets: [limit(500)] },
  mirrors: {
    id: 'mirrors',
    title: 'start to ready, 100,000 packages of an upstream',
    unit: 'ms',
    targets: [limit(1000)],
  },
  idle: { id: 'idle', title: 'memory at rest, 10,000 packages', unit: 'MB', targets: [limit(120)] },
} as const satisfies Record<string, Row>

/** A registry over a full folder that can be started again and again. */
type House = { readonly name: PeerName; open(): Promise<Peer> }

/** A later start over a full store, and what the process then takes. */
export const starts: Section = {
  rows: Object.values(rows),
  run: async (options, wanted) => {
    const mirrors = wanted.includes(rows.mirrors) ? [await runMirrors(options)] : []
    if (wanted.every(row => row === rows.mirrors)) return mirrors
    options.say(rows.fill.title)
    const stock = stockOf(
      Array.from({ length: options.quick ? 500 : 10_000 }, (_, i) =>
        makeRelease(`bench-kept-${i}`, '1.0.0', { manifestBytes: 700, tarballBytes: 1_500 }),
      ),
    )
    const fill: number[] = []
    writeVerdaccioStock(join(options.folder, 'start-verdaccio'), stock)
    const houses = [await fillHoldfast(options, stock.size, fill), await fillVerdaccio(options)]
    const { start, idle } = await measureStarts(
      options,
      houses.filter(house => house !== undefined),
    )
    const filled: Samples = fill.length > 0 ? { holdfast: fill } : {}
    const found: Found[] = [
      { row: rows.fill, samples: filled },
      { row: rows.start, samples: start },
      { row: rows.idle, samples: idle },
    ]
    return [...found.filter(({ row }) => wanted.includes(row)), ...mirrors]
  },
}

/** An instance that stands before an upstream, and took a hundred thousand packages from it. */
async function runMirrors(options: Options): Promise<Found> {
  options.say(rows.mirrors.title)
  const folder = join(options.folder, 'start-mirrors')
  const release = makeRelease('bench-kept', '1.0.0', { manifestBytes: 700, tarballBytes: 1_500 })
  const upstream = await startUpstream(join(folder, 'upstream'), stockOf([release]), 0)
  const open = () => startHoldfast(join(folder, 'holdfast'), throughHoldfast(upstream), '')
  try {
    const first = await open()
    for (const url of [first.packumentUrl(release.name), first.tarballUrl(release.name, release.version)])
      if ((await get(url)).status !== 200) throw new Error(`holdfast does not answer ${url}`)
    await first.running.stop()
    multiplyMirrors(join(folder, 'holdfast/data/holdfast.db'), options.quick ? 5_000 : 100_000)
    const samples: number[] = []
    for (let round = 0; round <= options.rounds; round += 1) {
      const peer = await open()
      const usedMs = processorSecondsOf(peer.running.pid) * 1000
      await peer.running.stop()
      // What so many new rows leave to do is done once.
      if (round > 0) samples.push(options.processorTime ? usedMs : peer.readyMs)
    }
    return { row: rows.mirrors, samples: { holdfast: samples } }
  } finally {
    await upstream.running.stop()
  }
}

function fillHoldfast(options: Options, count: number, rate: number[]): Promise<House | undefined> {
  const folder = join(options.folder, 'start-holdfast')
  return attempt(options, 'holdfast', async () => {
    rate.push(count / importStock(folder, join(options.folder, 'start-verdaccio/storage')))
    const first = await startHoldfast(folder)
    await restOf(first) // what an import leaves to do is done once
    await first.running.stop()
    return { name: 'holdfast', open: () => startHoldfast(folder, {}, first.token) }
  })
}

/** Waits until a process has nothing to do for two seconds. */
async function restOf(peer: Peer): Promise<void> {
  for (let used = -1, now = 0; now - used > 0.05; ) {
    used = processorSecondsOf(peer.running.pid)
    await sleep(2_000)
    now = processorSecondsOf(peer.running.pid)
  }
}

async function fillVerdaccio(options: Options): Promise<House | undefined> {
  const folder = join(options.folder, 'start-verdaccio')
  const first = await attempt(options, 'verdaccio', () => startVerdaccio(folder))
  if (!first?.token) return undefined
  const token = first.token
  await first.running.stop()
  return { name: 'verdaccio', open: () => startVerdaccio(folder, { token }) }
}

async function measureStarts(options: Options, houses: readonly House[]) {
  options.say(rows.start.title)
  const idle: Partial<Record<PeerName, number[]>> = {}
  const start = await interleave(houses, options.rounds, async (house, round) => {
    const peer = await house.open()
    const usedMs = processorSecondsOf(peer.running.pid) * 1000
    if (round === 0) {
      await sleep(options.quick ? 2_000 : 10_000)
      idle[house.name] = [memoryOf(peer.running.pid).nowMb]
    }
    await peer.running.stop()
    return options.processorTime ? usedMs : peer.readyMs
  })
  return { start, idle }
}
