// SPDX-License-Identifier: Apache-2.0
/** Whether a locked version is the one that the log has. */
import {
  formatIntegrity,
  hashLeaf,
  isProblem,
  type Leaf,
  type LockEntry,
  matchesName,
  type NamePattern,
  type PackageName,
  readLeaf,
  verifyInclusion,
} from '@holdfast/core'
import type { VerifiedCheckpoint } from './checkpoint.ts'
import { nodeCrypto } from './node-crypto.ts'
import type { ClaimedProof } from './registry-log.ts'

/**
 * How a version stands to the log: published at this registry, taken from an upstream, not in the log at all, bound by no
 * digest in the lock file, fetched from another registry that its scope is set to, or led past every registry by the lock file.
 */
export type VersionKind = 'hosted' | 'ingested' | 'unseen' | 'unverifiable' | 'elsewhere' | 'stray'

export interface VersionReport {
  readonly name: string
  readonly version: string
  readonly kind: VersionKind
  readonly index?: number
  /** The sha512 that the log has of it, where its entry is proven. */
  readonly integrity?: string
  /** Types of the attestations that its entry names, where that is proven. */
  readonly attested?: readonly string[]
  /** What makes it fail. */
  readonly faults: readonly string[]
  /** What happened to it that a person may want to know. */
  readonly notes: readonly string[]
}

/** A version whose place in the log is proven. */
export interface ProvenVersion {
  readonly report: VersionReport
  readonly leaf: Leaf
  readonly entry: Uint8Array
  readonly index: number
}

const kindOfType: Readonly<Record<string, VersionKind>> = { publish: 'hosted', ingest: 'ingested' }

/** Compares a locked version with its entry, and proves that entry under a verified checkpoint. */
export async function checkVersion(
  locked: LockEntry,
  proof: Omit<ClaimedProof, 'checkpoint'>,
  checkpoint: VerifiedCheckpoint,
): Promise<ProvenVersion | VersionReport> {
  const base = { name: locked.name, version: locked.version, index: proof.index, notes: [] }
  const leaf = tryLeaf(proof.entry)
  if (typeof leaf === 'string') return { ...base, kind: 'unseen', faults: [leaf] }
  const kind = kindOfType[leaf.type] ?? 'unseen'
  const claim = {
    ...proof,
    leaf: await hashLeaf(nodeCrypto, proof.entry),
    size: checkpoint.size,
    root: checkpoint.root,
  }
  const isIncluded = await verifyInclusion(nodeCrypto, claim)
  const faults = isIncluded
    ? listFaults(locked, leaf, checkpoint.origin)
    : ['its entry is not under the checkpoint']
  if (faults.length > 0) return { ...base, kind, faults }
  const { integrity } = leaf.fields['dist'] as { readonly integrity: string }
  if (locked.integrity === undefined) return { ...base, ...unverifiable, integrity }
  const attest = (leaf.fields['attest'] ?? []) as readonly { readonly type: string }[]
  const attested = attest.map(({ type }) => type)
  return {
    report: { ...base, kind, faults, integrity, attested },
    leaf,
    entry: proof.entry,
    index: proof.index,
  }
}

/** Reports with a fault for each version under these patterns whose entry names no provenance. */
export function demandProvenance(
  patterns: readonly NamePattern[],
  reports: readonly VersionReport[],
): readonly VersionReport[] {
  return reports.map(each => {
    const isAsked = patterns.some(pattern => matchesName(pattern, each.name as PackageName))
    if (!isAsked || each.attested?.some(type => type.startsWith(provenanceType))) return each
    // What another registry gives has no entry here that could name one.
    const kind = each.kind === 'elsewhere' ? 'unseen' : each.kind
    return { ...each, kind, faults: [...each.faults, 'the log names no provenance of it'] }
  })
}

const provenanceType = 'https://slsa.dev/provenance/'

const unverifiable = {
  kind: 'unverifiable',
  faults: ['the lock file has no sha512 for it, so nothing says which bytes were meant'],
} as const

function tryLeaf(entry: Uint8Array): Leaf | string {
  try {
    return readLeaf(entry)
  } catch (error) {
    if (isProblem(error)) return error.message
    throw error
  }
}

function listFaults({ name, version, integrity }: LockEntry, leaf: Leaf, origin: string): readonly string[] {
  const { type, log, link, fields } = leaf
  const said = (fields['dist'] ?? {}) as { readonly integrity?: unknown }
  const isSameBytes = integrity === undefined || said.integrity === formatIntegrity(integrity)
  return [
    ...(kindOfType[type] === undefined ? [`its entry is no publication but ${type}`] : []),
    ...(log === origin ? [] : ['its entry is of another log']),
    ...(link?.pkg === name && fields['ver'] === version ? [] : ['its entry is of another version']),
    ...(isSameBytes
      ? []
      : ['the log has another sha512 than the lock file: these are not the published bytes']),
  ]
}
