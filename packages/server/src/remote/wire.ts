// SPDX-License-Identifier: Apache-2.0
/** Requests on the wire: addresses checked at each connect, redirects within the rules, answers as they flow. */
import { lookup as lookUp } from 'node:dns/promises'
import type { AgentOptions, Agent as HttpAgent, IncomingMessage } from 'node:http'
import { isIP, type LookupFunction } from 'node:net'
import { isProblem, type Problem, problem } from '@holdfast/core'
import type { OutboundRequest } from '../ports.ts'
import { type AddressRule, addressRule } from './address-rule.ts'

/** Resolves a name to all its addresses. */
export type Resolve = (host: string) => Promise<readonly { address: string; family: number }[]>

const resolveByMachine: Resolve = host => lookUp(host, { all: true })

/** How a wire is laid. */
export interface WireOptions {
  readonly allowPrivateHosts: readonly string[]
  /** The machine's way when not given. */
  readonly resolve?: Resolve
  /** So many are kept for the next request. Without it each request has a connection of its own. */
  readonly keptConnections?: number
  /** An http proxy that everything goes through. It resolves names, so where they lead is for it to check. */
  readonly proxy?: string | undefined
  /** Certificates (PEM) that are believed beside those of the machine. */
  readonly ca?: string | undefined
}

/** A request without what only a reader of whole answers asks for. */
export type WireRequest = Omit<OutboundRequest, 'deadlineMs' | 'maxBytes'>

export interface Wire {
  /**
   * Sends, and gives the answer once its head is there; whoever gets it reads it to its end or destroys it. The signal ends
   * it at any time, also while it is read. Throws `remote-private` or `remote-failed`.
   */
  send(request: WireRequest, signal: AbortSignal): Promise<IncomingMessage>
  close(): void
}

/** What still goes along when a redirect leads to another host: nothing that could be a credential. */
const harmless = ['accept', 'accept-encoding', 'user-agent']

export function openWire(options: WireOptions): Wire {
  const line = new Line(options)
  return {
    async send(wanted, signal) {
      let request = wanted
      for (let left = wanted.redirects ?? 0; ; left--) {
        const answer = await sendOnce(line, request, signal)
        const next = left > 0 ? redirectOf(request, answer) : undefined
        if (next === undefined) return answer
        answer.destroy()
        request = next
      }
    },
    close: () => line.close(),
  }
}

/** The next request of a redirect, or undefined where the answer is one to keep. Only reading follows. */
function redirectOf(request: WireRequest, answer: IncomingMessage): WireRequest | undefined {
  const { location } = answer.headers
  if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || location === undefined) return undefined
  if ((request.method ?? 'GET') !== 'GET' || !URL.canParse(location, request.url)) return undefined
  const url = new URL(location, request.url)
  const from = new URL(request.url)
  // From https to http anybody on the way could answer.
  if (from.protocol === 'https:' && url.protocol !== 'https:') return undefined
  const headers = Object.entries(request.headers ?? {}).filter(
    ([name]) => url.host === from.host || harmless.includes(name.toLowerCase()),
  )
  return { ...request, url: url.href, headers: Object.fromEntries(headers) }
}

type Protocol = 'http:' | 'https:'

/** How connections are made: by the rules, and through the proxy where there is one. */
class Line {
  readonly #options: WireOptions
  readonly #rule: AddressRule
  readonly #agents = new Map<Protocol, HttpAgent>()

  constructor(options: WireOptions) {
    this.#options = options
    this.#rule = addressRule(options.allowPrivateHosts)
  }

  agent(protocol: Protocol): HttpAgent {
    const agent = this.#agents.get(protocol) ?? this.#makeAgent(protocol)
    this.#agents.set(protocol, agent)
    return agent
  }

