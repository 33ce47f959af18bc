// SPDX-License-Identifier: Apache-2.0
/** The body of a request: read as it flows, and got rid of when nobody wants the rest. */
import type { IncomingMessage } from 'node:http'
import { createGunzip, type Gunzip } from 'node:zlib'
import { isProblem, problem } from '@holdfast/core'

const maxUnwantedBytes = 512 * 1024 * 1024

/**
 * The body, inflated (npm's audit sends gzip), cut off where it passes the limit so that a bomb costs nothing. Whoever
 * stops in the middle leaves the connection as it is, so that the refusal still arrives. Throws `body-too-large`,
 * `invalid-body`.
 */
export async function* readBody(request: IncomingMessage, maxBytes: number): AsyncGenerator<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes)
    throw problem('body-too-large', { limit: maxBytes })
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw problem('invalid-body', { why: 'it is neither plain nor gzip' })
  const gunzip = encoding === 'gzip' ? inflate(request) : undefined
  let total = 0
  try {
    // Left by an error, a plain iterator would destroy the stream, and the connection with it.
    for await (const piece of (gunzip ?? request).iterator({ destroyOnReturn: false })) {
      total += piece.length
      if (total > maxBytes) throw problem('body-too-large', { limit: maxBytes })
      yield piece
    }
  } catch (error) {
    if (isProblem(error)) throw error
    throw problem('invalid-body', { why: 'it broke off, or is not the gzip it claims to be' })
  } finally {
    if (gunzip !== undefined) request.unpipe(gunzip)
    gunzip?.destroy()
  }
}

function inflate(request: IncomingMessage): Gunzip {
  const gunzip = createGunzip()
  request.pipe(gunzip)
  // A request that breaks off must end the inflating too: a pipe alone would wait for ever.
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(new Error('the request broke off'))
  })
  return gunzip
}

/**
 * Reads what is left of a body that was refused: npm looks at a refusal only after it has sent all. Resolves with false
 * when the rest is beyond reason; then the connection is to be closed behind the answer.
 */
export async function discardRest(request: IncomingMessage): Promise<boolean> {
  if (request.readableEnded || request.destroyed || request.method === 'GET' || request.method === 'HEAD')
    return true
  let rest = 0
  return new Promise<boolean>(resolve => {
    request.on('data', (piece: Buffer) => {
      rest += piece.length
      if (rest <= maxUnwantedBytes) return
      request.pause()
      resolve(false)
    })
    request.once('end', () => resolve(true))
    request.once('close', () => resolve(true))
    request.resume()
  })
}
