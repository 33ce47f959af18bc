// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** One stretch of load: which addresses of one origin are asked in turn, with which headers, and for how long. */
export type Plan = {
  readonly urls: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly seconds: number
  readonly connections: number
}

/** What a stretch of load found. */
export type Outcome = {
  readonly perSecond: number
  /** Answers in all, with those that were under way when the time was over. */
  readonly answers: number
  readonly refused: number
}

/** One stretch in progress: lines stop asking once it is over. */
type Stretch = { done: number; refused: number; over: boolean; readonly requests: readonly Buffer[] }

const headEnd = Buffer.from('\r\n\r\n')
const lastChunk = Buffer.from('0\r\n\r\n')

/**
 * Puts load on one server: plain sockets, requests made beforehand, one at a time on each connection, answers counted by
 * their length and not looked at. It outruns every server measured here, wrk included, on one core. A server too slow to
 * answer each connection twice in the given time gets longer; what is under way at the end is waited for, not counted.
 */
export async function load(plan: Plan): Promise<Outcome> {
  const stretch: Stretch = {
    done: 0,
    refused: 0,
    over: false,
    requests: plan.urls.map(u => makeRequest(u, plan)),
  }
  const origin = new URL(plan.urls[0] ?? '')
  const started = performance.now()
  const lines = Array.from({ length: plan.connections }, (_, i) => openLine(origin, stretch, i))
  const elapsed = () => (performance.now() - started) / 1000
  await sleep(plan.seconds * 1000)
  while (stretch.done < 2 * plan.connections && stretch.refused === 0 && elapsed() < 30) await sleep(50)
  const perSecond = stretch.done / elapsed()
  stretch.over = true
  await Promise.all(lines.map(line => line.closed || once(line, 'close')))
  return { perSecond, answers: stretch.done, refused: stretch.refused }
}

function makeRequest(address: string, plan: Plan): Buffer {
  const url = new URL(address)
  const headers = Object.entries(plan.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`GET ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\n${headers.join('')}\r\n`)
}

/** One connection that asks, reads the whole answer, and asks again. */
function openLine(origin: URL, stretch: Stretch, offset: number): Socket {
  const buffer = Buffer.alloc(256 * 1024) // one buffer for all reads: nothing is allocated for an answer
  let turn = offset
  let missing = 0
  let chunked = false
  const ask = () => socket.write(stretch.requests[turn++ % stretch.requests.length] ?? headEnd)
  const read = (part: Buffer) => {
    if (missing > 0) missing -= part.length
    else if (chunked) chunked = !part.subarray(-5).equals(lastChunk)
    else {
      const answer = readHead(part)
      if (answer.refused) stretch.refused++
      missing = answer.missing
      chunked = answer.chunked
    }
    if (missing > 0 || chunked) return
    stretch.done++
    if (stretch.over) socket.destroy()
    else ask()
  }
  const callback = (length: number) => {
    read(buffer.subarray(0, length))
    return true
  }
  const socket = connect(
    { host: origin.hostname, port: Number(origin.port), noDelay: true, onread: { buffer, callback } },
    ask,
  )
  socket.on('error', () => stretch.refused++)
  return socket
}

/** What follows the head of an answer; over loopback a head comes in one piece. */
function readHead(part: Buffer): {
  readonly refused: boolean
  readonly missing: number
  readonly chunked: boolean
} {
  const at = part.indexOf(headEnd)
  const head = part.toString('latin1', 0, Math.max(at, 0))
  const status = Number(head.slice(9, 12))
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
  const chunked = /\r\ntransfer-encoding: chunked/i.test(head) && !part.subarray(-5).equals(lastChunk)
  const missing = status === 304 ? 0 : length - (part.length - at - headEnd.length)
  return { refused: at < 0 || status >= 400, missing, chunked }
}
