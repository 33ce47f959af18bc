// SPDX-License-Identifier: Apache-2.0
/** What is known against the versions that submitted lock files name: shown to their owners and to those who respond. */
import type { Advisory, ProjectUse } from '../catalog/index.ts'
import { type Actor, authorize, may } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { findHits } from './project-hit.ts'
import { listOwners } from './project-lock.ts'

const rowsRead = 20_000
const risksShown = 100
const usesShown = 20
const countedMs = 90 * 24 * 3600_000

/** Something that is known, and where what it is about is used. */
export interface Risk {
  readonly advisory: Advisory
  /** The first of them, in the order of projects. */
  readonly uses: readonly ShownUse[]
  readonly useCount: number
  readonly projectCount: number
  /** How often the versions in use were fetched here in the last 90 days. */
  readonly fetches: number
}

/** A use, and whose it is. */
export interface ShownUse extends ProjectUse {
  /** `@` and an organisation, or a login; empty for an account that is gone. */
  readonly ownerName: string
}

/** What is known, the newest first; `isCut` where there is more. */
export interface RiskList {
  readonly risks: readonly Risk[]
  readonly isCut: boolean
}

/** For one's own projects and those of one's organisations. */
export async function listOwnRisks(ports: Ports, actor: Actor): Promise<RiskList> {
  return gather(ports, actor, await listOwners(ports, actor))
}

/** For all projects, for those who respond, operate or audit. */
export async function listAllRisks(ports: Ports, actor: Actor): Promise<RiskList> {
  await authorize(ports, actor, 'instance:audit', '')
  return gather(ports, actor, undefined)
}

async function gather(ports: Ports, actor: Actor, owners: readonly string[] | undefined): Promise<RiskList> {
  const rows = await ports.store.projects.listRisks(owners, rowsRead)
  const risks: Risk[] = []
  const found = [...Map.groupBy(rows, each => each.use.package)].flatMap(([name, of]) =>
    findHits(
      of.map(each => each.advisory),
      new Map(of.map(each => [`${each.use.lock.id} ${each.use.version}`, each.use])).values(),
    ).map(hit => ({ name, ...hit })),
  )
  const newest = found.toSorted((a, b) => b.advisory.modifiedAt - a.advisory.modifiedAt)
  const logins = new Map<string, string>()
  for (const { name, advisory, uses } of newest) {
    if (risks.length === risksShown) break
    // Somebody's lock file may name a package that its owner may not read: of that nothing is told.
    if (owners !== undefined && !(await may(ports, actor, 'package:read', name))) continue
    risks.push(await describe(ports, advisory, uses, logins))
  }
  return { risks, isCut: rows.length === rowsRead || newest.length > risksShown }
}

async function describe(
  ports: Ports,
  advisory: Advisory,
  uses: readonly ProjectUse[],
  logins: Map<string, string>,
): Promise<Risk> {
  const shown: ShownUse[] = []
  for (const use of uses.slice(0, usesShown))
    shown.push({ ...use, ownerName: await nameOwner(ports, use.lock.owner, logins) })
  const versions = new Set(uses.map(each => each.version))
  const since = ports.clock() - countedMs
  const counts = [...versions].map(each => ports.store.downloads.count(advisory.package, each, since))
  return {
    advisory,
    uses: shown,
    useCount: uses.length,
    projectCount: new Set(uses.map(({ lock }) => `${lock.owner} ${lock.project}`)).size,
    fetches: (await Promise.all(counts)).reduce((sum, count) => sum + count, 0),
  }
}

async function nameOwner({ store }: Ports, owner: string, known: Map<string, string>): Promise<string> {
  if (owner.startsWith('@')) return owner
  const found = known.get(owner) ?? (await store.identity.findAccount(owner))?.login ?? ''
  known.set(owner, found)
  return found
}
