// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isPackageName } from '@holdfast/core'
import { noteDownload } from '../../flow/index.ts'
import { type HotAnswer, type HotPath, type Identify, sendBytes } from '../../http/index.ts'
import { actorId, mayReadPublic, nobody } from '../../identity/index.ts'
import type { Encoding, Ports, ReadyDocument } from '../../ports.ts'
import { splitPath } from './router.ts'
import type { KnownTarball, Tarballs } from './tarballs.ts'

const maxKnownUrls = 50_000
const corgiType = 'application/vnd.npm.install-v1+json'

/**
 * Packuments and tarballs that are ready in memory and public: no route table, no promise, no allocation that can be
 * had without. Everything else goes the long way, which knows more.
 */
export function openHotPath(
  ports: Ports,
  identify: Identify,
  tarballs: Tarballs,
  addressOf: (request: IncomingMessage) => string,
): HotPath {
  const names = new Map<string, string>()
  return (request, response) => {
    const { url, method } = request
    if (url === undefined || method !== 'GET' || !url.startsWith('/npm/')) return undefined
    const who = identify.peek(request.headers.authorization)
    if (who === undefined) return undefined
    const actor = who === 'nobody' ? nobody : who
    if (!mayReadPublic(ports.config, actor)) return undefined
    if (url.includes('/-/')) return hotTarball(request, response, url, actor)
    const name = names.get(url) ?? remember(names, url)
    if (name === undefined) return undefined
    const accept = request.headers.accept
    const document = ports.documents.peek(name, accept?.includes(corgiType) ? 'corgi' : 'full')
    return document?.access === 'public'
      ? sendDocument(document, request, response, actorId(actor))
      : undefined
  }

  function hotTarball(
    request: IncomingMessage,
    response: ServerResponse,
    url: string,
    actor: Identified,
  ): HotAnswer | Promise<HotAnswer | undefined> | undefined {
    const known = request.headers.range === undefined ? tarballs.peek(url) : undefined
    if (known === undefined) return undefined
    const { name, version } = known.grant
    noteDownload(ports, actor, name, version, addressOf(request), request.headers['user-agent'] ?? '')
    if (isUnchanged(request.headers['if-none-match'], known.etag)) {
      response.writeHead(304, known.unchanged as string[])
      response.end()
      return { route: 'tarball', status: 304, bytes: 0, actor: actorId(actor) }
    }
    if (known.body === undefined) return fromDisk(response, known, actorId(actor))
    response.writeHead(200, known.headers as string[])
    response.end(known.body)
    return { route: 'tarball', status: 200, bytes: known.body.length, actor: actorId(actor) }
  }

  async function fromDisk(
    response: ServerResponse,
    known: KnownTarball,
    actor: string,
  ): Promise<HotAnswer | undefined> {
    const lent = await tarballs.borrow(known)
    if (lent === undefined) return undefined
    try {
      response.writeHead(200, known.headers as string[])
      const bytes = await sendBytes(response, lent.reader, 0, known.grant.sizeBytes)
      return { route: 'tarball', status: 200, bytes, actor }
    } finally {
      lent.done()
    }
  }
}

type Identified = Exclude<ReturnType<Identify['peek']>, 'nobody' | undefined> | typeof nobody

/** Sends a ready document, or 304 when the client has it; undefined where it first has to be inflated for this client. */
function sendDocument(
  document: ReadyDocument,
  request: IncomingMessage,
  response: ServerResponse,
  actor: string,
): HotAnswer | undefined {
  if (isUnchanged(request.headers['if-none-match'], document.etag)) {
    response.writeHead(304, document.unchanged as string[])
    response.end()
    return { route: 'packument', status: 304, bytes: 0, actor }
  }
  const variant = document.variants[chooseEncoding(request.headers['accept-encoding'], document.variants)]
  if (variant === undefined) return undefined
  const { headers, body } = variant
  response.writeHead(200, headers as string[])
  response.end(body)
  return { route: 'packument', status: 200, bytes: body.length, actor }
}

/** `If-None-Match` against one ETag, by the weak comparison of RFC 9110. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return (
    ifNoneMatch === etag ||
    ifNoneMatch === '*' ||
    ifNoneMatch.split(',').some(each => weak(each) === weak(etag))
  )
}

function weak(etag: string): string {
  return etag.trim().replace(/^W\//, '')
}

/**
 * The smallest encoding that there is and the client takes. `bun pm whoami` sends the malformed `gzip/deflate`, so words are
 * looked for.
 */
export function chooseEncoding(accepted: string | undefined, variants: ReadyDocument['variants']): Encoding {
  if (accepted === undefined) return 'identity'
  const refused = accepted.includes('q=0')
    ? accepted
        .split(',')
        .filter(each => /;\s*q=0(\.0*)?\s*$/.test(each))
        .join()
    : ''
  for (const encoding of ['zstd', 'br', 'gzip'] as const) {
    const isTaken = accepted.includes(encoding) && !refused.includes(encoding)
    if (isTaken && variants[encoding] !== undefined) return encoding
  }
  return 'identity'
}

/** The package a raw URL names, once and for all; only plain packument addresses are remembered. */
function remember(names: Map<string, string>, url: string): string | undefined {
  const segments = url.includes('?') ? [] : splitQuietly(url.slice('/npm/'.length))
  const name = segments.length === 2 && segments[0]?.startsWith('@') ? segments.join('/') : segments[0]
  if (
    segments.length === 0 ||
    segments.length > 2 ||
    (segments.length === 2 && name === segments[0]) ||
    !isPackageName(name)
  ) {
    return undefined
  }
  if (names.size >= maxKnownUrls) names.clear()
  names.set(url, name)
  return name
}

function splitQuietly(path: string): string[] {
  try {
    return splitPath(path)
  } catch {
    return []
  }
}
