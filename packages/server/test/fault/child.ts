// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Point } from './point.ts'
import type { Ready } from './victim.ts'

const victim = fileURLToPath(new URL('./victim.ts', import.meta.url))

/** A running victim. */
export interface Victim extends Ready {
  readonly child: ChildProcess
  /** Resolves with the signal or the code it ended with. */
  readonly ended: Promise<string | number>
  arm(point: Point): Promise<void>
  /** The most memory it ever took. */
  peakBytes(): Promise<number>
  /** `kill -9`, and the wait for its end. */
  kill(): Promise<void>
}

/** Starts a victim on a folder; `flags` are keys of the configuration. */
export async function startVictim(
  folder: string,
  flags: Readonly<Record<string, string>> = {},
): Promise<Victim> {
  // Started again and again: half of a start is reading the sources.
  const env = { NODE_COMPILE_CACHE: join(folder, 'compile-cache'), ...process.env }
  const child = fork(victim, [folder, JSON.stringify(flags)], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = new Promise<string | number>(resolve => {
    child.once('exit', (code, signal) => resolve(signal ?? code ?? -1))
  })
  const ready = await Promise.race([nextMessage<Ready>(child), ended])
  if (typeof ready !== 'object') throw new Error(`the instance ended at its start: ${ready}`)
  return {
    ...ready,
    child,
    ended,
    async arm(point) {
      const armed = nextMessage(child)
      child.send({ arm: point })
      await armed
    },
    async peakBytes() {
      const answer = nextMessage<{ readonly peakBytes: number }>(child)
      child.send({})
      return (await answer).peakBytes
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const [message] = await once(child, 'message')
  return message as T
}
