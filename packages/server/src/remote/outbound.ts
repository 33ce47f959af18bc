// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http'
import { problem } from '@holdfast/core'
import type { Outbound, OutboundAnswer, OutboundRequest, OutboundStream } from '../ports.ts'
import { explain, openWire, type Resolve, type Wire } from './wire.ts'

const defaults = { deadlineMs: 10_000, maxBytes: 64 * 1024 }

/** Opens the way out; `allowPrivateHosts` are the private hosts and networks that it may reach. */
export function openOutbound(allowPrivateHosts: readonly string[], resolve?: Resolve): Outbound {
  const wire = openWire({ allowPrivateHosts, ...(resolve === undefined ? {} : { resolve }) })
  return { ask: request => ask(wire, request), open: request => open(wire, request) }
}

async function ask(wire: Wire, request: OutboundRequest): Promise<OutboundAnswer> {
  const signal = AbortSignal.timeout(request.deadlineMs ?? defaults.deadlineMs)
  const answer = await wire.send(request, signal)
  const { host } = new URL(request.url)
  try {
    const bytes = await readUpTo(answer, request.maxBytes ?? defaults.maxBytes, host)
    return { status: answer.statusCode ?? 0, headers: headersOf(answer), bytes }
  } catch (error) {
    throw explain(error, host, signal)
  }
}

async function open(wire: Wire, request: OutboundRequest): Promise<OutboundStream> {
  const signal = AbortSignal.timeout(request.deadlineMs ?? defaults.deadlineMs)
  const answer = await wire.send(request, signal)
  const { host } = new URL(request.url)
  return { status: answer.statusCode ?? 0, pieces: explained(answer, request, host, signal) }
}

async function* explained(
  answer: IncomingMessage,
  { maxBytes }: OutboundRequest,
  host: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* counted(answer, maxBytes ?? defaults.maxBytes, host)
  } catch (error) {
    throw explain(error, host, signal)
  }
}

async function readUpTo(answer: IncomingMessage, limit: number, host: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of counted(answer, limit, host)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Counted while reading: what is announced may be a lie, and a small answer may be endless. */
async function* counted(answer: IncomingMessage, limit: number, host: string): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    // Leaving the loop destroys the connection.
    if (size > limit) throw problem('remote-failed', { host, why: `it answers more than ${limit} bytes` })
    yield chunk
  }
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
