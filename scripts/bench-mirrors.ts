// SPDX-License-Identifier: Apache-2.0
/**
 * npm run bench:mirrors [PACKAGES [HOURS]]: an instance that took so many packages from an upstream. How long its start takes, what it asks of
 * the upstream in two real minutes, and what reconciliation asks in a day of a clock that is moved, where all of them are due at once.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PackageName } from '@holdfast/core'
import { makePackument, makeRelease } from '../bench/corpus.ts'
import { get } from '../bench/http.ts'
import { processorSecondsOf } from '../bench/process.ts'
import { startHoldfast } from '../bench/server/holdfast.ts'
import { multiplyMirrors } from '../bench/server/many-mirrors.ts'
import { reconcile } from '../packages/server/src/flow/index.ts'
import { openPorts, readConfig } from '../packages/server/src/main.ts'

const packages = Number(process.argv[2] ?? 100_000)
const hours = Number(process.argv[3] ?? 24)
/** In use all day, so that they are asked for every five minutes. */
const hot = Math.min(200, packages / 2)
const starts = 3
const watchedMinutes = 2
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** Of `flow/reconcile.ts`: requests a minute for what is used, and for the rest. */
const budget = 300 + 100
const prototype = 'bench-kept'

/** What the upstream was asked for since somebody looked. */
const asked: string[] = []
const withdrawn = new Set<string>()
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-mirrors-'))
const home = join(folder, 'holdfast')
const upstream = await startUpstream()
const settings = {
  HOLDFAST_ORIGINS: JSON.stringify({ upstream: upstream.url }),
  HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
}
try {
  await fill()
  await useReal()
  await useMovedClock()
} finally {
  upstream.server.close()
  upstream.server.closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
}

/** A registry that has every package of this script, each a copy of one; of what is withdrawn only the later version is left. */
async function startUpstream() {
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    if (path.endsWith('.tgz')) return void response.end(releases[0]?.tarball)
    if (!path.startsWith(`/${prototype}`)) return void response.writeHead(404).end('{}')
    const name = path.slice(1)
    asked.push(name)
    const etag = withdrawn.has(name) ? '"2"' : '"1"'
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end()
    const text = withdrawn.has(name) ? texts.after : texts.before
    response.writeHead(200, { 'content-type': 'application/json', etag })
    response.end(text.replaceAll(prototype, name))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const releases = ['1.0.0', '1.0.1'].map(version =>
    makeRelease(prototype, version, { manifestBytes: 700, tarballBytes: 1_500 }),
  )
  const texts = {
    before: JSON.stringify(makePackument(url, releases)),
    after: JSON.stringify(makePackument(url, releases.slice(1))),
  }
  return { server, url }
}

async function fill(): Promise<void> {
  const peer = await startHoldfast(home, settings, '')
  for (const url of [peer.packumentUrl(prototype), peer.tarballUrl(prototype, '1.0.0')])
    if ((await get(url)).status !== 200) throw new Error(`holdfast does not answer ${url}`)
  await peer.running.stop()
  const file = join(home, 'data/holdfast.db')
  multiplyMirrors(file, packages)
  const database = new DatabaseSync(file)
  const past = Date.now() - 2 * dayMs
  database.exec(`update mirror set checked_at = ${past}, read_whole_at = ${past}, used_at = ${past}`)
  for (let at = 1; at <= hot; at++)
    database.prepare('update mirror set used_at = ? where name = ?').run(Date.now() + dayMs / 2, nameAt(at))
  database.close()
}

function nameAt(at: number): PackageName {
  return `${prototype}-${at}` as PackageName
}

async function useReal(): Promise<void> {
  const ready: number[] = []
  for (let round = 0; round < starts; round++) {
    const peer = await startHoldfast(home, settings, '')
    ready.push(peer.readyMs)
    if (round === starts - 1) {
      asked.length = 0
      const busiest: number[] = []
      const before = processorSecondsOf(peer.running.pid)
      for (let minute = 0; minute < watchedMinutes; minute++) {
        await sleep(minuteMs)
        busiest.push(asked.splice(0).length)
      }
      const used = processorSecondsOf(peer.running.pid) - before
      say(
        `${busiest.join(' and ')} requests in the first minutes (budget ${budget}), ${used.toFixed(1)} s of processor`,
      )
    }
    await peer.running.stop()
  }
  say(`start to ready: ${ready.map(ms => Math.round(ms)).join(', ')} ms (wanted: 1000)`)
}

async function useMovedClock(): Promise<void> {
  let now = Date.now()
  const config = readConfig({ data: join(home, 'data'), port: '0' }, settings)
  const { ports, close } = await openPorts(config, () => now)
  const lastAsked = new Map<string, number>()
  const gaps = { hot: 0, cold: 0 }
  const rounds: number[] = []
  const perMinute: number[] = []
  const found = new Map<string, number>()
  const gone = { hot: nameAt(1), cold: '' }
  asked.length = 0
  try {
    for (let minute = 0; minute < hours * 60; minute++) {
      const begun = performance.now()
      await reconcile(ports)
      rounds.push(performance.now() - begun)
      const names = asked.splice(0)
      perMinute.push(names.length)
      for (const name of names) {
        const kind = Number(name.slice(prototype.length + 1)) <= hot && name !== prototype ? 'hot' : 'cold'
        gaps[kind] = Math.max(gaps[kind], minute - (lastAsked.get(name) ?? 0))
        lastAsked.set(name, minute)
        // Worst for the cold one: withdrawn right after it was asked for.
        if (kind === 'cold' && gone.cold === '') gone.cold = name
      }
      if (minute === 0) withdrawn.add(gone.hot).add(gone.cold)
      for (const name of withdrawn)
        if (!found.has(name) && (await ports.store.mirrors.listMeasures(name as PackageName)).length > 0)
          found.set(name, minute)
      now += minuteMs
    }
  } finally {
    await close()
  }
  const sum = perMinute.reduce((all, each) => all + each, 0)
  rounds.sort((a, b) => a - b)
  say(
    `${hours} h of a moved clock: ${sum} requests, ${Math.max(...perMinute)} in the busiest minute (budget ${budget}); ` +
      `a round takes ${seconds(rounds[rounds.length >> 1])} s, ${seconds(rounds.at(-1))} s at most (50 at most)`,
  )
  say(
    `${lastAsked.size} of ${packages} packages were asked for, those in use ${gaps.hot} minutes apart at most (5), others ` +
      `${(gaps.cold / 60).toFixed(1)} h (24); withdrawn versions were found after ${found.get(gone.hot)} minutes and ` +
      `${((found.get(gone.cold) ?? Number.NaN) / 60).toFixed(1)} h`,
  )
}

function seconds(ms = Number.NaN): string {
  return (ms / 1000).toFixed(2)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
