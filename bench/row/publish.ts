// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeRelease } from '../corpus.ts'
import { publish, publishBody } from '../publish.ts'
import { startHoldfast } from '../server/holdfast.ts'
import type { Peer } from '../server/peer.ts'
import { startVerdaccio } from '../server/verdaccio.ts'
import { attempt, stopField } from './field.ts'
import {
  type Found,
  factor,
  interleave,
  median,
  type Options,
  present,
  type Row,
  type Section,
} from './row.ts'

const rows = {
  one: {
    id: 'publish',
    title: 'publish 10 KB, one after another (Holdfast: durable)',
    unit: 'ms',
    targets: [factor('verdaccio', 8)],
  },
  many: { id: 'publish-16', title: 'publish 10 KB, 16 at once', unit: 'per second', targets: [] },
  oneSigned: {
    id: 'publish-jwt',
    title: 'publish 10 KB, one after another, Verdaccio set to signed tokens',
    unit: 'ms',
    targets: [],
  },
} as const satisfies Record<string, Row>

/** Publishing new packages; Verdaccio both as it comes, hashing a password on each request, and with signed tokens. */
export const publishes: Section = {
  rows: Object.values(rows),
  run: async (options, wanted) => {
    const found: Found[] = []
    const byDefault = [rows.one, rows.many].filter(row => wanted.includes(row))
    if (byDefault.length > 0) found.push(...(await runWith(options, 'default', byDefault)))
    if (wanted.includes(rows.oneSigned)) found.push(...(await runWith(options, 'jwt', [rows.oneSigned])))
    return found
  },
}

async function runWith(
  options: Options,
  tokens: 'default' | 'jwt',
  wanted: readonly Row[],
): Promise<Found[]> {
  const folder = join(options.folder, `publish-${tokens}`)
  mkdirSync(folder, { recursive: true })
  const peers = present([
    await attempt(options, 'holdfast', () => startHoldfast(join(folder, 'holdfast'))),
    await attempt(options, 'verdaccio', () => startVerdaccio(join(folder, 'verdaccio'), { tokens })),
  ])
  try {
    const found: Found[] = []
    for (const row of wanted) {
      options.say(row.title)
      const measure = row === rows.many ? publishesPerSecond : millisecondsEach
      for (const peer of peers) await millisecondsEach(peer, options.quick ? 5 : 100)
      found.push({
        row,
        samples: await interleave(peers, options.rounds, peer => measure(peer, options.quick ? 5 : 15)),
      })
    }
    return found
  } finally {
    await stopField(peers)
  }
}

let serial = 0

function nextUpload(peer: Peer): { readonly name: string; readonly body: Buffer } {
  const name = `bench-published-${serial++}`
  const release = makeRelease(name, '1.0.0', { manifestBytes: 700, tarballBytes: 10_000 })
  return { name, body: publishBody(peer.registry, release) }
}

async function millisecondsEach(peer: Peer, count: number): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const { name, body } = nextUpload(peer)
    const started = performance.now()
    await publish(peer, name, body)
    times.push(performance.now() - started)
  }
  return median(times)
}

async function publishesPerSecond(peer: Peer, each: number): Promise<number> {
  const uploads = Array.from({ length: 16 * each }, () => nextUpload(peer))
  const waiting = uploads.values()
  const started = performance.now()
  const lines = Array.from({ length: 16 }, async () => {
    for (const { name, body } of waiting) await publish(peer, name, body)
  })
  await Promise.all(lines)
  return uploads.length / ((performance.now() - started) / 1000)
}
