// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setPriority } from 'node:os'
import type { Log } from '../http/index.ts'
import type { Ports } from '../main.ts'

const hourMs = 3600_000
const weekMs = 7 * 24 * hourMs
const firstLookMs = 60_000
/** Behind everything else that this machine does. */
const lowestPriority = 19

/**
 * Has this registry assess itself when the last result is a week old, in a process of its own that starts throw-away instances and
 * keeps what it found. One process of a registry does it; after a failure it is tried again an hour later. Returns what ends it.
 */
export function assessWeekly(
  ports: Ports,
  log: Log,
  line: readonly string[],
  delayMs = firstLookMs,
): () => void {
  const owner = randomUUID()
  let child: ChildProcess | undefined
  const look = async () => {
    const [last] = await ports.store.assessments.list(1)
    if (child !== undefined || (last !== undefined && ports.clock() - last.at < weekMs)) return
    if ((await ports.store.leases.acquire('self-assessment', owner, hourMs)) === undefined) return
    child = spawn(process.execPath, line, { stdio: ['ignore', 'ignore', 'pipe'] })
    if (child.pid !== undefined) setPriority(child.pid, lowestPriority)
    const said: string[] = []
    child.stderr?.on('data', piece => said.push(String(piece)))
    child.once('close', code => {
      child = undefined
      // 1 says that a capability failed, which the kept result tells.
      if (code !== 0 && code !== 1)
        log.say('error', 'the self-assessment did not end', { code, error: said.join('').slice(-1000) })
    })
  }
  const tryLook = () =>
    look().catch(error => log.say('error', 'the self-assessment did not start', { error: String(error) }))
  const first = setTimeout(tryLook, delayMs).unref()
  const timer = setInterval(tryLook, hourMs).unref()
  return () => {
    clearTimeout(first)
    clearInterval(timer)
    child?.kill('SIGTERM')
  }
}
