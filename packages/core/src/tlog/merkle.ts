// SPDX-License-Identifier: Apache-2.0
/**
 * RFC 6962 hashing and its two proofs. Sizes and indexes go to 2^53−1, so nothing here may use a 32-bit operator.
 */
import { areEqualBytes, concatBytes } from './bytes.ts'
import type { LogCrypto } from './log-crypto.ts'

/** The length of every hash, in bytes. */
export const hashLength = 32

// No tree of a size that is a safe integer has a longer proof.
const maxPathLength = 63

const leafPrefix = Uint8Array.of(0)
const nodePrefix = 1

/** The root of the tree without leaves: SHA-256 of nothing. */
export const emptyRoot: Uint8Array = Uint8Array.of(
  ...[0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24],
  ...[0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55],
)

/** The hash that stands for an entry in the tree. */
export async function hashLeaf(crypto: LogCrypto, entry: Uint8Array): Promise<Uint8Array> {
  return crypto.sha256(concatBytes(leafPrefix, entry))
}

/** The hash of the node above two others. */
export async function hashNode(crypto: LogCrypto, left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  // One run of bytes, made by hand: a proof hashes little else.
  const bytes = new Uint8Array(1 + 2 * hashLength)
  bytes[0] = nodePrefix
  bytes.set(left, 1)
  bytes.set(right, 1 + hashLength)
  return crypto.sha256(bytes)
}

/** A run of hashes, and behind it those of all its whole pairs, then of all its whole fours, and so on. */
export async function foldRun(crypto: LogCrypto, run: Uint8Array): Promise<Uint8Array> {
  const folded: Uint8Array[] = []
  const bytes = new Uint8Array(1 + 2 * hashLength)
  bytes[0] = nodePrefix
  for (let below = run; below.length >= hashLength; ) {
    folded.push(below)
    const above = new Uint8Array(Math.floor(below.length / (2 * hashLength)) * hashLength)
    for (let at = 0; at < above.length; at += hashLength) {
      bytes.set(below.subarray(2 * at, 2 * at + 2 * hashLength), 1)
      const hash = crypto.sha256(bytes)
      above.set(hash instanceof Uint8Array ? hash : await hash, at)
    }
    below = above
  }
  return concatBytes(...folded)
}

/** Whether a number can be the size of a tree, or an index in one. */
export function isTreeSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0
}

export interface InclusionClaim {
  /** The leaf hash. */
  readonly leaf: Uint8Array
  readonly index: number
  readonly size: number
  readonly path: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** Whether the tree of this size and root has this leaf at this index. */
export async function verifyInclusion(crypto: LogCrypto, claim: InclusionClaim): Promise<boolean> {
  const { leaf, index, size, path, root } = claim
  if (!isTreeSize(size) || !isTreeSize(index) || index >= size) return false
  if (path.length > maxPathLength || !areHashes([leaf, root, ...path])) return false
  let place = { node: index, last: size - 1 }
  let hash = leaf
  for (const sibling of path) {
    if (place.last === 0) return false
    if (isRightChild(place)) {
      hash = await hashNode(crypto, sibling, hash)
      place = toRightChild(place)
    } else {
      hash = await hashNode(crypto, hash, sibling)
    }
    place = parentOf(place)
  }
  return place.last === 0 && areEqualBytes(hash, root)
}

export interface ConsistencyClaim {
  readonly fromSize: number
  readonly fromRoot: Uint8Array
  readonly toSize: number
  readonly toRoot: Uint8Array
  readonly path: readonly Uint8Array[]
}

/** Whether the later tree begins with all leaves of the earlier one, in their order. */
export async function verifyConsistency(crypto: LogCrypto, claim: ConsistencyClaim): Promise<boolean> {
  const { fromSize, fromRoot, toSize, toRoot, path } = claim
  if (!isTreeSize(fromSize) || !isTreeSize(toSize) || fromSize > toSize) return false
  if (path.length > maxPathLength || !areHashes([fromRoot, toRoot, ...path])) return false
  if (fromSize === toSize) return path.length === 0 && areEqualBytes(fromRoot, toRoot)
  if (fromSize === 0) return path.length === 0 && areEqualBytes(fromRoot, emptyRoot)
  return climbBoth(crypto, claim)
}

async function climbBoth(
  crypto: LogCrypto,
  { fromSize, fromRoot, toSize, toRoot, path }: ConsistencyClaim,
): Promise<boolean> {
  // A whole subtree is its own root, so the proof leaves it out.
  const [first, ...rest] = isPowerOfTwo(fromSize) ? [fromRoot, ...path] : path
  if (first === undefined) return false
  let place = { node: fromSize - 1, last: toSize - 1 }
  while (isOdd(place.node)) place = parentOf(place)
  let from = first
  let to = first
  for (const sibling of rest) {
    if (place.last === 0) return false
    if (isRightChild(place)) {
      from = await hashNode(crypto, sibling, from)
      to = await hashNode(crypto, sibling, to)
      place = toRightChild(place)
    } else {
      to = await hashNode(crypto, to, sibling)
    }
    place = parentOf(place)
  }
  return place.last === 0 && areEqualBytes(from, fromRoot) && areEqualBytes(to, toRoot)
}

/** A node of one level of the tree by its number, and the last node of that level. */
interface Place {
  readonly node: number
  readonly last: number
}

// The last node of a level without a sibling hangs on the right of something further up.
function isRightChild({ node, last }: Place): boolean {
  return isOdd(node) || node === last
}

function toRightChild(place: Place): Place {
  let at = place
  while (!isOdd(at.node) && at.node !== 0) at = parentOf(at)
  return at
}

function parentOf({ node, last }: Place): Place {
  return { node: Math.floor(node / 2), last: Math.floor(last / 2) }
}

function isOdd(number: number): boolean {
  return number % 2 === 1
}

function isPowerOfTwo(number: number): boolean {
  return number === largestPowerWithin(number)
}

/** The largest power of two that is not above the number, which is at least 1. */
export function largestPowerWithin(number: number): number {
  let power = 1
  while (power * 2 <= number) power *= 2
  return power
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every(hash => hash.length === hashLength)
}
