// SPDX-License-Identifier: Apache-2.0
import type { DistTag, PackageName } from '@holdfast/core'
import { decide, fallbackTags } from './gate.ts'
import { settle } from './judge.ts'
import type { CatalogReads, CatalogWrites } from './port.ts'

/**
 * Every change to a package, inside its transaction. Moves the revision first, which makes others who change the same
 * package wait: what `work` then asks is true until the commit, on every database. Settles last what `latest` is before
 * any policy, which search starts from. Throws `revision-conflict` when `expected` is not the present one.
 */
export async function amend(
  catalog: CatalogReads & CatalogWrites,
  name: PackageName,
  at: number,
  work: () => Promise<void>,
  expected?: number,
): Promise<void> {
  await catalog.touch(name, at, expected)
  await work()
  const all = (await catalog.listKeptFacts(name)).map(settle)
  const latest = fallbackTags(await catalog.listTags(name), all).get('latest' as DistTag)
  const facts = all.find(each => each.version === latest)
  await catalog.setLatest(name, facts !== undefined && decide(facts).searchable ? facts.version : undefined)
}
