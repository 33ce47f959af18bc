// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto'
import {
  type EventType,
  encodeLeaf,
  eventTable,
  findLeafFault,
  type PackageName,
  type Version,
} from '@holdfast/core'
import type { Kysely, Selectable } from 'kysely'
import { type Actor, actorId } from '../../identity/index.ts'
import type { NewEvent, StoredEvent } from '../../integrity/index.ts'
import { addLeafDocument } from './leaf-document.ts'
import { prepare } from './prepared.ts'
import type { Schema } from './schema.ts'

const maxLeafBytes = 8 * 1024
/** Fewer than what a statement may have of parameters. */
const rowsAtOnce = 500
const noLeaf = { seq: null, prev: null, leaf: null, leaf_hash: null }

const leafActorKind = {
  person: 'user',
  job: 'oidc',
  robot: 'user',
  operator: 'admin',
  system: 'system',
  nobody: 'system',
} as const

const takeRow = prepare((db, count: number) =>
  db
    .updateTable('event_counter')
    .set(eb => ({ position: eb('position', '+', count) }))
    .where('one', '=', 1)
    .returning('position'),
)
const chainRow = prepare((db, name: string) =>
  db.selectFrom('package_chain').selectAll().where('pkg', '=', name),
)

/** The last link of a package's own chain. */
interface Link {
  readonly seq: number
  readonly leaf_hash: string
}

type EventRow = Selectable<Schema['event']>

/**
 * Writes the events of a transaction as its last act. The counter row stays locked until the commit, so positions
 * come out in the order of commits on both databases, and a cursor never steps over an event that commits late.
 */
export async function appendEvents(
  tx: Kysely<Schema>,
  logOrigin: string,
  actor: Actor,
  events: readonly NewEvent[],
  at: number,
): Promise<readonly StoredEvent[]> {
  if (events.length === 0) return []
  const before = (await takePositions(tx, events.length)) - events.length
  const chains = await readChains(tx, events)
  const rows = events.map((event, index): EventRow => {
    const id = uuidv7(at)
    return {
      position: before + index + 1,
      id,
      at,
      type: event.type,
      actor_kind: actor.kind,
      actor_id: actorId(actor),
      pkg: event.pkg ?? null,
      ver: event.ver ?? null,
      ...(isLogged(event) ? chain(chains, logOrigin, actor, event, id, at) : noLeaf),
      detail: JSON.stringify(event.detail ?? {}),
    }
  })
  for (let from = 0; from < rows.length; from += rowsAtOnce)
    await tx
      .insertInto('event')
      .values(rows.slice(from, from + rowsAtOnce))
      .execute()
  await writeChains(tx, chains)
  for (const { document } of events) if (document !== undefined) await addLeafDocument(tx, document)
  return rows.map(toEvent)
}

/** The last of so many that nobody else has. */
async function takePositions(tx: Kysely<Schema>, count: number): Promise<number> {
  const [row] = (await takeRow(tx, count)).rows
  if (row === undefined) throw new Error('events have no counter')
  return row.position
}

function isLogged({ type }: NewEvent): boolean {
  return eventTable[type].audience === 'log'
}

async function readChains(tx: Kysely<Schema>, events: readonly NewEvent[]): Promise<Map<string, Link>> {
  const chains = new Map<string, Link>()
  for (const event of events) {
    if (event.pkg === undefined || !isLogged(event) || chains.has(event.pkg)) continue
    const [last] = (await chainRow(tx, event.pkg)).rows
    chains.set(event.pkg, last ?? { seq: 0, leaf_hash: '' })
  }
  return chains
}

async function writeChains(tx: Kysely<Schema>, chains: ReadonlyMap<string, Link>): Promise<void> {
  const rows = [...chains].map(([pkg, { seq, leaf_hash }]) => ({ pkg, seq, leaf_hash }))
  for (let from = 0; from < rows.length; from += rowsAtOnce)
    await tx
      .insertInto('package_chain')
      .values(rows.slice(from, from + rowsAtOnce))
      .onConflict(clash =>
        clash.column('pkg').doUpdateSet(eb => ({
          seq: eb.ref('excluded.seq'),
          leaf_hash: eb.ref('excluded.leaf_hash'),
        })),
      )
      .execute()
}

