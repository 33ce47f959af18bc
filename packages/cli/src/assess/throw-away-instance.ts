// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { UsageError } from '../usage-error.ts'
import type { ProbeInstance, Settings } from './probe.ts'

const launcher = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))
const readyWithinMs = 30_000

/** A fresh instance in a temporary folder, with the defaults that everybody's first instance has. */
export interface ThrowAwayInstance extends ProbeInstance {
  startOther(settings: Settings): Promise<ThrowAwayInstance>
  /** Ends the process and removes the folder; likewise of the others that were started from here. */
  stop(): Promise<void>
}

/** Starts `holdfast serve` as people do, and resolves when it says where it listens. */
export async function startThrowAwayInstance(settings: Settings = {}): Promise<ThrowAwayInstance> {
  const data = await mkdtemp(join(tmpdir(), 'holdfast-assess-'))
  const around = makeSurroundings(data, settings)
  const line = [launcher, 'serve', '--port', '0', '--data', data]
  const child = spawn(process.execPath, line, { ...around, stdio: ['ignore', 'pipe', 'pipe'] })
  const others: ThrowAwayInstance[] = []
  const stop = async () => {
    await Promise.all([end(child), ...others.map(other => other.stop())])
    await rm(data, { recursive: true, force: true })
  }
  const startOther = async (wanted: Settings) => {
    const other = await startThrowAwayInstance({ ...settings, ...wanted })
    others.push(other)
    return other
  }
  try {
    const url = await readAddress(child)
    return { url, operate: (...args) => operate(around, args), startOther, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Its data folder, where its processes run, and their environment. */
interface Surroundings {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** Whatever configures this machine's own instance, by environment or by a file in the folder, must not reach this one. */
function makeSurroundings(data: string, settings: Settings): Surroundings {
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('HOLDFAST_')))
  return { cwd: data, env: { ...env, HOLDFAST_ORIGINS: 'none', ...settings } }
}

async function readAddress(child: ChildProcess): Promise<string> {
  const errors: string[] = []
  child.stderr?.on('data', chunk => errors.push(String(chunk)))
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const fail = (why: string) =>
    reject(new Error(`the throw-away instance ${why}\n${errors.join('').slice(-4000)}`))
  const timer = setTimeout(() => fail(`was not ready within ${readyWithinMs / 1000} s`), readyWithinMs)
  child.once('error', error => fail(`did not start: ${error.message}`))
  child.once('close', code => fail(`ended with exit code ${code} before it listened`))
  if (child.stdout) createInterface(child.stdout).on('line', line => readLine(line, resolve))
  return promise.finally(() => clearTimeout(timer))
}

/** Goes on reading after the first line, because a full pipe would stop the server. */
function readLine(line: string, resolve: (url: string) => void): void {
  const found = /^listening on (\S+)$/.exec(line)?.[1]
  if (found !== undefined) resolve(found.replace(/\/$/, ''))
}

/** Runs `holdfast operator <words>` with the environment as it is; throws what it prints when it refuses. */
export async function operateOn(words: readonly string[]): Promise<void> {
  const line = [launcher, 'operator', ...words]
  await promisify(execFile)(process.execPath, line).catch((error: Error & { stderr?: string }) => {
    throw new UsageError(
      error.stderr?.trim() || error.message,
      'Name the data folder of a registry with --data.',
    )
  })
}

async function operate(around: Surroundings, args: readonly string[]): Promise<string> {
  const line = [launcher, 'operator', ...args, '--data', around.cwd]
  const { stdout } = await promisify(execFile)(process.execPath, line, around)
  return stdout
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 12_000)
  await ended
  clearTimeout(timer)
}
