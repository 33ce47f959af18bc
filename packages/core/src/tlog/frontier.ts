// SPDX-License-Identifier: Apache-2.0
import type { LogCrypto } from './log-crypto.ts'
import { emptyRoot, hashNode } from './merkle.ts'

/** All that is needed to let a tree grow: the roots of its complete subtrees, largest first. */
export interface Frontier {
  readonly size: number
  readonly hashes: readonly Uint8Array[]
}

/** The frontier of the tree without leaves. */
export const emptyFrontier: Frontier = { size: 0, hashes: [] }

/** The frontier after these leaf hashes came in, in this order. */
export async function extendFrontier(
  crypto: LogCrypto,
  frontier: Frontier,
  leafHashes: readonly Uint8Array[],
): Promise<Frontier> {
  const hashes = [...frontier.hashes]
  let { size } = frontier
  for (const leaf of leafHashes) {
    let hash = leaf
    // Each odd count ends in a complete subtree of the same height as the new one.
    for (let count = size; count % 2 === 1; count = Math.floor(count / 2)) {
      const left = hashes.pop()
      if (left === undefined) throw new RangeError(`a frontier of size ${frontier.size} has too few hashes`)
      hash = await hashNode(crypto, left, hash)
    }
    hashes.push(hash)
    size += 1
  }
  return { size, hashes }
}

/** The root of the tree that ends in this frontier. */
export async function rootOf(crypto: LogCrypto, { hashes }: Frontier): Promise<Uint8Array> {
  let root = hashes.at(-1)
  if (root === undefined) return emptyRoot
  for (const left of hashes.slice(0, -1).reverse()) root = await hashNode(crypto, left, root)
  return root
}