/** The canonical leaf and its place in the package's own chain (transparency-log reference, section 13), which it makes longer. */
function chain(
  chains: Map<string, Link>,
  log: string,
  actor: Actor,
  event: NewEvent,
  id: string,
  at: number,
): Pick<EventRow, 'seq' | 'prev' | 'leaf' | 'leaf_hash'> {
  const common = {
    ...event.fields,
    v: 1,
    log,
    id,
    at,
    type: event.type,
    actor: leafActor(actor),
    ...(event.ver === undefined ? {} : { ver: event.ver }),
  }
  const last = event.pkg === undefined ? undefined : chains.get(event.pkg)
  if (event.pkg === undefined || last === undefined) {
    const leaf = writeLeaf(common)
    return { seq: null, prev: null, leaf, leaf_hash: hashLeaf(leaf) }
  }
  const place = { seq: last.seq + 1, prev: last.leaf_hash }
  const leaf = writeLeaf({ ...common, pkg: event.pkg, ...place })
  const link = { seq: place.seq, leaf_hash: hashLeaf(leaf) }
  chains.set(event.pkg, link)
  return { ...place, leaf, leaf_hash: link.leaf_hash }
}

/** What acts by itself has a name, and people and machines an id that says nothing. */
function leafActor(actor: Actor): { readonly kind: string; readonly id: string } {
  const kind = leafActorKind[actor.kind]
  if (kind === 'admin' || actor.kind === 'nobody') return { kind, id: `sys_${actor.kind}` }
  return { kind, id: kind === 'system' ? `sys_${actorId(actor)}` : actorId(actor) }
}

/** Throws for a leaf that is not what core's table says of its type: that is a bug, and would stay for ever. */
function writeLeaf(leaf: Readonly<Record<string, unknown>>): string {
  const text = encodeLeaf(leaf)
  const fault = findLeafFault(leaf) ?? (text.length > maxLeafBytes ? 'it is too long' : undefined)
  if (fault !== undefined) throw new Error(`a leaf of type ${String(leaf['type'])} is wrong: ${fault}`)
  return text
}

/** An event of which nothing but its leaf is left, in the next place. */
export async function insertLeaf(tx: Kysely<Schema>, text: string): Promise<void> {
  const leaf = JSON.parse(text) as RecoveredLeaf
  const position = await takePositions(tx, 1)
  const leafHash = hashLeaf(text)
  await tx
    .insertInto('event')
    .values({
      position,
      id: leaf.id,
      at: leaf.at,
      type: leaf.type,
      actor_kind: Object.entries(leafActorKind).find(([, kind]) => kind === leaf.actor.kind)?.[0] ?? 'system',
      actor_id: leaf.actor.id,
      pkg: leaf.pkg ?? null,
      ver: leaf.ver ?? null,
      seq: leaf.seq ?? null,
      prev: leaf.prev ?? null,
      leaf: text,
      leaf_hash: leafHash,
      detail: JSON.stringify({ recovered: true }),
    })
    .execute()
  if (leaf.pkg === undefined || leaf.seq === undefined) return
  const link = { seq: leaf.seq, leaf_hash: leafHash }
  await tx
    .insertInto('package_chain')
    .values({ pkg: leaf.pkg, ...link })
    .onConflict(clash => clash.column('pkg').doUpdateSet(link))
    .execute()
}

/** What a leaf that was proven to be in the log says of its event. */
interface RecoveredLeaf {
  readonly id: string
  readonly at: number
  readonly type: string
  readonly actor: { readonly kind: string; readonly id: string }
  readonly pkg?: string
  readonly ver?: string
  readonly seq?: number
  readonly prev?: string
}

/** Events after a position, oldest first. */
export async function readEvents(
  db: Kysely<Schema>,
  position: number,
  limit: number,
): Promise<StoredEvent[]> {
  const query = db.selectFrom('event').selectAll().where('position', '>', position)
  return (await query.orderBy('position').limit(limit).execute()).map(toEvent)
}

/** All events of a package, oldest first. */
export async function readPackageEvents(db: Kysely<Schema>, name: PackageName): Promise<StoredEvent[]> {
  const query = db.selectFrom('event').selectAll().where('pkg', '=', name)
  return (await query.orderBy('position').execute()).map(toEvent)
}

/** The event in a row. */
export function toEvent(row: Selectable<Schema['event']>): StoredEvent {
  return {
    position: row.position,
    id: row.id,
    at: row.at,
    type: row.type as EventType,
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    pkg: row.pkg as PackageName | null,
    ver: row.ver as Version | null,
    leaf: row.leaf,
    detail: JSON.parse(row.detail) as Record<string, unknown>,
  }
}

/** RFC 6962 leaf hash, base64. */
function hashLeaf(leaf: string): string {
  return createHash('sha256').update(Uint8Array.of(0)).update(leaf, 'utf8').digest('base64')
}

/** RFC 9562: 48 bits of milliseconds, then randomness. */
function uuidv7(at: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(at, 0, 6)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
