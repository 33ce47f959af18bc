// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { Duplex } from 'node:stream'
import { isProblem, type Problem, problem } from '@holdfast/core'
import { type Actor, actorId, nobody } from '../identity/index.ts'
import { addressReader } from './address.ts'
import { discardRest, readBody } from './body.ts'
import type { Answer, Call } from './call.ts'
import type { Identify } from './identify.ts'
import { parseJson } from './json.ts'
import type { Metrics, RouteClass } from './metrics.ts'
import { type Log, loggedPath } from './request-log.ts'
import { sendBytes } from './send-bytes.ts'

// An import statement would bring fetch and WebSocket along: a tenth of a second of each start.
const { createServer } = process.getBuiltinModule('node:http')
const maxJsonBytes = 1024 * 1024

/** A protocol or a set of pages under one path prefix. */
export interface Mount {
  readonly prefix: string
  classOf(call: Call): RouteClass
  handle(call: Call): Promise<Answer>
  renderProblem(problem: Problem, call: Call): Answer
}

/** The short way for what is asked thousands of times a second; undefined, with nothing sent, means the long way. */
export type HotPath = (
  request: IncomingMessage,
  response: ServerResponse,
) => HotAnswer | Promise<HotAnswer | undefined> | undefined

export interface HotAnswer {
  readonly route: RouteClass
  readonly status: number
  readonly bytes: number
  readonly actor: string
}

/** The shell of every request: identity, limits, problems, log, metrics. */
export interface HttpServer {
  readonly port: number
  /** Puts the parts in place; until then every request is answered 503. */
  open(parts: HttpParts): void
  /** Stops accepting, lets running requests finish, cuts what is left after the deadline. */
  close(deadlineMs: number): Promise<void>
}

export interface HttpParts {
  readonly mounts: readonly Mount[]
  readonly hotPath: HotPath
  readonly identify: Identify
  readonly metrics: Metrics
  readonly trustedProxies: readonly string[]
}

/** How long a client may take, in milliseconds. */
export interface HttpLimits {
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number
  /** From the first byte of a request to the end of its body. */
  readonly requestMs: number
  /** Without a byte in either direction. */
  readonly silenceMs: number
  /** How often the first two are looked at. */
  readonly checkEveryMs: number
}

const defaultLimits: HttpLimits = {
  headersMs: 20_000,
  requestMs: 600_000,
  silenceMs: 120_000,
  checkEveryMs: 5_000,
}

