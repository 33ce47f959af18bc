// SPDX-License-Identifier: Apache-2.0
import type { Release } from '../corpus.ts'
import type { Running } from '../process.ts'

/** Who is measured, in the order in which every round visits them. */
export const peerNames = ['holdfast', 'verdaccio', 'nginx', 'bare'] as const

export type PeerName = (typeof peerNames)[number]

/** One running server, and where it keeps what. */
export type Peer = {
  readonly name: PeerName
  readonly running: Running
  /** The registry's address without a slash at its end. */
  readonly registry: string
  /** What goes into `Authorization: Bearer`, where the peer can be published to. */
  readonly token: string | undefined
  readonly readyMs: number
  packumentUrl(name: string): string
  tarballUrl(name: string, version: string): string
}

/** What a peer holds when it starts. */
export type Stock = ReadonlyMap<string, readonly Release[]>

/** Groups releases by package, each list in the order given. */
export function stockOf(releases: readonly Release[]): Stock {
  const stock = new Map<string, Release[]>()
  for (const release of releases) {
    const list = stock.get(release.name)
    if (list) list.push(release)
    else stock.set(release.name, [release])
  }
  return stock
}
