// SPDX-License-Identifier: Apache-2.0
/** Advisories as they came, for whoever may read the packages they are about. */
import { type PackageName, problem } from '@holdfast/core'
import type { Advisory, OsvRecord } from '../catalog/index.ts'
import { type Actor, may, mayReadPublic } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { matchOsv } from '../vulnerability/index.ts'

const pageRecords = 200
const maxNewest = 100

/** What somebody asks of a package: one version, or all that is known. */
export interface AdvisoryQuery {
  readonly name: PackageName
  readonly version: string | undefined
  /** The id after which the answer goes on; empty for its beginning. */
  readonly after: string
}

/** A page of an answer, by id; `next` is the id after which there is more. */
export interface AdvisoryPage {
  readonly found: readonly Advisory[]
  readonly next: string | undefined
}

/** Answers many questions at once, in their order. Says nothing of packages that the actor may not read. Throws `unauthenticated`. */
export async function queryAdvisories(
  ports: Ports,
  actor: Actor,
  queries: readonly AdvisoryQuery[],
  pageSize: number,
): Promise<readonly AdvisoryPage[]> {
  checkMayAsk(ports, actor)
  const names = [...new Set(queries.map(each => each.name))]
  const known = (await ports.store.policy.listAdvisoriesOf(names)).filter(each => each.withdrawnAt === null)
  const shown = await keepReadable(ports, actor, [...new Set(known.map(each => each.id))])
  const ofName = Map.groupBy(
    known.filter(each => shown.has(each.id)),
    each => each.package,
  )
  return queries.map(({ name, version, after }) => {
    const all = (ofName.get(name) ?? []).filter(each => each.id > after)
    const hits = version === undefined ? all.toSorted(byId) : matchOsv(all, name, version)
    const found = hits.slice(0, pageSize)
    return { found, next: hits.length > pageSize ? found.at(-1)?.id : undefined }
  })
}

function byId(one: Advisory, other: Advisory): number {
  return one.id < other.id ? -1 : 1
}

/** One record as it came. Throws `unauthenticated`, `not-found`, also for one about a package that the actor may not read. */
export async function readAdvisory(ports: Ports, actor: Actor, id: string): Promise<OsvRecord> {
  checkMayAsk(ports, actor)
  const [found] = await ports.store.advisories.listRecords([id])
  if (found === undefined || !(await keepReadable(ports, actor, [id])).has(id)) throw problem('not-found')
  return found
}

/** These records as they came, those that there are, by id. */
export async function readAdvisories(
  ports: Ports,
  actor: Actor,
  ids: readonly string[],
): Promise<readonly OsvRecord[]> {
  const shown = await keepReadable(ports, actor, ids)
  const found = await ports.store.advisories.listRecords([...shown])
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Every record that everybody here may read, by id, as somebody takes them. Throws `unauthenticated`. */
export function listAllAdvisories(ports: Ports, actor: Actor): AsyncIterable<OsvRecord> {
  checkMayAsk(ports, actor)
  return pages(ports)
}

async function* pages({ store }: Ports): AsyncGenerator<OsvRecord> {
  for (let after = ''; ; ) {
    const page = await store.advisories.pageShown(after, pageRecords)
    yield* page
    const last = page.at(-1)
    if (last === undefined) return
    after = last.id
  }
}

/** Of the same those that changed last, the newest first. Throws `unauthenticated`. */
export async function listNewestAdvisories(ports: Ports, actor: Actor): Promise<readonly OsvRecord[]> {
  checkMayAsk(ports, actor)
  return ports.store.advisories.listNewest(maxNewest)
}

function checkMayAsk({ config }: Ports, actor: Actor): void {
  if (!mayReadPublic(config, actor)) throw problem('unauthenticated')
}

/** A record that names one package which the actor may not read tells of it, whatever else it names. */
async function keepReadable(
  ports: Ports,
  actor: Actor,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const subjects = await ports.store.advisories.listSubjects(ids)
  const closed = new Set<string>()
  for (const name of new Set([...subjects.values()].flat()))
    if (!(await may(ports, actor, 'package:read', name))) closed.add(name)
  return new Set(ids.filter(id => !subjects.get(id)?.some(name => closed.has(name))))
}