  /** Throws where the address itself says that it must not be asked. */
  check(url: URL): void {
    const host = hostOf(url)
    const family = isIP(host)
    // A number is connected to without being looked up.
    if (family !== 0) checkAddresses(this.#rule, url.protocol, host, [{ address: host, family }])
    else if (this.#options.proxy !== undefined) checkScheme(url.protocol, host, this.#rule.isNamed(host, ''))
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy()
  }

  #makeAgent(protocol: Protocol): HttpAgent {
    const { resolve = resolveByMachine, keptConnections, proxy, ca } = this.#options
    const options: AgentOptions & { lookup: LookupFunction } = {
      // Asked at each connect, so a connection that is kept was checked, and one whose name now leads elsewhere is checked anew.
      lookup: proxy === undefined ? checkedLookup(this.#rule, resolve, protocol) : plainLookup(resolve),
      keepAlive: keptConnections !== undefined,
      ...(keptConnections === undefined ? {} : { maxFreeSockets: keptConnections }),
      ...(proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
    }
    // Loaded when something goes out: TLS costs 25 ms of a start; for http see http/server.ts.
    if (protocol === 'http:') return new (process.getBuiltinModule('node:http').Agent)(options)
    const believed =
      ca === undefined
        ? {}
        : { ca: [...process.getBuiltinModule('node:tls').getCACertificates('default'), ca] }
    return new (process.getBuiltinModule('node:https').Agent)({ ...options, ...believed })
  }
}

type Addresses = Awaited<ReturnType<Resolve>>

/** Resolved once, and connected to what was checked: a name that changes between (DNS rebinding) gains nothing. */
function checkedLookup(rule: AddressRule, resolve: Resolve, protocol: string): LookupFunction {
  return plainLookup(async host => {
    const addresses = await resolve(host)
    checkAddresses(rule, protocol, host, addresses)
    return addresses
  })
}

function plainLookup(resolve: Resolve): LookupFunction {
  return (host, { all }, done) => {
    resolve(host).then(
      addresses =>
        all ? done(null, [...addresses]) : done(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 4),
      error => done(error, '', 0),
    )
  }
}

/** One private address among the answers is enough to refuse: which of them is used is not ours to choose. */
function checkAddresses(rule: AddressRule, protocol: string, host: string, addresses: Addresses): void {
  const named = addresses.every(({ address }) => rule.isNamed(host, address))
  if (!named && addresses.some(({ address }) => rule.isPrivate(address) && !rule.isNamed(host, address)))
    throw problem('remote-private', { host })
  checkScheme(protocol, host, named)
  if (addresses.length === 0) throw problem('remote-failed', { host, why: 'it has no address' })
}

/** In clear text anybody on the way could answer: only where the operator says so. */
function checkScheme(protocol: string, host: string, isNamed: boolean): void {
  if (protocol === 'http:' && !isNamed)
    throw problem('remote-failed', { host, why: 'its address is http and not https' })
}

async function sendOnce(line: Line, request: WireRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const url = parseAddress(request.url)
  try {
    line.check(url)
    return await open(line, url, request, signal)
  } catch (error) {
    throw explain(error, url.host, signal)
  }
}

function parseAddress(text: string): URL & { protocol: Protocol } {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && isWeb(url) && url.username === '' && url.password === '') return url
  throw problem('remote-failed', { host: url?.host ?? text, why: 'this is not an http or https address' })
}

function isWeb(url: URL): url is URL & { protocol: Protocol } {
  return url.protocol === 'http:' || url.protocol === 'https:'
}

function open(
  line: Line,
  url: URL & { protocol: Protocol },
  request: WireRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { request: send } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http')
  return new Promise((resolve, reject) => {
    const outgoing = send(url, {
      method: request.method ?? 'GET',
      headers: { 'user-agent': 'holdfast', 'accept-encoding': 'identity', ...request.headers },
      agent: line.agent(url.protocol),
      signal,
      maxHeaderSize: 16 * 1024,
    })
    outgoing
      .once('response', resolve)
      .once('error', error => {
        // The other side may end a kept connection in the moment we use it: that says nothing of the request.
        const isStale = outgoing.reusedSocket && 'code' in error && error.code === 'ECONNRESET'
        if (isStale && request.body === undefined) open(line, url, request, signal).then(resolve, reject)
        else reject(error)
      })
      .end(request.body)
  })
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

/** Whatever the network says, as one expected problem. */
export function explain(error: unknown, host: string, signal?: AbortSignal): Problem | unknown {
  if (isProblem(error)) return error
  if (signal?.aborted)
    return isProblem(signal.reason)
      ? signal.reason
      : problem('remote-failed', { host, why: 'it took too long' })
  if (!(error instanceof Error) || !('code' in error)) return error
  return problem('remote-failed', { host, why: String(error.code) })
}
