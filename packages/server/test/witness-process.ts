// SPDX-License-Identifier: Apache-2.0
/** `holdfast witness` as a process beside an instance, and the policy by which the instance asks it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openPorts } from '../src/main.ts'
import { configIn } from './live.ts'

const launcher = join(import.meta.dirname, '../../cli/bin/holdfast.js')
const root = await mkdtemp(join(tmpdir(), 'holdfast-witnessed-'))
const running = new Set<ChildProcess>()
after(async () => {
  for (const child of running) child.kill('SIGKILL')
  await rm(root, { recursive: true, force: true })
})

/** A running witness. */
export interface WitnessProcess {
  readonly vkey: string
  readonly url: string
  stop(): Promise<void>
  /** The same witness again, on the same port. */
  restart(): Promise<void>
}

/** A folder that goes when the tests end. */
export function freshFolder(): Promise<string> {
  return mkdtemp(join(root, 'in-'))
}

/** The key of the log of an instance that is not running, in the form that witnesses take. */
export async function readLogKey(folder: string): Promise<string> {
  const opened = await openPorts(configIn(folder))
  await opened.close()
  return opened.ports.log.vkey
}

/** Starts a witness of these logs. */
export async function startWitness(name: string, logs: readonly string[]): Promise<WitnessProcess> {
  const data = await freshFolder()
  const made = run('init', '--name', name, '--data', data)
  const [vkey] = await once(made.stdout ?? made, 'data')
  const args = ['serve', '--data', data, ...logs.flatMap(log => ['--log', log])]
  let { child, url } = await serve(args, '0')
  return {
    vkey: String(vkey).trim(),
    url,
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
    async restart() {
      child = (await serve(args, new URL(url).port)).child
    },
  }
}

async function serve(args: readonly string[], port: string): Promise<{ child: ChildProcess; url: string }> {
  const child = run(...args, '--port', port)
  const [line] = await once(child.stdout ?? child, 'data')
  return { child, url: String(line).replace('listening on ', '').trim() }
}

function run(...words: string[]): ChildProcess {
  const child = spawn(process.execPath, [launcher, 'witness', ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Flags of an instance that asks these witnesses; `quorum` names one of them (`w0`, `w1`, …), or `none`. */
export async function witnessFlags(
  witnesses: readonly WitnessProcess[],
  quorum: string,
): Promise<Readonly<Record<string, string>>> {
  const file = join(await freshFolder(), 'witnesses.txt')
  const lines = witnesses.map(({ vkey, url }, at) => `witness w${at} ${vkey} ${url}\n`)
  await writeFile(file, `${lines.join('')}quorum ${quorum}\n`)
  return { witnesses: file, allowPrivateHosts: '127.0.0.1' }
}
