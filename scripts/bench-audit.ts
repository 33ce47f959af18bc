// SPDX-License-Identifier: Apache-2.0
/**
 * npm run bench:audit [ADVISORIES]: what a store full of advisories costs, on SQLite and the disk of the temporary folder: taking them in,
 * taking them in again, the audit of a large project over HTTP, and the memory that is in use more than before.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { takeAdvisories } from '../packages/server/src/flow/index.ts'
import { openLog } from '../packages/server/src/http/index.ts'
import { operator } from '../packages/server/src/identity/index.ts'
import { readConfig, startInstance } from '../packages/server/src/main.ts'
import type { OsvFound } from '../packages/server/src/vulnerability/index.ts'

const advisories = Number(process.argv[2] ?? 250_000)
const audited = 1500
const rounds = 15
const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-audit-'))
const config = readConfig({ data: folder, port: '0' }, {})
const instance = await startInstance(config, openLog(2, Date.now))
try {
  await audit()
  const memoryBefore = residentMb()
  const loadMs = await timed(() => take())
  say(
    `taking in ${advisories.toLocaleString('en')} advisories`,
    `${(loadMs / 1000).toFixed(0)} s, ${Math.round((advisories / loadMs) * 1000)} per second`,
  )
  say(
    'the same again, nothing new',
    `${((await timed(() => take())) / 1000).toFixed(0)} s of a feed's 15 minutes`,
  )
  const times: number[] = []
  for (let at = 0; at < rounds; at++) times.push(await timed(audit))
  times.sort((a, b) => a - b)
  say(
    `npm's audit of ${audited.toLocaleString('en')} packages, median and worst`,
    `${times[Math.floor(rounds / 2)]?.toFixed(0)} ms, ${times.at(-1)?.toFixed(0)} ms (wanted: 100)`,
  )
  globalThis.gc?.()
  say('memory in use more than before', `${(residentMb() - memoryBefore).toFixed(0)} MB (wanted: 150)`)
  say('database', `${(statSync(join(folder, 'holdfast.db')).size / 2 ** 20).toFixed(0)} MB`)
} finally {
  await instance.stop()
  rmSync(folder, { recursive: true, force: true })
}

function take(): Promise<unknown> {
  return takeAdvisories(instance.ports, operator, 'bench', generate())
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

async function audit(): Promise<void> {
  const asked = Array.from({ length: audited }, (_, at) => [
    // One of ten has something known against it: more than an old project has.
    at % 10 === 0 ? `lib-${at}` : `clean-${at}`,
    ['1.0.1', '2.3.4'],
  ])
  const answer = await fetch(`${instance.url}/npm/-/npm/v1/security/advisories/bulk`, {
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

function residentMb(): number {
  return process.memoryUsage.rss() / 2 ** 20
}

function say(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(56)}${figure}\n`)
}
