// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { tarballName } from '../corpus.ts'
import { plainEnvironment, start, waitForAnswer, waitForLine } from '../process.ts'
import type { Peer } from './peer.ts'

const program = join(import.meta.dirname, '../../packages/cli/bin/holdfast.js')

/** As the unit and the image in `deploy/` set it. */
const allocator = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '262144',
}

/** Starts Holdfast by its operating contract alone, over a folder that may be new, with a token that may publish all. */
export async function startHoldfast(
  folder: string,
  settings: Record<string, string> = {},
  token?: string,
): Promise<Peer> {
  mkdirSync(folder, { recursive: true })
  const data = join(folder, 'data')
  const running = start({
    run: [process.execPath, program, 'serve', '--port', '0', '--data', data],
    folder,
    environment: { ...allocator, HOLDFAST_ORIGINS: 'none', ...settings },
  })
  const origin = await waitForLine(running, /^listening on (http:\S+)/m)
  const readyMs = await waitForAnswer(running, `${origin}/-/health/ready`)
  const registry = `${origin}/npm`
  return {
    name: 'holdfast',
    running,
    registry,
    token: token ?? openHouse(data),
    readyMs,
    packumentUrl: name => `${registry}/${name.replace('/', '%2f')}`,
    tarballUrl: (name, version) => `${registry}/${name}/-/${tarballName(name, version)}`,
  }
}

/** Takes over a Verdaccio storage folder, as somebody who moves in would, and returns the seconds that took. */
export function importStock(folder: string, storage: string): number {
  mkdirSync(folder, { recursive: true })
  const started = performance.now()
  runHoldfast('import', storage, '--data', join(folder, 'data'), '--host-names', '--json')
  return (performance.now() - started) / 1000
}

/** Lets the instance host every name and answers with a token for all of them. */
function openHouse(data: string): string {
  runHoldfast('operator', 'host', '--data', data, '*')
  const printed = runHoldfast('operator', 'token', '--data', data, '--user', 'bench', '--publish', '*')
  return printed.trim().split('\n').at(-1) ?? ''
}

function runHoldfast(...words: string[]): string {
  const options = { encoding: 'utf8', env: plainEnvironment(), maxBuffer: 1e9 } as const
  const done = spawnSync(process.execPath, [program, ...words], options)
  if (done.status !== 0)
    throw new Error(`holdfast ${words[0]}: ${done.stderr.slice(-500)} ${done.stdout.slice(-1000)}`)
  return done.stdout
}
