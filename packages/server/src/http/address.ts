// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { networkList } from '../identity/index.ts'

/** Tells a request's real address: the peer's, or what trusted proxies say of it. */
export function addressReader(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  if (trustedProxies.length === 0) return request => peerOf(request)
  const isTrusted = networkList(trustedProxies)
  return request => {
    const peer = peerOf(request)
    const forwarded = request.headers['x-forwarded-for']
    if (typeof forwarded !== 'string' || !isTrusted(peer)) return peer
    // From the right: each hop that we trust vouches for the one before it; what a client wrote itself stands left of that.
    const hops = forwarded
      .split(',')
      .map(hop => hop.trim())
      .filter(hop => isIP(hop) !== 0)
    return hops.findLast(hop => !isTrusted(hop)) ?? hops[0] ?? peer
  }
}

function peerOf(request: IncomingMessage): string {
  const address = request.socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
