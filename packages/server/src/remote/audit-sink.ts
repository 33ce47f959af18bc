// SPDX-License-Identifier: Apache-2.0
/** Where events go to be watched: a collector behind HTTP, or syslog (RFC 5424) over TLS, TCP or UDP. */
import { createSocket } from 'node:dgram'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { problem } from '@holdfast/core'
import type { AuditSink, Outbound, SinkLine } from '../ports.ts'

const deadlineMs = 10_000
/** RFC 5424, table 1: log audit. */
const facility = 13
const severities = { warning: 4, notice: 5 } as const
/** Larger datagrams are lost on the way, or refused by the system. */
const maxDatagramBytes = 8000

/** Opens the way to `address`; an `https` one gets the token as bearer. */
export function openAuditSink(address: string, token: string | undefined, outbound: Outbound): AuditSink {
  const url = new URL(address)
  if (url.protocol.startsWith('http')) return { send: lines => sendHttp(outbound, address, token, lines) }
  const port = Number(url.port || (url.protocol === 'syslog+tls:' ? 6514 : 514))
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (url.protocol === 'syslog+udp:') return { send: lines => sendUdp(host, port, lines) }
  return { send: lines => sendStream(host, port, url.protocol === 'syslog+tls:', lines) }
}

async function sendHttp(
  outbound: Outbound,
  url: string,
  token: string | undefined,
  lines: readonly SinkLine[],
): Promise<void> {
  const headers = {
    'content-type': 'application/x-ndjson',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  const body = lines.map(line => `${line.json}\n`).join('')
  const { status } = await outbound.ask({ url, method: 'POST', headers, body, deadlineMs })
  if (status < 200 || status > 299)
    throw problem('remote-failed', { host: new URL(url).host, why: `it answered ${status}` })
}

/** Frames by counting octets (RFC 6587, 3.4.1), so that a line break inside is none between. */
async function sendStream(
  host: string,
  port: number,
  isTls: boolean,
  lines: readonly SinkLine[],
): Promise<void> {
  const socket = isTls ? connectTls(host, port) : connectTcp({ host, port })
  const frames = lines.map(line => Buffer.from(formatSyslog(line)))
  const bytes = Buffer.concat(frames.flatMap(frame => [Buffer.from(`${frame.length} `), frame]))
  try {
    await delivered(socket, isTls ? 'secureConnect' : 'connect', bytes)
  } finally {
    socket.destroy()
  }
}

function connectTls(host: string, port: number): Socket {
  // Loaded when it is needed: TLS costs 25 ms of a start.
  // A number is no name to ask for (RFC 6066, section 3); the certificate is compared with it all the same.
  const name = isIP(host) === 0 ? { servername: host } : {}
  return process.getBuiltinModule('node:tls').connect({ host, port, ...name })
}

/** Syslog has no answer: what the peer's end took counts as delivered. */
function delivered(socket: Socket, ready: 'connect' | 'secureConnect', bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(deadlineMs, () => reject(new Error('the collector does not answer')))
    socket.once('error', reject)
    socket.once('close', () => resolve())
    socket.resume()
    socket.once(ready, () => socket.end(bytes))
  })
}

async function sendUdp(host: string, port: number, lines: readonly SinkLine[]): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  try {
    for (const line of lines) {
      const whole = Buffer.from(formatSyslog(line))
      const bytes =
        whole.length > maxDatagramBytes ? Buffer.from(formatSyslog({ ...line, json: line.short })) : whole
      await new Promise<void>((resolve, reject) =>
        socket.send(bytes, port, host, error => (error === null ? resolve() : reject(error))),
      )
    }
  } finally {
    socket.close()
  }
}

/** `<PRI>1 TIME HOST APP PROCID MSGID SD MSG`, the event as JSON. */
export function formatSyslog({ time, type, isWarning, json }: SinkLine): string {
  const priority = facility * 8 + (isWarning ? severities.warning : severities.notice)
  return `<${priority}>1 ${time} ${hostname().slice(0, 255) || '-'} holdfast ${process.pid} ${type} - ${json}`
}
