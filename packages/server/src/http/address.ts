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
    const hops = forwarded.split(',').map(hop => addressOf(hop.trim()))
    let seen = peer
    for (const hop of hops.toReversed()) {
      // What is no address vouches for nothing: left of it a client may have written what it likes.
      if (hop === undefined) return seen
      if (!isTrusted(hop)) return hop
      seen = hop
    }
    return seen
  }
}

/** `192.0.2.7`, also as `192.0.2.7:4711`, `[2001:db8::7]:4711` and `::ffff:192.0.2.7`, as some proxies write it. */
function addressOf(hop: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop
  return isIP(bare) === 0 ? undefined : oneSpelling(bare)
}

function peerOf(request: IncomingMessage): string {
  return oneSpelling(request.socket.remoteAddress ?? '')
}

/** One address has one spelling: as IPv6, or with a zone (`fe80::1%eth0`), it would have counters of its own. */
function oneSpelling(address: string): string {
  const [bare = ''] = address.split('%', 1)
  return /^::ffff:([\d.]+)$/i.exec(bare)?.[1] ?? bare
}
