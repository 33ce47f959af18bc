// SPDX-License-Identifier: Apache-2.0
import type { DistTag, PackageName } from '@holdfast/core'
import { decide, fallbackTags } from './gate.ts'
import type { CatalogReads, CatalogWrites } from './port.ts'

/**
 * The last step of every change to a package, inside its transaction: moves the revision and settles what `latest`
 * shows, so that search and pages need not ask the gate again. Returns the new revision; throws `revision-conflict`
 * when `expected` is not the present one.
 */
export async function settle(
  catalog: CatalogReads & CatalogWrites,
  name: PackageName,
  at: number,
  expected?: number,
): Promise<number> {
  const revision = await catalog.touch(name, at, expected)
  const all = await catalog.listVersionFacts(name)
  const latest = fallbackTags(await catalog.listTags(name), all).get('latest' as DistTag)
  const facts = all.find(each => each.version === latest)
  await catalog.setLatest(name, facts !== undefined && decide(facts).searchable ? facts.version : undefined)
  return revision
}
