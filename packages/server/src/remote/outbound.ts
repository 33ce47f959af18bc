// SPDX-License-Identifier: Apache-2.0
/**
 * The one way out: every request that this instance makes goes through here. Whose address it is given may be hostile
 * (webhooks, issuers, domains of mail addresses), and so may be what answers.
 */
import { lookup as lookUp } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import { isIP, type LookupFunction } from 'node:net'
import { type Problem, problem } from '@holdfast/core'
import type { Outbound, OutboundAnswer, OutboundRequest } from '../ports.ts'
import { type AddressRule, addressRule } from './address-rule.ts'

/** Resolves a name to all its addresses. */
export type Resolve = (host: string) => Promise<readonly { address: string; family: number }[]>

const defaults = { deadlineMs: 10_000, maxBytes: 64 * 1024, redirects: 0 }
/** What still goes along when a redirect leads to another host: nothing that could be a credential. */
const harmless = ['accept', 'user-agent']

/** Opens the way out; `allowPrivateHosts` are the private hosts and networks that it may reach. */
export function openOutbound(
  allowPrivateHosts: readonly string[],
  resolve: Resolve = host => lookUp(host, { all: true }),
): Outbound {
  const rule = addressRule(allowPrivateHosts)
  return { ask: request => ask(rule, resolve, request) }
}

async function ask(rule: AddressRule, resolve: Resolve, wanted: OutboundRequest): Promise<OutboundAnswer> {
  const signal = AbortSignal.timeout(wanted.deadlineMs ?? defaults.deadlineMs)
  let request = wanted
  for (let left = wanted.redirects ?? defaults.redirects; ; left--) {
    const answer = await askOnce(rule, resolve, request, signal)
    const next = left > 0 ? redirectOf(request, answer) : undefined
    if (next === undefined) return answer
    request = next
  }
}

/** The next request of a redirect, or undefined where the answer is one to keep. Only reading follows. */
function redirectOf(request: OutboundRequest, answer: OutboundAnswer): OutboundRequest | undefined {
  const { location } = answer.headers
  if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return undefined
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

async function askOnce(
  rule: AddressRule,
  resolve: Resolve,
  request: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  const url = parseAddress(request.url)
  try {
    // Resolved once, and connected to what was checked: a name that changes between (DNS rebinding) gains nothing.
    const addresses = await Promise.race([resolveHost(resolve, url), whenAborted(signal)])
    checkAddresses(rule, url, addresses)
    const incoming = await open(url, request, addresses, signal)
    const bytes = await readUpTo(incoming, request.maxBytes ?? defaults.maxBytes, url)
    return { status: incoming.statusCode ?? 0, headers: headersOf(incoming), bytes }
  } catch (error) {
    throw explain(error, url, signal)
  }
}

function parseAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '')
    return url
  throw problem('remote-failed', { host: url?.host ?? text, why: 'this is not an http or https address' })
}

type Addresses = Awaited<ReturnType<Resolve>>

async function resolveHost(resolve: Resolve, url: URL): Promise<Addresses> {
  const host = hostOf(url)
  const family = isIP(host)
  return family === 0 ? resolve(host) : [{ address: host, family }]
}

/** One private address among the answers is enough to refuse: which of them is used is not ours to choose. */
function checkAddresses(rule: AddressRule, url: URL, addresses: Addresses): void {
  const host = hostOf(url)
  const named = addresses.every(({ address }) => rule.isNamed(host, address))
  if (!named && addresses.some(({ address }) => rule.isPrivate(address) && !rule.isNamed(host, address)))
    throw problem('remote-private', { host })
  // In clear text anybody on the way could answer: only where the operator says so.
  if (url.protocol === 'http:' && !named)
    throw problem('remote-failed', { host: url.host, why: 'its address is http and not https' })
  if (addresses.length === 0) throw problem('remote-failed', { host: url.host, why: 'it has no address' })
}

function open(
  url: URL,
  request: OutboundRequest,
  addresses: Addresses,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  // Loaded when something goes out: TLS costs 25 ms of a start; for http see http/server.ts.
  const { request: send } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http')
  const lookup: LookupFunction = (_host, options, done) =>
    options.all
      ? done(null, [...addresses])
      : done(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 4)
  return new Promise((resolve, reject) => {
    const outgoing = send(url, {
      method: request.method ?? 'GET',
      headers: { 'user-agent': 'holdfast', 'accept-encoding': 'identity', ...request.headers },
      lookup,
      // A connection of its own: one kept alive was checked for another request.
      agent: false,
      signal,
      maxHeaderSize: 16 * 1024,
    })
    outgoing.once('response', resolve).once('error', reject).end(request.body)
  })
}

/** Counted while reading: what is announced may be a lie, and a small answer may be endless. */
async function readUpTo(incoming: IncomingMessage, limit: number, url: URL): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    // Leaving the loop destroys the connection.
    if (size > limit)
      throw problem('remote-failed', { host: url.host, why: `it answers more than ${limit} bytes` })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** Whatever the network says, as one expected problem. */
function explain(error: unknown, url: URL, signal: AbortSignal): Problem | unknown {
  if (signal.aborted) return problem('remote-failed', { host: url.host, why: 'it took too long' })
  if (!(error instanceof Error) || !('code' in error) || error.name === 'Problem') return error
  return problem('remote-failed', { host: url.host, why: String(error.code) })
}
