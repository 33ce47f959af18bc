// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** The bytes of a text in every encoding that clients take. */
export interface Pressed {
  readonly identity: Uint8Array
  readonly gzip: Uint8Array
  readonly brotli: Uint8Array
  readonly zstd: Uint8Array
  /** SHA-256 of the text. */
  readonly hash: string
}

/** UTF-8 in memory of its own, which goes to the thread without being copied. */
export type Piece = Uint8Array<ArrayBuffer>

/** What goes to the thread. */
export interface PressJob {
  readonly id: number
  readonly pieces: readonly Piece[]
}

/** What comes back. */
export interface PressResult extends Pressed {
  readonly id: number
}

interface Waiting {
  resolve(pressed: Pressed): void
  reject(error: unknown): void
}

const idleMs = 20_000
const limits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 }
const threadUrl = new URL(`./press-thread${extname(import.meta.filename)}`, import.meta.url)

/**
 * The thread that joins, compresses and hashes documents, so that a packument of 20 MB holds nobody up; started when it
 * is needed, and ended, with its memory, when nothing was to do for a while.
 */
export class Press {
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #waiting = new Map<number, Waiting>()
  #counter = 0

  /** The pieces are handed over: their memory is empty afterwards. */
  press(pieces: readonly Piece[]): Promise<Pressed> {
    const worker = this.#open()
    const id = ++this.#counter
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      worker.postMessage(
        { id, pieces } satisfies PressJob,
        pieces.map(piece => piece.buffer),
      )
    })
  }

  #open(): Worker {
    clearTimeout(this.#idle)
    this.#worker ??= this.#start()
    this.#worker.ref()
    return this.#worker
  }

  #start(): Worker {
    const worker = new Worker(threadUrl, { resourceLimits: limits })
    worker.on('message', ({ id, ...pressed }: PressResult) => {
      this.#waiting.get(id)?.resolve(pressed)
      this.#waiting.delete(id)
      this.#restIfDone(worker)
    })
    worker.on('error', error => this.#fail(worker, error))
    return worker
  }

  /** Somebody who waits keeps the process alive, the thread alone does not. */
  #restIfDone(worker: Worker): void {
    if (this.#waiting.size > 0) return
    worker.unref()
    this.#idle = setTimeout(() => {
      this.#worker = undefined
      void worker.terminate()
    }, idleMs).unref()
  }

  #fail(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(error)
  }
}
