// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { html, type Markup, trusted } from './markup.ts'
import type { ReadmeOptions } from './readme.ts'

/** What goes to the thread. */
export interface ReadmeJob {
  readonly source: string
  readonly repository: string | undefined
}

const maxRemembered = 200
const maxMs = 3000
const maxStartMs = 30_000
const idleMs = 60_000
const limits = { maxOldGenerationSizeMb: 128 }
const threadUrl = new URL(`./readme-worker${extname(import.meta.filename)}`, import.meta.url)

interface Thread {
  readonly worker: Worker
  isReady: boolean
}

const remembered = new Map<string, Promise<Markup>>()
let last: Promise<unknown> = Promise.resolve()
let running: Thread | undefined
let idle: NodeJS.Timeout | undefined

/**
 * A README as safe markup, remembered under a key that changes with it. It is made in a thread, one at a time; what
 * takes too long, too much memory or too deep a stack is shown as the plain text it is.
 */
export function renderReadme(
  key: string,
  source: string,
  options: ReadmeOptions & { readonly maxMs?: number } = {},
): Promise<Markup> {
  const known = remembered.get(key)
  if (known !== undefined) return known
  const job: ReadmeJob = { source, repository: options.repository?.href }
  const made = last.then(() => renderInThread(job, options.maxMs ?? maxMs))
  last = made
  remembered.set(key, made)
  if (remembered.size > maxRemembered) remembered.delete(remembered.keys().next().value ?? '')
  return made
}

function renderInThread(job: ReadmeJob, limitMs: number): Promise<Markup> {
  const thread = openThread()
  const { worker } = thread
  return new Promise(resolve => {
    const finish = (markup: Markup) => {
      clearTimeout(timer)
      worker.off('message', take)
      worker.off('error', giveUp)
      resolve(markup)
    }
    const giveUp = () => {
      closeThread(thread)
      finish(html`<pre class="text">${job.source}</pre>`)
    }
    const begin = () => {
      thread.isReady = true
      clearTimeout(timer)
      timer = setTimeout(giveUp, limitMs)
      worker.postMessage(job)
    }
    const take = (text: string) => {
      if (thread.isReady) finish(trusted(text))
      else begin()
    }
    let timer = setTimeout(giveUp, maxStartMs)
    worker.on('error', giveUp)
    worker.on('message', take)
    if (thread.isReady) begin()
  })
}

/** The thread, started when it is needed and ended when nobody has needed it for a while. */
function openThread(): Thread {
  running ??= { worker: new Worker(threadUrl, { resourceLimits: limits }), isReady: false }
  const thread = running
  thread.worker.unref()
  clearTimeout(idle)
  idle = setTimeout(() => closeThread(thread), idleMs)
  idle.unref()
  return thread
}

function closeThread(thread: Thread): void {
  if (running === thread) running = undefined
  void thread.worker.terminate()
}
