// SPDX-License-Identifier: Apache-2.0
/** Which of the things that are known are about what a project uses, and who may know of them. */
import type { PackageName, Version } from '@holdfast/core'
import { type Advisory, mergeAliases, readCovered } from '../catalog/index.ts'
import type { Ports } from '../ports.ts'

/** Each flaw of one package once, with the uses that it is about. */
export function findHits<Use extends { readonly version: Version }>(
  told: readonly Advisory[],
  uses: Iterable<Use>,
): readonly { readonly advisory: Advisory; readonly uses: readonly Use[] }[] {
  const all = [...uses]
  const distinct = [...new Map(told.map(each => [each.id, each])).values()]
  return mergeAliases(distinct.filter(each => each.withdrawnAt === null)).flatMap(advisory => {
    const isCovered = readCovered(advisory)
    const hit = all.filter(each => isCovered(each.version))
    return hit.length === 0 ? [] : [{ advisory, uses: hit }]
  })
}

/** The packages of this list that somebody may know of: the public ones, and those they have a role on. */
export async function filterReadable(
  { store }: Pick<Ports, 'store'>,
  accountId: string,
  names: readonly PackageName[],
): Promise<ReadonlySet<PackageName>> {
  const readable = new Set<PackageName>()
  for (const name of names) {
    const found = await store.catalog.findPackage(name)
    if (
      found === undefined ||
      found.access === 'public' ||
      (await store.identity.roleOn(accountId, name)) !== undefined
    )
      readable.add(name)
  }
  return readable
}
