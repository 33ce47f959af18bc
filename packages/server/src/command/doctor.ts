// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigFaults } from '../config.ts'
import { type Config, openDriver, openFileBlobs } from '../main.ts'
import { type Finding, fail, ok, run } from './doctor-check.ts'
import { feedChecks } from './doctor-feed.ts'
import { logChecks } from './doctor-log.ts'
import { machineChecks } from './doctor-machine.ts'
import { networkChecks } from './doctor-network.ts'
import { originChecks } from './doctor-origin.ts'
import { type Depth, storeChecks } from './doctor-store.ts'
import { witnessChecks } from './doctor-witness.ts'
import { openProgress } from './progress.ts'
import { type Arguments, configOf, configOptions, readArguments } from './usage.ts'

const usage = `Usage: holdfast doctor --data DIR [--url URL] [--deep] [--scrub] [--json]

Looks at an instance, running or not, and says what is wrong and what to do. Nothing is changed, unless --scrub is given.

  --url URL   the address to ask instead of publicUrl
  --deep      read every tarball and compute its digest; list those that no version names
  --scrub     remove tarballs that no version has named for a day

Exit code 1 when a check failed; a warning is none.
Example: holdfast doctor --data ./data --deep`

const options = {
  ...configOptions,
  url: 'value',
  deep: 'flag',
  scrub: 'flag',
  json: 'flag',
  help: 'flag',
} as const
const marks = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const

/** `holdfast doctor`: what is wrong with an instance. */
export async function runDoctor(args: readonly string[]): Promise<number> {
  const read = readArguments(args, options, usage)
  if (read.flags.has('help')) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const findings = await examine(read)
  if (read.flags.has('json')) process.stdout.write(`${JSON.stringify({ findings })}\n`)
  return findings.some(each => each.state === 'fail') ? 1 : 0
}

/** Every finding, told as it comes. */
async function examine(read: Arguments): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const tell = (found: readonly Finding[]) => {
    findings.push(...found)
    if (!read.flags.has('json')) process.stdout.write(found.map(format).join(''))
  }
  const config = readOrExplain(read)
  if (!('data' in config)) {
    tell(config)
    return findings
  }
  tell([ok('config', 'The configuration has no faults.')])
  const now = Date.now()
  for (const check of machineChecks(config, now)) tell(await run(check))
  await examineStore(config, read, now, tell)
  const url = (read.values['url'] ?? config.publicUrl).replace(/\/+$/, '')
  for (const check of [...networkChecks(config, url), ...originChecks(config)]) tell(await run(check))
  return findings
}

function readOrExplain(read: Arguments): Config | readonly Finding[] {
  try {
    return configOf(read)
  } catch (error) {
    if (!(error instanceof ConfigFaults)) throw error
    return error.faults.map(fault =>
      fail('config', `${fault}.`, 'Correct the configuration; docs/operating.md lists every key.'),
    )
  }
}

async function examineStore(
  config: Config,
  read: Arguments,
  now: number,
  tell: (found: readonly Finding[]) => void,
): Promise<void> {
  if (config.database === undefined && !existsSync(join(config.data, 'holdfast.db'))) {
    tell([
      fail(
        'database',
        `There is no database in ${config.data}.`,
        'Check --data, or start the registry once.',
      ),
    ])
    return
  }
  const progress = read.flags.has('json') ? undefined : openProgress(process.stdout, 'reading', 'tarballs')
  const depth: Depth = {
    digests: read.flags.has('deep'),
    scrub: read.flags.has('scrub'),
    told: done => progress?.show(done, undefined),
  }
  tell(await run({ name: 'database', look: () => openAndExamine(config, now, depth) }))
  progress?.clear()
}

async function openAndExamine(config: Config, now: number, depth: Depth): Promise<readonly Finding[]> {
  const driver = await openDriver(config)
  try {
    const blobs = await openFileBlobs(join(config.data, 'blobs'))
    const found: Finding[] = []
    const checks = [
      ...storeChecks(config, driver, blobs, now, depth),
      ...feedChecks(config, driver, now),
      ...logChecks(config, driver, now),
      ...witnessChecks(config, driver),
    ]
    for (const check of checks) found.push(...(await run(check)))
    return found
  } finally {
    await driver.close()
  }
}

function format({ check, state, say, todo }: Finding): string {
  return `${marks[state]} ${check}: ${say}\n${todo === undefined ? '' : `     ${todo}\n`}`
}
