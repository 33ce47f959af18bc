// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { makeRelease, type Release } from '../corpus.ts'
import { drain } from '../http.ts'
import { memoryOf, resetPeak } from '../process.ts'
import { publish, publishBody } from '../publish.ts'
import { startHoldfast } from '../server/holdfast.ts'
import type { Peer } from '../server/peer.ts'
import { startVerdaccio } from '../server/verdaccio.ts'
import { attempt, stopField } from './field.ts'
import { limit, type Options, present, type Row, type Section } from './row.ts'

const largeMb = (options: Options) => (options.quick ? 20 : 200)

const rows = {
  publish: {
    id: 'peak-publish',
    title: 'peak memory, one publish of 200 MB',
    unit: 'MB',
    targets: [limit(600)],
  },
  stream: { id: 'peak-stream', title: 'peak memory, 8 readers of a 200 MB tarball', unit: 'MB', targets: [] },
} as const satisfies Record<string, Row>

/** What the largest tarballs do to the process, in and out. */
export const memory: Section = {
  rows: Object.values(rows),
  run: async (options, wanted) => {
    options.say(rows.publish.title)
    const folder = join(options.folder, 'memory')
    const peers = present([
      await attempt(options, 'holdfast', () => startHoldfast(join(folder, 'holdfast'))),
      await attempt(options, 'verdaccio', () => startVerdaccio(join(folder, 'verdaccio'))),
    ])
    const release = makeRelease('bench-large', '1.0.0', {
      manifestBytes: 500,
      tarballBytes: largeMb(options) * 1e6,
    })
    const peaks = { publish: {} as Record<string, number[]>, stream: {} as Record<string, number[]> }
    try {
      for (const peer of peers)
        await attempt(options, peer.name, async () => {
          peaks.publish[peer.name] = [await peakOf(peer, () => publishLarge(peer, release))]
          peaks.stream[peer.name] = [await peakOf(peer, () => readLarge(peer, release))]
        })
    } finally {
      await stopField(peers)
    }
    const found = [
      { row: rows.publish, samples: peaks.publish },
      { row: rows.stream, samples: peaks.stream },
    ]
    return found.filter(({ row }) => wanted.includes(row))
  },
}

async function peakOf(peer: Peer, work: () => Promise<void>): Promise<number> {
  resetPeak(peer.running.pid)
  await work()
  return memoryOf(peer.running.pid).peakMb
}

async function publishLarge(peer: Peer, release: Release): Promise<void> {
  await publish(peer, release.name, publishBody(peer.registry, release))
}

async function readLarge(peer: Peer, release: Release): Promise<void> {
  const url = peer.tarballUrl(release.name, release.version)
  const lengths = await Promise.all(Array.from({ length: 8 }, () => drain(url)))
  if (lengths.some(length => length !== release.tarball.length))
    throw new Error(`${peer.name} sent ${lengths.join(', ')} bytes instead of ${release.tarball.length}`)
}
