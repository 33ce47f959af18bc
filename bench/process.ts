// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server process under measurement. */
export type Running = {
  readonly pid: number
  readonly logFile: string
  readonly startedAt: number
  stop(): Promise<void>
}

/** What to start and where its output goes. */
export type Command = {
  readonly run: readonly [string, ...string[]]
  readonly folder: string
  readonly environment?: Readonly<Record<string, string>>
}

/** Server and load generator each get a core of their own, where the machine has two and `taskset`. */
export const pinned = availableParallelism() > 1 && has('taskset')
const serverCore = '0'
const loadCore = '1'

/** True where a program answers on this machine. */
export function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}

/** Moves this process, and with it every load generator it starts, to the core that serves nothing. */
export function pinSelf(): void {
  if (pinned) spawnSync('taskset', ['-a', '-c', '-p', loadCore, String(process.pid)])
}

/** Starts a server on its core; output goes to a file, as under a service manager, and nobody has to read it meanwhile. */
export function start(command: Command): Running {
  const logFile = join(command.folder, 'output.log')
  const log = openSync(logFile, 'w')
  const [program, ...rest] = pinned ? ['taskset', '-c', serverCore, ...command.run] : command.run
  const startedAt = performance.now()
  const child = spawn(program, rest, {
    cwd: command.folder,
    env: { ...plainEnvironment(), ...command.environment },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const exited = once(child, 'exit')
  exited.catch(() => {})
  if (child.pid === undefined) throw new Error(`cannot start ${program}`)
  living.add(child.pid)
  child.once('exit', () => living.delete(child.pid ?? 0))
  return { pid: child.pid, logFile, startedAt, stop: () => stop(child, exited) }
}

const living = new Set<number>()
process.on('exit', () => {
  for (const pid of living) process.kill(pid, 'SIGKILL')
})
// Whoever interrupts the bench must not find its servers running afterwards.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))

async function stop(child: ReturnType<typeof spawn>, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const late = sleep(15_000, 'late', { ref: false })
  if ((await Promise.race([exited, late])) === 'late') child.kill('SIGKILL')
  await exited
}

/** The environment without npm's own variables: a peer started under `npm run` must not inherit our settings. */
export function plainEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([key]) => !/^(npm_|INIT_CWD|NODE_ENV|HOLDFAST_)/i.test(key),
  )
  return Object.fromEntries(kept.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
}

/** Waits for a pattern in the server's output and returns its first group. */
export async function waitForLine(server: Running, pattern: RegExp): Promise<string> {
  for (;;) {
    const text = readFileSync(server.logFile, 'utf8')
    const found = pattern.exec(text)
    if (found) return found[1] ?? ''
    checkAlive(server, text)
    await sleep(2)
  }
}

/** Waits until the address answers 200 and returns the milliseconds since the process was started. */
export async function waitForAnswer(server: Running, url: string): Promise<number> {
  for (;;) {
    const status = await fetch(url).then(
      answer => answer.arrayBuffer().then(() => answer.status),
      () => 0,
    )
    if (status === 200) return performance.now() - server.startedAt
    checkAlive(server, readFileSync(server.logFile, 'utf8'))
    await sleep(2)
  }
}

function checkAlive(server: Running, text: string): void {
  const last = text.trim().split('\n').slice(-8).join('\n')
  if (!living.has(server.pid)) throw new Error(`the server ended:\n${last}`)
  if (performance.now() - server.startedAt > 60_000)
    throw new Error(`the server is not ready after 60 s:\n${last}`)
}

/** A port that was free a moment ago, for servers that cannot choose one themselves. */
export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Resident memory of a process now, and its highest since `resetPeak`, in megabytes (Linux). */
export function memoryOf(pid: number): { readonly nowMb: number; readonly peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024
  return { nowMb: field('VmRSS'), peakMb: field('VmHWM') }
}

/** Processor time a process has used so far with all its threads, in seconds (Linux; its clock has 100 ticks a second). */
export function processorSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Until a server has nothing left to do of what it was started with, such as looking into imported packages; a minute at most. */
export async function untilAtRest({ pid }: Running): Promise<void> {
  const started = performance.now()
  for (let calm = 0; calm < 4 && performance.now() - started < 60_000; ) {
    const before = processorSecondsOf(pid)
    await sleep(500)
    calm = processorSecondsOf(pid) - before <= 0.02 ? calm + 1 : 0
  }
}

/** Lets the kernel forget the highest memory use so far. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}
