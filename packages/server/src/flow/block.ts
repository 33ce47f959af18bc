// SPDX-License-Identifier: Apache-2.0
/** What people blocked is let in by nobody: bytes by their hash, packages by what stands in them. */
import { type Digest, type PackageName, problem, type Version } from '@holdfast/core'
import { checkNotFrozen, type Grant } from '../identity/index.ts'
import type { Block } from '../incident/index.ts'
import { defaultInspectLimits, findIndicator } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'

/** Each is looked for in everything that comes in. */
export const mostIndicators = 100

/** What was looked for in a package, and which of it stands there. */
export interface Looked {
  readonly blocks: readonly Block[]
  readonly hit: Block | undefined
}

/** Looks in a tarball for what is blocked by what stands in it; where nothing is, nothing is read. */
export async function lookForBlocked(
  { store, config }: Pick<Ports, 'store' | 'config'>,
  read: () => AsyncIterable<Uint8Array> | Uint8Array,
): Promise<Looked> {
  const blocks = await store.measures.listBlocks('indicator')
  const limits = { ...defaultInspectLimits, maxInflatedBytes: config.maxUnpackedBytes }
  const texts = blocks.map(each => each.value)
  const found = await findIndicator(read, texts, limits)
  return { blocks, hit: blocks.find(each => each.value === found) }
}

/**
 * Throws `content-blocked` for a package that somebody wants published and in which something stands that is blocked: on record, for
 * those who respond want to know who tried.
 */
export async function refuseBlocked(
  ports: Ports,
  grant: Grant,
  { name, version }: { readonly name: PackageName; readonly version: Version },
  { hit }: Looked,
): Promise<void> {
  if (hit === undefined) return
  const detail = { op: 'refuse', measure: hit.id, subject: `indicator:${hit.value}`, package: name, version }
  await ports.store.commit(grant, { type: 'measure', detail }, async () => {})
  throw problem('content-blocked', { name, version, why: hit.why })
}

/** Inside the commit that lets it in: throws `frozen` for bytes that are blocked by now, `unavailable` where something new is. */
export async function checkStillOpen(tx: Tx, digest: Digest, { blocks }: Looked): Promise<void> {
  await checkNotFrozen(tx, [`hash:${digest}`])
  await checkNothingNew(tx, blocks)
}

/** Throws `unavailable` where something was blocked since: it is looked for when the same comes again. */
export async function checkNothingNew(tx: Tx, blocks: readonly Block[]): Promise<void> {
  const seen = new Set(blocks.map(each => each.id))
  if ((await tx.measures.listBlocks('indicator')).some(each => !seen.has(each.id)))
    throw problem('unavailable', { why: 'something was blocked meanwhile, and has to be looked for' })
}
