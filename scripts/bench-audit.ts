// SPDX-License-Identifier: Apache-2.0
/**
 * npm run bench:audit [ADVISORIES]: what a store full of advisories costs, on SQLite and the disk of the temporary folder: taking them in,
 * taking them in again, the audit of a large project over HTTP, and the memory of a server that has them beside one that has none, each
 * a process of its own that has just answered the same audits. What taking them in leaves behind is told apart.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeAdvisories } from '../packages/server/src/flow/index.ts'
import { openLog } from '../packages/server/src/http/index.ts'
import { operator } from '../packages/server/src/identity/index.ts'
import { readConfig, startInstance } from '../packages/server/src/main.ts'
import type { OsvFound } from '../packages/server/src/vulnerability/index.ts'

const audited = 1500
const rounds = 15
const [word, served] = process.argv.slice(2)
const advisories = Number(word ?? 250_000)

if (word === 'serve') await serve(served ?? '')
else await bench()

async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-audit-'))
  const empty = mkdtempSync(join(tmpdir(), 'holdfast-bench-none-'))
  try {
    await measure(folder)
    const [none, full] = [await residentMb(empty), await residentMb(folder)]
    say('memory of a server more than without them', `${(full - none).toFixed(0)} MB (wanted: 150)`)
    say('memory of a server without them', `${none.toFixed(0)} MB`)
    say('database', `${(statSync(join(folder, 'holdfast.db')).size / 2 ** 20).toFixed(0)} MB`)
  } finally {
    for (const each of [folder, empty]) rmSync(each, { recursive: true, force: true })
  }
}

async function measure(folder: string): Promise<void> {
  const instance = await open(folder)
  try {
    const take = () => takeAdvisories(instance.ports, operator, 'bench', generate())
    await audit(instance.url)
    const memoryBefore = process.memoryUsage.rss()
    const loadMs = await timed(take)
    say(
      `taking in ${advisories.toLocaleString('en')} advisories`,
      `${(loadMs / 1000).toFixed(0)} s, ${Math.round((advisories / loadMs) * 1000)} per second`,
    )
    say('the same again, nothing new', `${((await timed(take)) / 1000).toFixed(0)} s of a feed's 15 minutes`)
    const times: number[] = []
    for (let at = 0; at < rounds; at++) times.push(await timed(() => audit(instance.url)))
    times.sort((a, b) => a - b)
    say(
      `npm's audit of ${audited.toLocaleString('en')} packages, median and worst`,
      `${times[Math.floor(rounds / 2)]?.toFixed(0)} ms, ${times.at(-1)?.toFixed(0)} ms (wanted: 100)`,
    )
    globalThis.gc?.()
    say(
      'what taking them in twice leaves in its process',
      `${((process.memoryUsage.rss() - memoryBefore) / 2 ** 20).toFixed(0)} MB`,
    )
  } finally {
    await instance.stop()
  }
}

function open(folder: string) {
  return startInstance(readConfig({ data: folder, port: '0' }, {}), openLog(2, Date.now))
}

/** A server as a process of its own: it tells where it is, and what it holds when it is asked. */
async function serve(folder: string): Promise<void> {
  const instance = await open(folder)
  process.send?.(instance.url)
  process.on('message', async () => {
    globalThis.gc?.()
    process.send?.(process.memoryUsage.rss())
    await instance.stop()
    process.disconnect()
  })
}

async function residentMb(folder: string): Promise<number> {
  const child = fork(import.meta.filename, ['serve', folder], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const url = String(await told(child))
  for (let at = 0; at < rounds; at++) await audit(url)
  child.send('tell')
  const bytes = Number(await told(child))
  await once(child, 'exit')
  return bytes / 2 ** 20
}

async function told(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message')
  return message
}

function* generate(): Generator<OsvFound> {
  for (let at = 0; at < advisories; at++) {
    const record = recordAt(at)
    yield { kind: 'record', from: 'bench', record, text: JSON.stringify(record) }
  }
}

/** As many packages as there are malicious ones for one with flaws; those have several records each. */
function recordAt(at: number): unknown {
  const isMalware = at % 10 !== 0
  const name = isMalware ? `bad-${at}` : `lib-${(at / 10) % 20_000}`
  const events = [{ introduced: `${at % 7}.0.0` }, { fixed: `${at % 7}.${(at % 30) + 1}.${at % 9}` }]
  return {
    id: isMalware ? `MAL-2026-${at}` : `GHSA-${at}`,
    modified: '2026-01-02T00:00:00Z',
    published: '2026-01-01T00:00:00Z',
    aliases: isMalware ? [] : [`CVE-2026-${at}`],
    summary: `Trouble of the kind ${at % 100} in ${name}`,
    details: 'What people write about a flaw, its cause and its cure. '.repeat(isMalware ? 4 : 20),
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' }],
    affected: [
      {
        package: { ecosystem: 'npm', name },
        ...(isMalware ? { versions: ['1.0.0', '1.0.1'] } : { ranges: [{ type: 'SEMVER', events }] }),
      },
    ],
    references: [{ type: 'WEB', url: `https://advisories.example/${at}` }],
  }
}

async function audit(url: string): Promise<void> {
  const asked = Array.from({ length: audited }, (_, at) => [
    // One of ten has something known against it: more than an old project has.
    at % 10 === 0 ? `lib-${at}` : `clean-${at}`,
    ['1.0.1', '2.3.4'],
  ])
  const answer = await fetch(`${url}/npm/-/npm/v1/security/advisories/bulk`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(asked)),
  })
  if (!answer.ok) throw new Error(`the audit was answered with ${answer.status}`)
  await answer.json()
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function say(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(56)}${figure}\n`)
}
