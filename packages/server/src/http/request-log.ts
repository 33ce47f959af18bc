// SPDX-License-Identifier: Apache-2.0
import { write, writeSync } from 'node:fs'

const flushAfterMs = 100
const flushAtBytes = 64 * 1024
const spellAtLines = 256
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

/**
 * Opens the log on a file descriptor. Request lines are put into words many at a time: word by word between the answers
 * they cost a tenth of a small one. When the reader of the log is slower than requests, request lines are dropped and counted.
 */
export function openLog(descriptor: number, clock: () => number): Log {
  let answered: { readonly at: number; readonly line: RequestLine }[] = []
  let waiting = ''
  let timer: NodeJS.Timeout | undefined
  let writing = false
  let dropped = 0
  let second = 0
  let time = ''
  const stamp = (at: number) => {
    const current = Math.floor(at / 1000)
    if (current !== second) {
      second = current
      time = new Date(current * 1000).toISOString().slice(0, 20)
    }
    return `${time}${String(at % 1000).padStart(3, '0')}Z`
  }
  const spell = () => {
    const lines = answered
    answered = []
    for (const { at, line } of lines) {
      waiting += `{"time":"${stamp(at)}","level":"info","message":"request","request":"${line.id}","method":"${line.method}","path":${quote(line.path)},"status":${line.status},"bytes":${line.bytes},"duration_ms":${line.durationMs.toFixed(2)},"address":"${line.address}","actor":"${line.actor}","client":${quote(line.client)}}\n`
    }
  }
  const drain = () => {
    clearTimeout(timer)
    timer = undefined
    spell()
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
    // While the last is being written, what comes is gathered on.
    if (!writing && waiting.length > flushAtBytes) drain()
    else timer ??= setTimeout(drain, flushAfterMs)
  }
  return {
    request(line) {
      if (waiting.length > maxWaitingBytes) {
        dropped += 1
        return
      }
      answered.push({ at: clock(), line })
      if (answered.length >= spellAtLines) spell()
      schedule()
    },
    say(level, message, fields) {
      spell()
      const said = { time: stamp(clock()), level, message, ...fields, ...(dropped > 0 ? { dropped } : {}) }
      waiting += `${JSON.stringify(said)}\n`
      dropped = 0
      schedule()
    },
    flush() {
      clearTimeout(timer)
      spell()
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
