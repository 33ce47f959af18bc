// SPDX-License-Identifier: Apache-2.0
import * as module from 'node:module'
import { getPriority, setPriority } from 'node:os'
import { dirname } from 'node:path'
import { parentPort, type ResourceLimits, type Transferable, Worker } from 'node:worker_threads'

/** Whether a job ended because it took more time or memory than it may. */
export function isThreadLimit(error: unknown): boolean {
  return ['ERR_WORKER_OUT_OF_MEMORY', 'ERR_WORKER_TIMEOUT'].includes(Object(error).code)
}

/** What goes to a thread. */
interface Job {
  readonly id: number
  readonly words: unknown
}

/** What comes back: a result, or what the work threw. */
type Done = { readonly id: number } & ({ readonly result: unknown } | { readonly error: unknown })

interface Waiting<Result> {
  resolve(result: Result): void
  reject(error: unknown): void
}

const idleMs = 20_000
const behindTheLoop = 10

/**
 * Heavy work in a thread, so that those who ask for something else do not wait for it: it is started when it is needed, and
 * ended, with its memory, when nothing was to do for a while. Its file says what it does by `answerJobs`, and does it there:
 * libuv's pool belongs to those who read from disk.
 */
export class Thread<Words, Result> {
  readonly #file: URL
  readonly #limits: ResourceLimits
  readonly #withinMs: number | undefined
  readonly #restMs: number
  readonly #waiting = new Map<number, Waiting<Result>>()
  #turn: Promise<unknown> = Promise.resolve()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #counter = 0

  /**
   * With `withinMs` jobs are done one after another, and one that takes longer is ended, alone. `restMs` is how long it stays with
   * nothing to do.
   */
  constructor(file: URL, limits: ResourceLimits, withinMs?: number, restMs = idleMs) {
    this.#restMs = restMs
    this.#file = file
    this.#limits = limits
    this.#withinMs = withinMs
  }

  /**
   * Does one job; rejects with what the work threw, with the end of the thread, or with `ERR_WORKER_TIMEOUT`. What is handed over
   * is empty afterwards.
   */
  run(words: Words, handedOver: readonly Transferable[] = []): Promise<Result> {
    const withinMs = this.#withinMs
    if (withinMs === undefined) return this.#post(words, handedOver)
    const done = this.#turn.then(() => this.#postWithin(withinMs, words, handedOver))
    this.#turn = done.catch(() => {})
    return done
  }

  async #postWithin(withinMs: number, words: Words, handedOver: readonly Transferable[]): Promise<Result> {
    const result = this.#post(words, handedOver)
    const worker = this.#worker
    const timer = setTimeout(() => {
      const error = Object.assign(new Error('the work takes too long'), { code: 'ERR_WORKER_TIMEOUT' })
      if (worker !== undefined) this.#fail(worker, error)
      void worker?.terminate()
    }, withinMs)
    try {
      return await result
    } finally {
      clearTimeout(timer)
    }
  }

  #post(words: Words, handedOver: readonly Transferable[]): Promise<Result> {
    const worker = this.#open()
    const id = ++this.#counter
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      worker.postMessage({ id, words } satisfies Job, handedOver)
    })
  }

  #open(): Worker {
    clearTimeout(this.#idle)
    this.#worker ??= this.#start()
    this.#worker.ref()
    return this.#worker
  }

  #start(): Worker {
    const worker = new Worker(this.#file, { resourceLimits: this.#limits, env: environment() })
    worker.on('message', (done: Done) => {
      const waiting = this.#waiting.get(done.id)
      this.#waiting.delete(done.id)
      if ('error' in done) waiting?.reject(done.error)
      else waiting?.resolve(done.result as Result)
      this.#restIfDone(worker)
    })
    worker.on('error', error => this.#fail(worker, error))
    return worker
  }

  /** Somebody who waits keeps the process alive, the thread alone does not. */
  #restIfDone(worker: Worker): void {
    if (this.#worker !== worker || this.#waiting.size > 0) return
    worker.unref()
    this.#idle = setTimeout(() => {
      this.#worker = undefined
      void worker.terminate()
    }, this.#restMs).unref()
  }

  #fail(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(error)
  }
}

/** A thread has no cache of compiled code unless it is told of one, and would compile the same files at each of its starts. */
function environment(): NodeJS.ProcessEnv {
  const folder = module.getCompileCacheDir?.()
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(folder) }
}

/** In the file of a thread: what it does for each job. `handOver` names memory of a result that need not be copied. */
export function answerJobs<Words, Result>(
  work: (words: Words) => Promise<Result> | Result,
  handOver: (result: Result) => Transferable[] = () => [],
): void {
  parentPort?.on('message', async ({ id, words }: Job) => {
    try {
      const result = await work(words as Words)
      parentPort?.postMessage({ id, result } satisfies Done, handOver(result))
    } catch (error) {
      parentPort?.postMessage({ id, error } satisfies Done)
    }
  })
}

/**
 * In the file of a thread whose work can wait, or that strangers can ask for at will: whoever asks for something else goes first.
 * On one core it would take turns with the loop.
 */
export function standBack(): void {
  // Linux gives each thread a priority of its own; elsewhere this would be the whole process's.
  if (process.platform !== 'linux') return
  try {
    setPriority(Math.max(getPriority(), behindTheLoop))
  } catch {
    // A sandbox that forbids it: the work is done all the same, in turns with the loop.
  }
}
