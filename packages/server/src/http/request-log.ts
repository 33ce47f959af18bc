// SPDX-License-Identifier: Apache-2.0
import { write, writeSync } from 'node:fs'

const flushAfterMs = 100
const flushAtBytes = 64 * 1024
const maxWaitingBytes = 4 * 1024 * 1024

/** What one line of the request log says. Never a header, a body, or a query. */
export interface RequestLine {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly bytes: number
  readonly durationMs: number
  readonly address: string
  readonly actor: string
  readonly client: string
}

/** A log of JSON lines, gathered and written ten times a second so that it costs the read path next to nothing. */
export interface Log {
  request(line: RequestLine): void
  /** A sentence that stands alone, plus fields. */
  say(level: 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void
  /** Writes what is waiting, at once; for the end of the process. */
  flush(): void
}

/** Opens the log on a file descriptor. When the reader of the log is slower than requests, request lines are dropped and counted. */
export function openLog(descriptor: number, clock: () => number): Log {
  let waiting = ''
  let timer: NodeJS.Timeout | undefined
  let writing = false
  let dropped = 0
  let second = 0
  let time = ''
  const stamp = () => {
    const now = clock()
    const current = Math.floor(now / 1000)
    if (current !== second) {
      second = current
      time = new Date(current * 1000).toISOString().slice(0, 20)
    }
    return `${time}${String(now % 1000).padStart(3, '0')}Z`
  }
  const drain = () => {
    timer = undefined
    if (writing || waiting === '') return
    const text = waiting
    waiting = ''
    writing = true
    write(descriptor, text, () => {
      writing = false
      if (waiting !== '') schedule()
    })
  }
  const schedule = () => {
    if (waiting.length > flushAtBytes) drain()
    timer ??= setTimeout(drain, flushAfterMs)
  }
  const add = (line: string) => {
    waiting += line
    schedule()
  }
  return {
    request(line) {
      if (waiting.length > maxWaitingBytes) {
        dropped += 1
        return
      }
      add(
        `{"time":"${stamp()}","level":"info","message":"request","request":"${line.id}","method":"${line.method}","path":${quote(line.path)},"status":${line.status},"bytes":${line.bytes},"duration_ms":${line.durationMs.toFixed(2)},"address":"${line.address}","actor":"${line.actor}","client":${quote(line.client)}}\n`,
      )
    },
    say(level, message, fields) {
      add(
        `${JSON.stringify({ time: stamp(), level, message, ...fields, ...(dropped > 0 ? { dropped } : {}) })}\n`,
      )
      dropped = 0
    },
    flush() {
      clearTimeout(timer)
      if (waiting !== '') writeSync(descriptor, waiting)
      waiting = ''
    },
  }
}

const secretPath = /\/-\/(?:user\/token|npm\/v1\/tokens\/token)\/[^/?]+/
/** Links out of letters and of the command line. */
const secretPage =
  /^\/(?:invitation|set-up|verify|login\/cli|recover|recovery\/cancel|recovery|unwatch)\/[^/?]+/

/** A path fit for the log: no query, and no secret where npm, or a link of ours, puts one into the path. */
export function loggedPath(url: string): string {
  // The address of a packument, which is most of what is asked.
  if (url.startsWith('/npm/') && !url.includes('-/') && !url.includes('?')) return url
  const end = url.indexOf('?')
  const path = end < 0 ? url : url.slice(0, end)
  const secret = path.includes('/token/') ? secretPath : secretPage
  return path.replace(secret, found => `${found.slice(0, found.lastIndexOf('/'))}/…`)
}

const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

function quote(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text)
}
