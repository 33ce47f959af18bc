// SPDX-License-Identifier: Apache-2.0
import type { EventType, PackageName, Version } from '@holdfast/core'
import type { LeafDocument } from './leaf-document.ts'

/** Values a leaf may hold: integers, printable ASCII, booleans, objects and arrays of them. */
export type LeafValue =
  | string
  | number
  | boolean
  | readonly LeafValue[]
  | { readonly [key: string]: LeafValue }

/**
 * What happened, as a flow says it. `fields` go into the public leaf, and are what core's table says of the type; `detail` stays
 * in the private record. `document` is what the leaf names by its digest.
 */
export interface NewEvent {
  readonly type: EventType
  readonly pkg?: PackageName
  readonly ver?: Version
  readonly fields?: { readonly [key: string]: LeafValue }
  readonly detail?: { readonly [key: string]: unknown }
  readonly document?: LeafDocument
}

/** An event as it is kept, in its place. */
export interface StoredEvent {
  /** 1, 2, 3 … in the order of commits. */
  readonly position: number
  /** UUIDv7, the idempotency key. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly type: EventType
  readonly actorKind: string
  readonly actorId: string
  readonly pkg: PackageName | null
  readonly ver: Version | null
  /** Canonical leaf bytes as text; null for what stays in the private record. */
  readonly leaf: string | null
  readonly detail: { readonly [key: string]: unknown }
}

const forAll: ReadonlySet<EventType> = new Set(['advisory', 'hosted-names', 'key', 'policy'])

/**
 * The packages that look different after these events: `all` where any may. Bytes that came in change nothing that anybody
 * was shown, unless they told what the upstream did not.
 */
export function touchedBy(events: readonly StoredEvent[]): ReadonlySet<PackageName> | 'all' {
  if (
    events.some(
      event =>
        event.pkg === null && (forAll.has(event.type) || isOfBytes(event)) && namedBy(event).length === 0,
    )
  )
    return 'all'
  const touching = events.filter(({ type, detail }) => type !== 'ingest' || detail['shown'] === true)
  return new Set(touching.flatMap(event => event.pkg ?? [...shownBy(event), ...namedBy(event)]))
}

/** A block of bytes, which may lie under any name. */
function isOfBytes({ type, detail }: StoredEvent): boolean {
  return type === 'measure' && String(detail['subject']).startsWith('hash:')
}

/** The packages that advisories which came in are about; none where there are too many to name. */
function namedBy({ type, detail }: StoredEvent): readonly PackageName[] {
  return type === 'advisory' ? ((detail['packages'] ?? []) as readonly PackageName[]) : []
}

/** The packages of which versions became visible with a checkpoint. */
export function shownBy({ type, detail }: StoredEvent): readonly PackageName[] {
  return type === 'checkpoint' ? (detail['packages'] as readonly PackageName[]) : []
}
