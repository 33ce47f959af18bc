// SPDX-License-Identifier: Apache-2.0
/** What lock files say, in the formats of npm, pnpm, yarn 1, yarn 2 and later, and bun. */
import { type Digest, parseIntegrity } from './digest.ts'
import { readBerry } from './lock/berry.ts'
import { readBun } from './lock/bun.ts'
import type { LockGraph, LockNode, ProjectManifest } from './lock/graph.ts'
import { readNpm } from './lock/npm.ts'
import { readPnpm } from './lock/pnpm.ts'
import { readYarn } from './lock/yarn.ts'
import { isPackageName, type PackageName } from './package-name.ts'
import { parseVersion, type Version } from './version.ts'

export interface LockedVersion {
  readonly name: PackageName
  readonly version: Version
}

/** A version as a lock file binds it. */
export interface LockEntry extends LockedVersion {
  /** The one SHA-512 that its bytes must have; undefined where the lock file has none, or more than one. */
  readonly integrity: Digest | undefined
  /** Where it was fetched from, as far as the lock file says so. */
  readonly resolved: string | undefined
}

/**
 * The project, what is installed for it, and who needs what; undefined where the text is none of these formats. The manifests
 * of the project say what some lock files leave out: what yarn 1 needs at all, and what is for development.
 */
export function readLockGraph(
  text: string,
  manifests: readonly ProjectManifest[] = [],
): LockGraph | undefined {
  return (
    readBun(text) ??
    readNpm(text, manifests) ??
    readPnpm(text, manifests) ??
    readBerry(text, manifests) ??
    readYarn(text, manifests)
  )
}

/** What is installed from a registry by a lock file; undefined where the text is none of these formats. What comes from folders and repositories is left out. */
export function readLockFile(text: string): readonly LockEntry[] | undefined {
  const graph = readLockGraph(text)
  return graph === undefined ? undefined : listLocked(graph)
}

/** What of a lock file is installed from registries, each version once. */
export function listLocked({ nodes }: LockGraph): readonly LockEntry[] {
  const locked = new Map<string, LockEntry>()
  for (const node of nodes.values()) {
    const each = node.source === 'registry' ? toLocked(node) : undefined
    // One version with two digests is two findings, not one.
    if (each !== undefined) locked.set(`${each.name}@${each.version} ${each.integrity}`, each)
  }
  return [...locked.values()]
}

function toLocked({ name, version, integrity, resolved }: LockNode): LockEntry | undefined {
  if (!isPackageName(name)) return undefined
  try {
    return { name, version: parseVersion(version), integrity: readIntegrity(integrity), resolved }
  } catch {
    return undefined
  }
}

// Clients take bytes that fit any one of several, so none of several says which bytes those are.
function readIntegrity(text: string | undefined): Digest | undefined {
  if (text === undefined || text.split('sha512-').length !== 2) return undefined
  return parseIntegrity(text)
}
