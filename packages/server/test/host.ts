// SPDX-License-Identifier: Apache-2.0
/**
 * One process beside a test for what would be a process each: instances that only have to be there, and command lines of which
 * only what they do and print counts. What is about starting, stopping and signals starts the real thing.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** What the environment says beyond what it says to the test. */
export type Settings = Readonly<Record<string, string>>

/** What is asked of the process. */
export type Wish = { readonly id: number } & (
  | { readonly kind: 'start'; readonly data: string; readonly settings: Settings }
  | { readonly kind: 'stop'; readonly url: string }
  | {
      readonly kind: 'run'
      readonly cwd: string
      readonly settings: Settings
      readonly words: readonly string[]
    }
)

/** What became of it. */
export type Told = { readonly id: number } & ({ readonly result: unknown } | { readonly fault: string })

/** What a command printed, and how it ended. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** The process; the first wish starts it. */
export interface Host {
  /** Starts an instance on any free port, and gives its address; rejects with what is wrong with its configuration. */
  start(data: string, settings: Settings): Promise<string>
  stop(url: string): Promise<void>
  /** Runs `holdfast <words>` in a folder, to its end; one after the other. */
  run(cwd: string, settings: Settings, words: readonly string[]): Promise<Ended>
  close(): Promise<void>
}

type Unnumbered<Each> = Each extends unknown ? Omit<Each, 'id'> : never

/** Opens one, in this environment; tests close it. */
export function openHost(env: NodeJS.ProcessEnv = withoutOwn(process.env)): Host {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let child: ChildProcess | undefined
  let counter = 0
  const ask = (wish: Unnumbered<Wish>): Promise<unknown> => {
    child ??= launch(env, waiting)
    counter += 1
    const asked = Promise.withResolvers<unknown>()
    waiting.set(counter, asked)
    child.send({ id: counter, ...wish })
    return asked.promise
  }
  return {
    start: async (data, settings) => String(await ask({ kind: 'start', data, settings })),
    stop: async url => void (await ask({ kind: 'stop', url })),
    run: async (cwd, settings, words) => (await ask({ kind: 'run', cwd, settings, words })) as Ended,
    async close() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** What a command printed that ended well; throws what it said where it did not. */
export function saidBy({ code, out, err }: Ended): string {
  if (code !== 0) throw new Error(`exit code ${code}\n${out}${err}`)
  return out
}

/** What configures this machine's own instance reaches no other. */
function withoutOwn(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith('HOLDFAST_')))
}

function launch(env: NodeJS.ProcessEnv, waiting: Map<number, PromiseWithResolvers<unknown>>): ChildProcess {
  const child = fork(join(import.meta.dirname, 'host-process.ts'), {
    env,
    // No terminal: commands print less where there is none.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.on('message', (told: Told) => {
    const asked = waiting.get(told.id)
    waiting.delete(told.id)
    if ('result' in told) asked?.resolve(told.result)
    else asked?.reject(new Error(told.fault))
  })
  return child.on('exit', () => {
    for (const asked of waiting.values()) asked.reject(new Error('the process of the instances ended'))
  })
}
