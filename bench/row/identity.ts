// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises'
import { makeRelease } from '../corpus.ts'
import { get, send } from '../http.ts'
import { load } from '../load.ts'
import { type Peer, stockOf } from '../server/peer.ts'
import { startField, stopField } from './field.ts'
import { atLeast, type Found, limit, type Options, type Row, type Section } from './row.ts'

const name = 'bench-identity'
const rows = {
  token: {
    id: 'token',
    title: 'packument reads with a token, share of those without',
    unit: '×',
    targets: [atLeast(0.75)],
  },
  storm: {
    id: 'login-storm',
    title: 'p99 of packument reads under a login storm, times the quiet one',
    unit: '×',
    targets: [limit(3)],
  },
} as const satisfies Record<string, Row>

/** What knowing who asks costs those who read. Ratios within Holdfast: the peers do other work for a login. */
export const identity: Section = {
  rows: Object.values(rows),
  run: async (options, wanted) => {
    const release = makeRelease(name, '1.0.0', { manifestBytes: 4_000, tarballBytes: 8_000 })
    const settings = { HOLDFAST_TRUSTED_PROXIES: '127.0.0.1' }
    const field = await startField(options, 'identity', stockOf([release]), settings)
    const holdfast = field.find(peer => peer.name === 'holdfast')
    const found: Found[] = []
    try {
      for (const row of Object.values(rows).filter(row => wanted.includes(row))) {
        if (holdfast === undefined) continue
        options.say(row.title)
        const measure = row === rows.token ? tokenShare : stormFactor
        const samples: number[] = []
        for (let round = 0; round <= options.rounds; round++) samples.push(await measure(options, holdfast))
        found.push({ row, samples: { holdfast: samples.slice(1) } }) // the first warms up
      }
      return found
    } finally {
      await stopField(field)
    }
  },
}

async function tokenShare({ seconds }: Options, peer: Peer): Promise<number> {
  const speed = async (headers: Record<string, string>) => {
    const urls = [peer.packumentUrl(name)]
    const { perSecond, refused } = await load({ urls, headers, seconds, connections: 32 })
    if (refused > 0) throw new Error(`${refused} reads were refused`)
    return perSecond
  }
  const plain = { 'accept-encoding': 'gzip' }
  const without = await speed(plain)
  return (await speed({ ...plain, authorization: `Bearer ${peer.token}` })) / without
}

async function stormFactor({ seconds }: Options, peer: Peer): Promise<number> {
  const quiet = await p99(peer, seconds)
  const storm = { over: false }
  const logins = Array.from({ length: 16 }, (_, i) => keepLoggingIn(peer, storm, i))
  await sleep(200)
  const stormy = await p99(peer, seconds)
  storm.over = true
  await Promise.all(logins)
  return stormy / quiet
}

/** The 99th of a hundred reads, in milliseconds: eight at a time, as fast as they come. */
async function p99(peer: Peer, seconds: number): Promise<number> {
  const url = peer.packumentUrl(name)
  const end = performance.now() + seconds * 1000
  const times: number[] = []
  const read = async () => {
    while (performance.now() < end) {
      const started = performance.now()
      const { status } = await get(url, { 'accept-encoding': 'gzip' })
      if (status !== 200) throw new Error(`a read answers ${status}`)
      times.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: 8 }, read))
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN
}

/** Wrong passwords of ever new users from ever new addresses: none is refused before it is hashed. */
async function keepLoggingIn(peer: Peer, storm: { over: boolean }, line: number): Promise<void> {
  for (let i = 0; !storm.over; i++) {
    const user = `storm-${line}-${i}`
    const body = Buffer.from(JSON.stringify({ name: user, password: 'wrong-wrong-wrong', type: 'user' }))
    const headers = {
      'content-type': 'application/json',
      'x-forwarded-for': `10.${line}.${(i >> 8) & 255}.${i & 255}`,
    }
    const url = `${peer.registry}/-/user/org.couchdb.user:${user}`
    const { status } = await send('PUT', url, headers, body)
    if (status !== 401) throw new Error(`a wrong password answers ${status}`)
  }
}
