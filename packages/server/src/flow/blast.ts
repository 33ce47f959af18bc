// SPDX-License-Identifier: Apache-2.0
/** The blast radius of a case: who has the bytes, and what else contains them. Who asks leaves an event behind. */
import { type PackageName, problem } from '@holdfast/core'
import type { ProjectUse } from '../catalog/index.ts'
import { type Actor, authorize, type Grant, neighbourhoodOf } from '../identity/index.ts'
import {
  type BlastLetter,
  type DependentEdge,
  formatHolderHead,
  formatHolderLine,
  type Holder,
  type HolderMark,
  type HolderTotals,
  type IncidentCase,
} from '../incident/index.ts'
import type { Ports } from '../ports.ts'

const holdersAtOnce = 200
const exportedAtOnce = 1000
const namesAtOnce = 400
const mostDependents = 500
const deepest = 8
const usesRead = 2000

/** A package that contains what the case is about, and how many steps it is away from it. */
export interface Dependent extends DependentEdge {
  readonly depth: number
}

export interface BlastRadius {
  readonly found: Pick<IncidentCase, 'id' | 'title' | 'subjects'>
  readonly totals: HolderTotals
  /** One page. */
  readonly holders: readonly Holder[]
  /** Asks for the page after it; empty where this is the last. */
  readonly next: string
  /** The nearest first, each by its shortest way. */
  readonly dependents: readonly Dependent[]
  readonly isDependentsCut: boolean
  readonly projects: readonly ProjectUse[]
  readonly isProjectsCut: boolean
  readonly letters: readonly BlastLetter[]
}

/** One page of holders, and all that contains it. Throws `not-found`, `invalid-body` for a mark that is none. */
export async function readBlast(ports: Ports, actor: Actor, id: string, page: string): Promise<BlastRadius> {
  const { store } = ports
  const found = await openBlast(ports, actor, id, 'read')
  const rows = await store.blast.listHolders(id, parseMark(page), holdersAtOnce + 1)
  const held = rows.slice(0, holdersAtOnce)
  const last = held.at(-1)
  const names = [...new Set(found.subjects.map(each => each.package))]
  return {
    found: { id, title: found.title, subjects: found.subjects },
    totals: await store.blast.sumHolders(id),
    holders: held.map(withNetwork),
    next: rows.length > held.length && last !== undefined ? formatMark(last) : '',
    ...(await listDependents(ports, names)),
    ...(await listProjects(ports, found)),
    letters: await store.blast.listLetters(id),
  }
}

/** All holders as lines of CSV or of JSON, page by page: nothing is gathered. Throws `not-found` before the first. */
export async function exportBlast(
  ports: Ports,
  actor: Actor,
  id: string,
  form: 'csv' | 'json',
): Promise<AsyncIterable<Uint8Array>> {
  await openBlast(ports, actor, id, `export-${form}`)
  return formatHolders(form, (mark, limit) => ports.store.blast.listHolders(id, mark, limit), withNetwork)
}

/** Holders as lines, page by page; `show` says what of each is shown. */
export async function* formatHolders(
  form: 'csv' | 'json',
  readPage: (after: HolderMark | undefined, limit: number) => Promise<readonly Holder[]>,
  show: (each: Holder) => Holder,
): AsyncGenerator<Uint8Array, void> {
  const format = form === 'csv' ? formatHolderLine : (each: Holder) => `${JSON.stringify(each)}\n`
  if (form === 'csv') yield Buffer.from(formatHolderHead())
  let mark: HolderMark | undefined
  for (;;) {
    const rows = await readPage(mark, exportedAtOnce)
    yield Buffer.from(rows.map(each => format(show(each))).join(''))
    mark = rows.at(-1)
    if (rows.length < exportedAtOnce) return
  }
}

async function openBlast(ports: Ports, actor: Actor, id: string, op: string): Promise<IncidentCase> {
  const grant = await authorize(ports, actor, 'incident:work', '')
  const found = await ports.store.incident.findCase(id)
  if (found === undefined) throw problem('not-found')
  await noteLook(ports, grant, id, op)
  return found
}

/** Whoever looks at what people fetched is on record themselves. */
export async function noteLook({ store }: Ports, grant: Grant, id: string, op: string): Promise<void> {
  await store.commit(grant, { type: 'blast', detail: { op, case: id } }, async () => {})
}

/** Whole addresses are not needed to find a machine's owner. */
export function withNetwork(each: Holder): Holder {
  const isNetwork = each.address === '' || each.address.includes('/')
  return isNetwork ? each : { ...each, address: neighbourhoodOf(each.address) }
}

async function listDependents(
  { store }: Ports,
  names: readonly PackageName[],
): Promise<Pick<BlastRadius, 'dependents' | 'isDependentsCut'>> {
  const dependents: Dependent[] = []
  const seen = new Set(names)
  let level: readonly PackageName[] = names.slice(0, namesAtOnce)
  let isCut = names.length > level.length
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > deepest) return { dependents, isDependentsCut: true }
    const left = mostDependents - dependents.length
    const edges = await store.blast.listDependentEdges(level, left + seen.size + 1)
    const fresh: Dependent[] = []
    for (const edge of edges) {
      if (seen.has(edge.package)) continue
      seen.add(edge.package)
      fresh.push({ ...edge, depth })
    }
    dependents.push(...fresh.slice(0, left))
    if (fresh.length > left) return { dependents, isDependentsCut: true }
    isCut ||= fresh.length > namesAtOnce
    level = fresh.map(each => each.package).slice(0, namesAtOnce)
  }
  return { dependents, isDependentsCut: isCut }
}

/** Lock files that bind it, wherever in the tree it stands. */
export async function listProjects(
  { store }: Ports,
  { subjects }: Pick<IncidentCase, 'subjects'>,
): Promise<Pick<BlastRadius, 'projects' | 'isProjectsCut'>> {
  const names = [...new Set(subjects.map(each => each.package))]
  const isSubject = new Set(subjects.map(each => `${each.package}@${each.version}`))
  const uses = await store.projects.listUses(names.slice(0, namesAtOnce), usesRead)
  const projects = uses.filter(
    each => isSubject.has(`${each.package}@`) || isSubject.has(`${each.package}@${each.version}`),
  )
  return { projects, isProjectsCut: uses.length === usesRead || names.length > namesAtOnce }
}

function formatMark({ package: name, version, accountId, tokenId, address, client }: HolderMark): string {
  return Buffer.from(JSON.stringify([name, version, accountId, tokenId, address, client])).toString(
    'base64url',
  )
}

function parseMark(text: string): HolderMark | undefined {
  if (text === '') return undefined
  const parts = readParts(text)
  const [name, version, accountId, tokenId, address, client] = parts
  if (parts.length !== 6 || !parts.every(each => typeof each === 'string'))
    throw problem('invalid-body', { why: 'the page is none of this list' })
  return { package: name, version, accountId, tokenId, address, client } as HolderMark
}

function readParts(text: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text.slice(0, 8000), 'base64url').toString())
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}