/** Binds the socket. Rejects when the address is taken or not ours. */
export async function openHttp(
  host: string,
  port: number,
  log: Log,
  limits: HttpLimits = defaultLimits,
): Promise<HttpServer> {
  let parts: HttpParts | undefined
  let addressOf = addressReader([])
  const boot = Date.now().toString(36)
  let counter = 0
  const server = createServer({
    maxHeaderSize: 16 * 1024,
    requestTimeout: limits.requestMs,
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    keepAliveTimeout: 65_000,
  })
  // A peer that neither sends nor reads is cut off.
  server.setTimeout(limits.silenceMs)
  server.on('request', (request, response) => {
    if (parts === undefined) return starting(response)
    counter += 1
    const visit = {
      id: `${boot}-${counter}`,
      start: performance.now(),
      request,
      response,
      parts,
      log,
      addressOf,
    }
    const hot = parts.hotPath(request, response)
    if (hot === undefined) void answerRequest(visit)
    else if (hot instanceof Promise) void finishHot(visit, hot)
    else noteAnswer(visit, hot)
  })
  server.on('clientError', refuseUnreadable)
  await listen(server, host, port)
  return {
    port: (server.address() as AddressInfo).port,
    open(made) {
      addressOf = addressReader(made.trustedProxies)
      parts = made
    },
    close: deadlineMs => close(server, deadlineMs),
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** What is not HTTP, or takes too long to become a request; read by npm like any other refusal. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const [status, say] = unreadable[error.code ?? ''] ?? ['400 Bad Request', 'The request is not valid HTTP.']
  const body = JSON.stringify({ error: say })
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`
  // Without the end a peer that does not close would keep its connection.
  if (socket.writable) socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy())
  else socket.destroy()
}

const unreadable: Readonly<Record<string, readonly [status: string, say: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request took too long to arrive.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    '413 Payload Too Large',
    'The chunks of the body have too many extensions.',
  ],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers of the request are too large.'],
}

function close(server: Server, deadlineMs: number): Promise<void> {
  return new Promise(resolve => {
    const cut = setTimeout(() => server.closeAllConnections(), deadlineMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}

function starting(response: ServerResponse): void {
  response.writeHead(503, { 'retry-after': '1', 'content-type': 'application/json' })
  response.end('{"error":"Holdfast is starting. Try again in a second."}')
}

/** One request on its way through the shell. */
interface Visit {
  readonly id: string
  /** Milliseconds on the monotonic clock. */
  readonly start: number
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly parts: HttpParts
  readonly log: Log
  readonly addressOf: (request: IncomingMessage) => string
}

async function finishHot(visit: Visit, answering: Promise<HotAnswer | undefined>): Promise<void> {
  try {
    const hot = await answering
    if (hot === undefined) await answerRequest(visit)
    else noteAnswer(visit, hot)
  } catch (error) {
    failToSend(visit, error)
  }
}

/** The long way: identity, route, answer; whatever happens, it is counted and logged. */
async function answerRequest(visit: Visit): Promise<void> {
  const { id, request, response, parts, log } = visit
  const url = request.url ?? '/'
  const mount = parts.mounts.find(each => url.startsWith(each.prefix))
  let call: Call | undefined
  let bytes = 0
  try {
    const { actor, bad } = await identify(visit)
    call = openCall(id, request, actor, bad)
    bytes = await send(await answerCall(mount, call, log), request, response, id)
  } catch (error) {
    failToSend(visit, error)
  }
  const route = call !== undefined && mount !== undefined ? mount.classOf(call) : 'page'
  noteAnswer(visit, {
    route,
    status: response.statusCode,
    bytes,
    actor: call === undefined ? '' : actorId(call.actor),
  })
}

/** Who asks; when the store cannot tell, somebody whose credentials have that trouble. */
async function identify({ id, request, parts, log, addressOf }: Visit) {
  try {
    return await parts.identify.identify(request.headers, addressOf(request))
  } catch (error) {
    if (isProblem(error)) return { actor: nobody, bad: error }
    log.say('error', 'credentials could not be checked', { request: id, error: describe(error) })
    return { actor: nobody, bad: problem('internal', { request: id }) }
  }
}

function failToSend({ id, log, response }: Visit, error: unknown): void {
  log.say('error', 'the answer could not be sent', { request: id, error: describe(error) })
  response.destroy()
}

/** Counts and logs what was answered. */
function noteAnswer({ id, start, request, parts, log, addressOf }: Visit, hot: HotAnswer): void {
  const durationMs = performance.now() - start
  parts.metrics.observe(hot.route, hot.status, durationMs, hot.bytes)
  log.request({
    id,
    method: request.method ?? '',
    path: loggedPath(request.url ?? ''),
    status: hot.status,
    bytes: hot.bytes,
    durationMs,
    address: addressOf(request),
    actor: hot.actor,
    client: request.headers['user-agent'] ?? '',
  })
}

async function answerCall(mount: Mount | undefined, call: Call, log: Log): Promise<Answer> {
  if (mount === undefined)
    return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found\n' }
  try {
    return await mount.handle(call)
  } catch (error) {
    if (isProblem(error)) return mount.renderProblem(error, call)
    // Anything else is a bug: logged once, here, and nothing of it leaks.
    log.say('error', 'a request failed unexpectedly', { request: call.id, error: describe(error) })
    return mount.renderProblem(problem('internal', { request: call.id }), call)
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function openCall(
  id: string,
  request: IncomingMessage,
  actor: Actor,
  badCredentials: Problem | undefined,
): Call {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  const body = (maxBytes: number) => readBody(request, maxBytes)
  return {
    id,
    method: request.method ?? 'GET',
    url,
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers: request.headers,
    actor,
    badCredentials,
    body,
    async json(maxBytes = maxJsonBytes) {
      const pieces: Uint8Array[] = []
      for await (const piece of body(maxBytes)) pieces.push(piece)
      const bytes = Buffer.concat(pieces)
      return bytes.length === 0 ? undefined : parseJson(bytes)
    },
  }
}

/** Sends an answer; returns the bytes of its body. */
async function send(
  answer: Answer,
  request: IncomingMessage,
  response: ServerResponse,
  id: string,
): Promise<number> {
  const headers: Record<string, string> = { 'x-request-id': id, ...answer.headers }
  const { stream, flow } = answer
  if (flow !== undefined) return sendFlow(flow, answer.status, headers, request, response)
  if (stream !== undefined) return sendStream(stream, answer.status, headers, request, response)
  const body = answer.body === undefined ? Buffer.alloc(0) : Buffer.from(answer.body as string)
  if (answer.status !== 304 && answer.status !== 204) headers['content-length'] ??= String(body.length)
  const isWhole = await discardRest(request)
  if (!isWhole) headers['connection'] = 'close'
  if (answer.reason !== undefined) response.statusMessage = answer.reason
  response.writeHead(answer.status, headers)
  const bodiless = request.method === 'HEAD' || answer.status === 304 || answer.status === 204
  response.end(bodiless ? undefined : body, () => {
    if (!isWhole) request.destroy()
  })
  return bodiless ? 0 : body.length
}

/** Where the flow fails, the caller destroys the connection: a length that is not reached, or no last chunk, says it. */
async function sendFlow(
  flow: AsyncIterable<Uint8Array>,
  status: number,
  headers: Record<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<number> {
  let sent = 0
  response.writeHead(status, headers)
  if (request.method !== 'HEAD') {
    for await (const piece of flow) {
      if (response.destroyed) return sent
      sent += piece.length
      if (!response.write(piece)) await untilDrained(response)
    }
  }
  response.end()
  return sent
}

/** Until the peer has taken what was sent, or is gone. */
function untilDrained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const settle = () => {
      response.off('drain', settle).off('close', settle)
      resolve()
    }
    response.on('drain', settle).on('close', settle)
    if (response.destroyed) settle()
  })
}

async function sendStream(
  { reader, start, length }: NonNullable<Answer['stream']>,
  status: number,
  headers: Record<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<number> {
  try {
    response.writeHead(status, { ...headers, 'content-length': String(length) })
    if (request.method === 'HEAD') {
      response.end()
      return 0
    }
    return await sendBytes(response, reader, start, length)
  } finally {
    await reader.close()
  }
}
