// SPDX-License-Identifier: Apache-2.0
import type { PackageName } from '@holdfast/core'
import { type Actor, authorize, type OwnerFacts } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { factorOf } from './mfa-rule.ts'

const idleMs = 180 * 24 * 3600_000
const namesAtOnce = 200

/** Why the owners of a package are a risk, one sentence a reason. */
export interface OwnersAtRisk {
  readonly package: PackageName
  readonly owners: readonly string[]
  readonly reasons: readonly string[]
}

/** A page of packages whose owners are at risk, and the name to go on after; undefined at the end. */
export async function listOwnersAtRisk(
  ports: Ports,
  actor: Actor,
  after: string,
): Promise<{ readonly risks: readonly OwnersAtRisk[]; readonly next: string | undefined }> {
  await authorize(ports, actor, 'instance:operate', '')
  const names = await ports.store.catalog.listNames(after, namesAtOnce)
  const facts = await ports.store.identity.listOwnerFacts(names)
  const risks = names.map(name =>
    assess(
      name,
      facts.filter(each => each.package === name),
      ports.clock(),
    ),
  )
  return {
    risks: risks.filter(each => each.reasons.length > 0),
    next: names.length === namesAtOnce ? names.at(-1) : undefined,
  }
}

function assess(name: PackageName, owners: readonly OwnerFacts[], now: number): OwnersAtRisk {
  const able = owners.filter(each => each.disabledAt === null)
  const [only] = able
  const reasons = [
    ...(able.length === 0 ? ['nobody owns it in their own name'] : []),
    ...(able.length === 1 && only !== undefined ? [`${only.login} is the only owner`] : []),
    ...able.filter(each => factorOf(each) === 'none').map(each => `${each.login} has no second factor`),
    ...able
      .filter(each => each.lastSeenAt < now - idleMs)
      .map(each => `${each.login} was not seen for half a year`),
  ]
  return { package: name, owners: able.map(each => each.login), reasons }
}
