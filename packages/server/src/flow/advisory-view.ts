// SPDX-License-Identifier: Apache-2.0
/** Advisories for people: what a record says, without what the asker may not read. */
import { isProblem, type PackageName } from '@holdfast/core'
import type { Advisory, OsvRecord } from '../catalog/index.ts'
import type { Actor } from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { readOsv } from '../vulnerability/index.ts'
import { listNewestAdvisories, queryAdvisories, readAdvisory } from './advisory-reading.ts'

const detailsLength = 20_000
const referencesShown = 20
const ofPackageShown = 500

/** One advisory with what its record says beyond what rules read. */
export interface ShownAdvisory {
  readonly id: string
  readonly aliases: readonly string[]
  readonly feed: string
  readonly publishedAt: number
  readonly modifiedAt: number
  readonly withdrawnAt: number | null
  /** For each package. */
  readonly about: readonly Advisory[]
  /** Markdown of strangers. */
  readonly details: string
  readonly references: readonly string[]
}

/** Undefined where there is none that the actor may read. Throws `unauthenticated`. */
export async function findAdvisory(
  ports: Ports,
  actor: Actor,
  id: string,
): Promise<ShownAdvisory | undefined> {
  const record = await readAdvisory(ports, actor, id.slice(0, 100)).catch((error: unknown) => {
    if (isProblem(error) && error.code === 'not-found') return undefined
    throw error
  })
  const about = record === undefined ? [] : advisoriesOf(record)
  const [first] = about
  if (record === undefined || first === undefined) return undefined
  const { feed, modifiedAt, withdrawnAt } = record
  const { publishedAt, aliases } = first
  return { id: record.id, aliases, feed, publishedAt, modifiedAt, withdrawnAt, about, ...wordsOf(record) }
}

/** The last that changed, the newest first. Throws `unauthenticated`. */
export async function listShownAdvisories(
  ports: Ports,
  actor: Actor,
  limit: number,
): Promise<readonly Advisory[]> {
  return (await listNewestAdvisories(ports, actor)).flatMap(advisoriesOf).slice(0, limit)
}

/** Those of one package, the newest first. Throws `unauthenticated`. */
export async function listPackageAdvisories(
  ports: Ports,
  actor: Actor,
  name: PackageName,
): Promise<readonly Advisory[]> {
  const query = { name, version: undefined, after: '' }
  const [page] = await queryAdvisories(ports, actor, [query], ofPackageShown)
  return (page?.found ?? []).toSorted((a, b) => b.modifiedAt - a.modifiedAt)
}

function advisoriesOf({ text }: OsvRecord): readonly Advisory[] {
  const reading = readOsv(JSON.parse(text))
  return reading.kind === 'read' ? reading.advisories : []
}

/** What only people read of a record; of any shape, since only what rules read was checked when it came in. */
function wordsOf({ text }: OsvRecord): Pick<ShownAdvisory, 'details' | 'references'> {
  const { details, references } = JSON.parse(text) as { details?: unknown; references?: unknown }
  const links = Array.isArray(references) ? (references as readonly ({ url?: unknown } | null)[]) : []
  return {
    details: typeof details === 'string' ? details.slice(0, detailsLength) : '',
    references: links
      .slice(0, referencesShown)
      .flatMap(each => (typeof each?.url === 'string' ? each.url : [])),
  }
}
