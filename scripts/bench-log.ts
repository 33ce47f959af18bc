// SPDX-License-Identifier: Apache-2.0
/**
 * npm run bench:log [ENTRIES]: what the transparency log costs, on SQLite and the disk of the temporary folder. Durations stand
 * beside that of a durable commit of the same store in the same run.
 * npm run bench:log -- --leaves 10000000: what a log of that many made-up entries costs beside one of ten thousand.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Digest,
  formatIntegrity,
  type PackageName,
  parseNamePattern,
  type Version,
} from '@holdfast/core'
import { hostNames, proveVersions } from '../packages/server/src/flow/index.ts'
import { authorize, operator } from '../packages/server/src/identity/index.ts'
import type { NewEvent } from '../packages/server/src/integrity/index.ts'
import { openPorts, type Ports, readConfig } from '../packages/server/src/main.ts'
import { measureLog } from './bench-log-size.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { leaves: { type: 'string' } } })
const entries = Number(positionals[0] ?? 20_000)
const changes = 60
const locked = 1500
const smallLog = 10_000

await (values.leaves === undefined ? benchRounds() : benchSize(Number(values.leaves)))

async function benchRounds(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-log-'))
  const { ports, close } = await openPorts(readConfig({ data: folder, port: '0' }, {}))
  try {
    await ports.log.covered()
    const commitMs = await median(changes, at => hostName(ports, `warm-${at}`))
    await ports.log.covered()
    const coveredMs = await median(changes, async at => {
      await hostName(ports, `named-${at}`)
      await ports.log.covered()
    })
    say('a durable commit', `${commitMs.toFixed(2)} ms`)
    say(
      'the same with its checkpoint',
      `${coveredMs.toFixed(2)} ms, ${(coveredMs / commitMs).toFixed(1)} × (wanted: 3)`,
    )
    await addEntries(ports, entries)
    const sequencedMs = await timed(() => ports.log.covered())
    const perSecond = Math.round((entries / sequencedMs) * 1000)
    say(`sequencing ${entries.toLocaleString('en')} entries`, `${perSecond} per second (wanted: 2000)`)
    const wanted = Array.from({ length: locked }, (_, at) => subjectAt(Math.floor((at * entries) / locked)))
    const proveMs = await median(5, () => proveVersions(ports, operator, wanted))
    say(`proofs of ${locked.toLocaleString('en')} versions`, `${proveMs.toFixed(0)} ms (wanted: 150)`)
    const laterMs = await median(changes, async at => {
      await hostName(ports, `later-${at}`)
      await ports.log.covered()
    })
    say('a change with its checkpoint now', `${laterMs.toFixed(2)} ms`)
    say('files of the log', `${(sizeOf(join(folder, 'log')) / entries).toFixed(0)} bytes an entry`)
  } finally {
    await close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function benchSize(leaves: number): Promise<void> {
  const [small, large] = [await measureLog(smallLog), await measureLog(leaves)]
  for (const [key, what] of [
    ['start', 'start, with its first change'],
    ['append', 'a change with its checkpoint'],
    ['proofs', `proofs of ${locked.toLocaleString('en')} versions`],
  ] as const)
    say(
      what,
      `${large[key].toFixed(1)} ms of processor, ${(large[key] / small[key]).toFixed(1)} × that of ${smallLog.toLocaleString('en')} (wanted: 2)`,
    )
  const perLeaf = (large.bytes / leaves).toFixed(0)
  say('files of the log', `${(large.bytes / 1024 ** 2).toFixed(0)} MiB, ${perLeaf} bytes an entry`)
}

function hostName(ports: Ports, name: string): Promise<unknown> {
  return hostNames(ports, operator, [parseNamePattern(name)])
}

function subjectAt(at: number): { readonly name: PackageName; readonly version: Version } {
  return { name: `lib-${at}` as PackageName, version: '1.0.0' as Version }
}

async function addEntries(ports: Ports, count: number): Promise<void> {
  const grant = await authorize(ports, operator, 'instance:operate', '')
  for (let from = 0; from < count; from += 500) {
    const batch = Array.from({ length: Math.min(500, count - from) }, (_, at) => ingest(from + at))
    await ports.store.commit(grant, batch, async () => {})
  }
}

function ingest(at: number): NewEvent {
  const { name, version } = subjectAt(at)
  const digest = createHash('sha512').update(name).digest('hex') as Digest
  const fields = {
    upstream: 'npm',
    dist: { integrity: formatIntegrity(digest), size: 1000 },
    signature: 'verified',
  }
  return { type: 'ingest', pkg: name, ver: version, fields }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

async function median(times: number, work: (at: number) => Promise<unknown>): Promise<number> {
  const taken: number[] = []
  for (let at = 0; at < times; at += 1) taken.push(await timed(() => work(at)))
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0
}

function sizeOf(path: string): number {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries
    .filter(each => each.isFile())
    .reduce((sum, each) => sum + statSync(join(each.parentPath, each.name)).size, 0)
}

function say(what: string, found: string): void {
  process.stdout.write(`${what.padEnd(40)}${found}\n`)
}
