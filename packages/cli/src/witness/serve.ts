// SPDX-License-Identifier: Apache-2.0
/** A witness over HTTP: `POST /add-checkpoint`, `GET /<hex SHA-256 of the origin>/checkpoint`, `GET /-/health/live`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatSignature, type VerifierKey } from '@holdfast/core'
import type { Cosigner } from './cosigner.ts'
import { compare, readSubmission, type Submission, withCosignature } from './judge.ts'
import { hashOrigin, type Memory } from './memory.ts'

/** A note of 64 KiB, 63 hashes of 45 bytes, and the first line. */
const maxBodyBytes = 68 * 1024
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  maxHeaderSize: 8 * 1024,
  keepAliveTimeout: 5_000,
}
const maxConnections = 256

/** What a witness runs on. */
export interface Witness {
  readonly cosigner: Cosigner
  readonly memory: Memory
  /** Keys of the logs that it cosigns, named by their origins. */
  readonly logKeys: readonly VerifierKey[]
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly type?: string
}

/** A witness that answers. */
export interface RunningWitness {
  readonly url: string
  /** Takes no more, finishes what runs. */
  stop(): Promise<void>
}

/** Binds, and answers. Rejects when the address is taken. */
export async function startWitness(witness: Witness, host: string, port: number): Promise<RunningWitness> {
  const server = createServer(limits, (request, response) => void handle(witness, request, response))
  server.maxConnections = maxConnections
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const bound = (server.address() as AddressInfo).port
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    stop: () => stop(server),
  }
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeIdleConnections()
  await closed
}

async function handle(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    send(request, response, await answerTo(witness, request))
  } catch (error) {
    if (request.destroyed && !request.complete) return
    process.stderr.write(
      `${new Date(witness.clock()).toISOString()} ${error instanceof Error ? error.stack : error}\n`,
    )
    send(request, response, { status: 500, body: 'the witness is in trouble\n' })
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, body, type }: Answer): void {
  const headers = { 'content-type': type ?? 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
  // What was not read to its end would be taken for the next request.
  response.shouldKeepAlive &&= request.complete
  response.writeHead(status, headers).end(body)
}

async function answerTo(witness: Witness, request: IncomingMessage): Promise<Answer> {
  const path = request.url ?? ''
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  if (path === '/add-checkpoint' && request.method === 'POST') {
    const body = await readBody(request)
    if (body === undefined) return { status: 413, body: `more than ${maxBodyBytes} bytes\n` }
    return addCheckpoint(witness, body)
  }
  if (path === '/-/health/live' && isReading) return { status: 200, body: 'ok\n' }
  const [, originHash] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path) ?? []
  const held = originHash === undefined || !isReading ? undefined : await witness.memory.find(originHash)
  return held === undefined ? { status: 404, body: 'not here\n' } : { status: 200, body: held.note }
}

/** The whole of section "add-checkpoint": refusals first, then one step that only one of many at once gets through. */
async function addCheckpoint(witness: Witness, body: string): Promise<Answer> {
  const submission = await readSubmission(witness.logKeys, body)
  if (submission.kind === 'refused') return { status: submission.status, body: `${submission.say}\n` }
  for (;;) {
    const answer = await cosignOnce(witness, submission)
    if (answer !== undefined) return answer
  }
}

/** Undefined where another request was faster, and so everything is to be looked at again. */
async function cosignOnce(witness: Witness, submission: Submission): Promise<Answer | undefined> {
  const { cosigner, memory, clock } = witness
  const originHash = hashOrigin(submission.checkpoint.origin)
  const held = await memory.find(originHash)
  const verdict = await compare(submission, held?.note)
  if (verdict.kind === 'refused') return { status: verdict.status, body: `${verdict.say}\n` }
  if (verdict.kind === 'conflict') return { status: 409, body: `${verdict.size}\n`, type: 'text/x.tlog.size' }
  const cosignature = cosigner.cosign(submission.note.text, Math.floor(clock() / 1000))
  const isKept = await memory.replace(originHash, held, withCosignature(submission, cosignature))
  // A crash here: the log asks again, is told the size by a 409, and gets the cosignature for it.
  return isKept ? { status: 200, body: formatSignature(cosignature) } : undefined
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
