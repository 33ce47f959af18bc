// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http'
import { problem } from '@holdfast/core'
import type { Outbound, OutboundAnswer, OutboundRequest } from '../ports.ts'
import { explain, openWire, type Resolve, type Wire } from './wire.ts'

const defaults = { deadlineMs: 10_000, maxBytes: 64 * 1024 }

/** Opens the way out; `allowPrivateHosts` are the private hosts and networks that it may reach. */
export function openOutbound(allowPrivateHosts: readonly string[], resolve?: Resolve): Outbound {
  const wire = openWire({ allowPrivateHosts, ...(resolve === undefined ? {} : { resolve }) })
  return { ask: request => ask(wire, request) }
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

/** Counted while reading: what is announced may be a lie, and a small answer may be endless. */
async function readUpTo(answer: IncomingMessage, limit: number, host: string): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    // Leaving the loop destroys the connection.
    if (size > limit) throw problem('remote-failed', { host, why: `it answers more than ${limit} bytes` })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
