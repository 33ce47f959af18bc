// SPDX-License-Identifier: Apache-2.0
import { excerpt } from '../problem.ts'
import type { LockGraph, LockNode } from './graph.ts'

/** An entry of a lock file that leads past the registry. */
export interface Stray {
  readonly name: string
  readonly version: string
  readonly why: string
}

/** Whether packages of this name may come from an address. */
export type IsExpected = (name: string, address: URL) => boolean

/**
 * What a lock file takes from elsewhere: repositories, addresses that are no registry's of that name, plain http, folders
 * outside the project, and packages that stand under the name of another without an alias. Each once.
 */
export function findStrays(graph: LockGraph, isExpected: IsExpected): readonly Stray[] {
  const strays = new Map<string, Stray>()
  const note = ({ name, version }: LockNode, why: string) =>
    strays.set(`${name}@${version} ${why}`, { name: excerpt(name), version: excerpt(version), why })
  for (const node of graph.nodes.values()) {
    const why = findFault(node, isExpected)
    if (why !== undefined) note(node, why)
  }
  for (const { needs } of [...graph.roots, ...graph.nodes.values()])
    for (const { name, range, to } of needs) {
      const node = to === undefined ? undefined : graph.nodes.get(to)
      if (node?.source === 'registry' && node.name !== name && range !== undefined && !range.includes(':'))
        note(node, `it stands where ${excerpt(name)} was asked for, and no alias says so`)
    }
  return [...strays.values()]
}

function findFault({ name, source, resolved = '' }: LockNode, isExpected: IsExpected): string | undefined {
  switch (source) {
    case 'git':
      return `it comes from a repository: ${excerpt(resolved)}`
    case 'address':
      return `it comes from an address and not from a registry: ${excerpt(resolved)}`
    case 'folder':
      return /^[a-z]+:(\/|[A-Za-z]:|~|.*\.\.\/)/.test(resolved) && !resolved.startsWith('file:./')
        ? `it comes from a folder outside the project: ${excerpt(resolved)}`
        : undefined
    case 'patch':
      return undefined
    default:
      return resolved === '' ? undefined : findAddressFault(name, resolved, isExpected)
  }
}

function findAddressFault(name: string, resolved: string, isExpected: IsExpected): string | undefined {
  // Older clients wrote what is below the registry and nothing else.
  if (!URL.canParse(resolved)) return /^[./]|^[\w@]/.test(resolved) ? undefined : 'its address cannot be read'
  const address = new URL(resolved)
  if (isExpected(name, address)) return undefined
  if (address.protocol === 'http:') return `it comes over plain http, from ${excerpt(address.host)}`
  return `it comes from another registry, ${excerpt(address.host)}`
}
