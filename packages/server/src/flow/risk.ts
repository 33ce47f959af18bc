// SPDX-License-Identifier: Apache-2.0
import { type PackageName, scopeOf } from '@holdfast/core'
import { type Actor, authorize, type SeenOwner } from '../identity/index.ts'
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
  const own = await ports.store.identity.listOwnerFacts(names)
  const orgs = [...new Set(names.flatMap(name => orgOf(name) ?? []))]
  const inOrgs = await ports.store.identity.listOrgOwnerFacts(orgs)
  const risks = names.map(name => {
    const owners = [
      ...own.filter(each => each.package === name),
      ...inOrgs.filter(each => each.through === orgOf(name)),
    ]
    return assess(name, owners, ports.clock())
  })
  return {
    risks: risks.filter(each => each.reasons.length > 0),
    next: names.length === namesAtOnce ? names.at(-1) : undefined,
  }
}

function orgOf(name: PackageName): string | undefined {
  return scopeOf(name)?.slice(1)
}

/** Whoever owns it in their own name or through its organisation, each once. */
function assess(name: PackageName, owners: readonly SeenOwner[], now: number): OwnersAtRisk {
  const byAccount = new Map(owners.map(each => [each.accountId, each]))
  const able = [...byAccount.values()].filter(each => each.disabledAt === null)
  const [only] = able
  const reasons = [
    ...(able.length === 0 ? ['nobody who can act owns it'] : []),
    ...(able.length === 1 && only !== undefined ? [`${only.login} is the only owner`] : []),
    ...able.filter(each => factorOf(each) === 'none').map(each => `${each.login} has no second factor`),
    ...able
      .filter(each => each.lastSeenAt < now - idleMs)
      .map(each => `${each.login} was not seen for half a year`),
  ]
  return { package: name, owners: able.map(each => each.login), reasons }
}
