// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises'
import {
  type LockEntry,
  type LockGraph,
  listLocked,
  listMissing,
  type ProjectManifest,
  readLockGraph,
} from '@holdfast/core'
import { UsageError } from './usage-error.ts'

const maxLockBytes = 64 * 1024 * 1024

/** What a lock file of any client names, or throws `UsageError`. */
export async function readLocked(file: string): Promise<readonly LockEntry[]> {
  return listLocked(await readGraph(file))
}

/** What a lock file of any client says, or throws `UsageError`. */
export async function readGraph(
  file: string,
  manifests: readonly ProjectManifest[] = [],
): Promise<LockGraph> {
  const graph = readLockGraph(await readLockText(file), manifests)
  if (graph !== undefined) return whole(file, graph, manifests)
  throw new UsageError(
    `${file} is no lock file that can be read`,
    'Formats are those of npm, pnpm, yarn and bun; a binary bun.lockb becomes text with bun install --save-text-lockfile.',
  )
}

/** Nothing is said of what a lock file leaves out, so one that leaves something out is told. */
function whole(file: string, graph: LockGraph, manifests: readonly ProjectManifest[]): LockGraph {
  const [first, ...more] = listMissing(graph, manifests)
  if (first === undefined) return graph
  throw new UsageError(
    `${file} does not hold all that is needed: there is no ${first}${more.length > 0 ? ` (and ${more.length} more)` : ''}`,
    'Install once, so that your package manager writes it anew.',
  )
}

/** The text of a lock file, or throws `UsageError`. */
export function readLockText(file: string): Promise<string> {
  return readBounded(file, maxLockBytes)
}

/** The text of a file that a project brings, never more than this; throws `UsageError`. */
export async function readBounded(path: string, maxBytes: number): Promise<string> {
  const fail = (why: string) =>
    new UsageError(`${path} cannot be read: ${why}`, 'Check the name of the file.')
  const found = await stat(path).catch((error: Error) => {
    throw fail(error.message)
  })
  if (!found.isFile()) throw fail('it is no file')
  if (found.size > maxBytes) throw fail(`it is larger than ${maxBytes} bytes`)
  return readFile(path, 'utf8')
}
