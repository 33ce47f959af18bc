// SPDX-License-Identifier: Apache-2.0
/** What holds between the entries of an honest log, whoever reads them in order. */
import { type ChainEnd, extendChain, findLeafFault, isProblem, type Leaf, readLeaf } from '@holdfast/core'
import { nodeCrypto } from './node-crypto.ts'

/** Remembers what entries said, to judge the next ones. */
export interface EntryRules {
  /** The leaf of the next entry, undefined where it is none, and what is wrong with it. */
  check(entry: Uint8Array): Promise<{ readonly leaf: Leaf | undefined; readonly faults: readonly string[] }>
}

/** The rules for a log from its first entry on. */
export function startRules(origin: string): EntryRules {
  const ids = new Set<string>()
  const ends = new Map<string, ChainEnd>()
  const published = new Set<string>()
  const digests = new Map<string, string>()
  const listFaults = async (entry: Uint8Array, leaf: Leaf) => [
    ...(leaf.log === origin ? [] : ['it is of another log']),
    ...checkOnce(ids, leaf.id, 'its id stood in an earlier entry'),
    ...orNone(findLeafFault(leaf.fields)),
    ...(await checkLink(ends, entry, leaf)),
    ...checkVersion(published, digests, leaf),
  ]
  return {
    async check(entry) {
      try {
        const leaf = readLeaf(entry)
        return { leaf, faults: await listFaults(entry, leaf) }
      } catch (error) {
        if (isProblem(error)) return { leaf: undefined, faults: [error.message] }
        throw error
      }
    },
  }
}

function orNone(fault: string | undefined): readonly string[] {
  return fault === undefined ? [] : [fault]
}

function checkOnce(known: Set<string>, key: string, fault: string): readonly string[] {
  if (known.has(key)) return [fault]
  known.add(key)
  return []
}

async function checkLink(
  ends: Map<string, ChainEnd>,
  entry: Uint8Array,
  { link }: Leaf,
): Promise<readonly string[]> {
  if (link === undefined) return []
  try {
    ends.set(link.pkg, await extendChain(nodeCrypto, ends.get(link.pkg), entry, link))
    return []
  } catch (error) {
    if (!isProblem(error)) throw error
    // One break is one fault: what follows is judged from here on.
    ends.set(link.pkg, await extendChain(nodeCrypto, { seq: link.seq - 1, hash: link.prev }, entry, link))
    return [error.message]
  }
}

// Published versions never change, and what comes from an upstream under a version has one digest for ever.
function checkVersion(published: Set<string>, digests: Map<string, string>, leaf: Leaf): readonly string[] {
  const { type, link, fields } = leaf
  if (type !== 'publish' && type !== 'ingest') return []
  const version = `${link?.pkg}@${fields['ver']}`
  const { integrity } = (fields['dist'] ?? {}) as { readonly integrity?: unknown }
  const digest = digests.get(version) ?? String(integrity)
  digests.set(version, digest)
  return [
    ...(type === 'publish' ? checkOnce(published, version, `${version} was published before`) : []),
    ...(digest === integrity ? [] : [`${version} had another digest before`]),
  ]
}
