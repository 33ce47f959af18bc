// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Probe, Settings } from '../src/assess/probe.ts'
import type { ProbedInstance } from './instance.ts'

/** What was asked of the twin. */
export interface Asked {
  /** The real instance behind this twin. */
  readonly target: string
  readonly method: string
  /** As on the wire: `%2f` stays. */
  readonly path: string
  readonly accept: string
  readonly authorization: string
  readonly body: Buffer
}

/** An answer on its way through the twin. */
export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: Buffer
}

/** Breaks one property: gets what the real instance answered, and returns what the twin answers. */
export type Tamper = (asked: Asked, answer: Answer) => Answer | Promise<Answer>

/** An instance that is like the real one in all but what `tamper` changes. */
export async function startTwin(target: string, tamper: Tamper): Promise<{ url: string; close(): void }> {
  const server = createServer((asked, reply) => {
    forward(target, asked, reply, tamper).catch(error => reply.destroy(error))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => server.close().closeAllConnections() }
}

/** Runs a probe where each instance that it starts breaks one property, and wants to see it fail for that. */
export async function assertCaughtStarting(
  probe: Probe,
  real: ProbedInstance,
  why: RegExp,
  tamper: Tamper,
): Promise<void> {
  const started: { close(): unknown }[] = []
  const startOther = async (settings: Settings) => {
    const other = await real.startOther(settings)
    const twin = await startTwin(other.url, tamper)
    started.push(twin, { close: other.stop })
    return { ...other, url: twin.url }
  }
  try {
    await assert.rejects(probe.run({ ...real, startOther }), why)
  } finally {
    for (const each of started) await each.close()
  }
}

async function forward(target: string, asked: IncomingMessage, reply: ServerResponse, tamper: Tamper) {
  const { method = '', url: path = '', headers } = asked
  const { hostname, port } = new URL(target)
  // Uncompressed, so that what is remembered can be given to anybody.
  const { 'accept-encoding': _, ...rest } = headers
  const onward = request({ hostname, port, method, path, headers: rest })
  const sent = await buffer(asked)
  onward.end(sent)
  const [real]: IncomingMessage[] = await once(onward, 'response')
  if (real === undefined) return
  const { location } = real.headers
  const answer = {
    status: real.statusCode ?? 0,
    type: real.headers['content-type'] ?? '',
    body: await buffer(real),
  }
  const { accept = '', authorization = '' } = headers
  const { status, body, type } = await tamper(
    { target, method, path, accept, authorization, body: sent },
    answer,
  )
  const cookie = real.headers['set-cookie']
  const onlyWhenThere = { ...(location && { location }), ...(cookie && { 'set-cookie': cookie }) }
  reply.writeHead(status, { 'content-type': type, 'content-length': body.length, ...onlyWhenThere }).end(body)
}

/** A twin's answer that something was done, whatever the real instance said. */
export const accepted: Answer = { status: 201, type: 'application/json', body: Buffer.from('{"ok":true}') }
