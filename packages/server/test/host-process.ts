// SPDX-License-Identifier: Apache-2.0
/** Instances, and command lines, in a process that stays: wishes come in, and what became of each goes out. */
import { run } from '../../cli/src/main.ts'
import type { Log } from '../src/http/index.ts'
import { ConfigFaults, type Instance, readConfig, startInstance } from '../src/main.ts'
import type { Ended, Settings, Told, Wish } from './host.ts'

const silent: Log = { request() {}, say() {}, flush() {} }
const birth: Settings = Object.fromEntries(
  Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
)
const running = new Map<string, Instance>()
let last: Promise<unknown> = Promise.resolve()

process.on('message', async (wish: Wish) => {
  process.send?.(
    await grant(wish).then(
      (result): Told => ({ id: wish.id, result }),
      (error): Told => ({ id: wish.id, fault: explain(error) }),
    ),
  )
})

function grant(wish: Wish): Promise<unknown> {
  if (wish.kind === 'start') return start(wish.data, wish.settings)
  if (wish.kind === 'stop') return stop(wish.url)
  // What a command prints goes to one place, and its settings come from another: one at a time.
  const ended = last.then(() => runLine(wish.cwd, wish.settings, wish.words))
  last = ended.catch(() => {})
  return ended
}

async function start(data: string, settings: Settings): Promise<string> {
  const instance = await startInstance(readConfig({ data, port: '0' }, settings), silent)
  running.set(instance.url, instance)
  return instance.url
}

async function stop(url: string): Promise<string> {
  await running.get(url)?.stop()
  running.delete(url)
  return url
}

async function runLine(cwd: string, settings: Settings, words: readonly string[]): Promise<Ended> {
  const [out, err] = [hear(process.stdout), hear(process.stderr)]
  for (const key of Object.keys(process.env)) if (!(key in birth)) delete process.env[key]
  Object.assign(process.env, birth, settings)
  process.chdir(cwd)
  process.exitCode = 0
  try {
    await run([...words])
    return { code: Number(process.exitCode), out: out.heard(), err: err.heard() }
  } finally {
    out.end()
    err.end()
  }
}

function hear(stream: typeof process.stdout | typeof process.stderr) {
  const pieces: string[] = []
  const write = stream.write
  stream.write = (piece: string | Uint8Array) => {
    pieces.push(String(piece))
    return true
  }
  return {
    heard: () => pieces.join(''),
    end() {
      stream.write = write
    },
  }
}

function explain(error: unknown): string {
  if (error instanceof ConfigFaults) return error.faults.map(fault => `  ${fault}`).join('\n')
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
