// SPDX-License-Identifier: Apache-2.0
/** What a log's leaves, read from the first to the last, say of who may publish, and of what decides what is served. */
import { encodeCanonical } from '../canonical-json.ts'
import { findLeafFault } from '../event.ts'
import type { Leaf } from './leaf.ts'

/** Rows of the gate by what they are about, in words with blanks between: `owner @acme/widget a_0123` is `maintainer`. */
export type GateRows = ReadonlyMap<string, string>

/** What the leaves say of the gate's rows. */
export interface ReplayedGate {
  readonly rows: GateRows
  /** Rows that the leaves allow and do not demand: publishers that wait for a name end without a leaf. */
  readonly allowed: GateRows
  /** Of whose leaves the document is not there, by what their rows begin with; the digest stands beside it. */
  readonly unread: ReadonlyMap<string, string>
  /** Digests of documents that were erased, as their leaves say. */
  readonly erased: ReadonlySet<string>
}

/** What a leaf names by its digest. */
export type GateDocument = Readonly<Record<string, unknown>>

/** What a leaf says beside what all leaves say, as core's table has it. */
interface Said {
  readonly pkg?: string
  readonly ver: string
  readonly op: string
  readonly scope: string
  readonly subject: { readonly id: string }
  readonly role: string
  readonly team: string
  readonly pattern: string
  readonly waiver: string
  readonly until: number
  readonly access: string
  readonly tfa: string
  readonly approvals?: number
  readonly config: string
  readonly dist?: { readonly integrity: string }
  readonly actor: { readonly id: string }
}

interface Told {
  readonly rows: Map<string, string>
  readonly allowed: Map<string, string>
  readonly unread: Map<string, string>
  readonly erased: Set<string>
  readonly documents: ReadonlyMap<string, GateDocument>
}

/**
 * Plays leaves of one log, in the order of the log. `documents` has what they name by digests, each verified under its own;
 * `now`, in milliseconds since the epoch, ends waivers.
 */
export function replayGate(
  leaves: Iterable<Leaf>,
  documents: ReadonlyMap<string, GateDocument>,
  now: number,
): ReplayedGate {
  const told: Told = {
    rows: new Map(),
    allowed: new Map(),
    unread: new Map(),
    erased: new Set(),
    documents,
  }
  const ends = new Map<string, number>()
  for (const { type, fields } of leaves) {
    if (!Object.hasOwn(acts, type) || findLeafFault(fields) !== undefined) continue
    const said = fields as unknown as Said
    acts[type]?.(told, said)
    if (type === 'waiver') ends.set(`waiver ${said.waiver}`, said.until)
  }
  for (const [row, until] of ends) if (until <= now) told.rows.delete(row)
  return told
}

type Act = (told: Told, said: Said) => void

const acts: Readonly<Record<string, Act>> = {
  owner: ({ rows }, { pkg, op, subject, role }) =>
    set(rows, `owner ${pkg} ${subject.id}`, op === 'remove' ? undefined : role),
  access: ({ rows }, { pkg, access, tfa, approvals = 0 }) =>
    set(rows, `access ${pkg}`, `${access} ${tfa} ${approvals}`),
  grant: ({ rows }, { op, subject, role }) =>
    set(rows, `grant ${subject.id} ${role}`, op === 'add' ? 'given' : undefined),
  account: ({ rows }, { op, subject }) => {
    const id = String(subject)
    if (op === 'disable' || op === 'delete') rows.set(`account ${id}`, 'disabled')
    if (op === 'enable') rows.delete(`account ${id}`)
  },
  org: ({ rows }, { scope, op, subject, role }) => {
    if (op === 'create' || op === 'member') rows.set(`org ${scope} ${subject.id}`, role)
    if (op === 'robot-add') rows.set(`robot ${scope} ${subject.id}`, 'there')
    if (op === 'robot-remove') rows.delete(`robot ${scope} ${subject.id}`)
    if (op === 'reader-add') rows.set(`reader ${scope} ${subject.id}`, 'there')
    if (op === 'reader-remove') rows.delete(`reader ${scope} ${subject.id}`)
    if (op !== 'remove') return
    rows.delete(`org ${scope} ${subject.id}`)
    // Whoever goes leaves its teams too.
    drop(rows, row => row.startsWith(`team ${scope} `) && row.endsWith(` ${subject.id}`))
  },
  team: ({ rows }, { scope, team, op, subject }) => {
    if (op === 'remove') drop(rows, row => row.startsWith(`team ${scope} ${team} `))
    if (op === 'add' || op === 'drop')
      set(rows, `team ${scope} ${team} ${subject.id}`, op === 'add' ? 'there' : undefined)
  },
  'hosted-names': ({ rows }, { op, pattern }) =>
    set(rows, `hosted-names ${pattern}`, op === 'add' ? 'there' : undefined),
  freeze: ({ rows }, { pkg = '*', op }) => {
    const count = Number(rows.get(`freeze ${pkg}`) ?? 0) + (op === 'freeze' ? 1 : -1)
    set(rows, `freeze ${pkg}`, count === 0 ? undefined : String(count))
  },
  waiver: ({ rows }, { pkg, ver, op, waiver, until }) =>
    set(rows, `waiver ${waiver}`, op === 'grant' ? `${pkg}@${ver} until ${until}` : undefined),
  stage: ({ rows }, { pkg, ver, op, dist }) => {
    if (op === 'add') rows.set(`stage ${pkg} ${ver}`, dist?.integrity ?? '')
    else endStage(rows, pkg, ver)
  },
  approve: ({ rows }, { pkg, ver, actor }) => {
    rows.set(`approval ${pkg} ${ver} ${actor.id}`, 'given')
  },
  publish: ({ rows }, { pkg, ver }) => endStage(rows, pkg, ver),
  'trusted-publisher': playPublisher,
  policy: ({ rows, unread, documents }, { pkg, op, config }) => {
    if (op === 'keep' || op === 'renew') return
    const row = pkg === undefined ? 'policy *' : `policy ${pkg}`
    const document = documents.get(config)
    unread.delete(row)
    if (document === undefined) unread.set(row, config)
    else rows.set(row, pkg === undefined ? canonical(document['rules']) : describeTrust(document))
  },
  operator: ({ erased }, { op, config }) => {
    if (op === 'erase') erased.add(config)
  },
}

/** The log does not say which of a package's publishers a leaf is about: that stands in its document. */
function playPublisher({ rows, allowed, unread, documents }: Told, { pkg, op, config }: Said): void {
  const document = documents.get(config)
  const about = pkg === undefined ? 'pending-publisher ' : `trusted-publisher ${pkg} `
  if (document === undefined) {
    unread.set(about, config)
    return
  }
  const { id, ...rest } = document
  const told = pkg === undefined ? allowed : rows
  set(told, `${about}${id}`, op === 'remove' ? undefined : describePublisher(rest))
  // One more leaf, with the name, follows the first publish.
  if (pkg !== undefined) allowed.delete(`pending-publisher ${id}`)
}

/** A row's text of who is trusted to publish: provider, issuer, rule and permissions. */
export function describePublisher({ provider, issuer, rule, permissions }: GateDocument): string {
  return canonical({ provider, issuer, rule, permissions })
}

/** A row's text of what the next version of a package must prove. */
export function describeTrust({ level, sources, lowering }: GateDocument): string {
  return canonical({ level, sources, lowering })
}

function canonical(value: unknown): string {
  return encodeCanonical(JSON.parse(JSON.stringify(value ?? null)))
}

function endStage(rows: Map<string, string>, pkg: string | undefined, ver: string): void {
  rows.delete(`stage ${pkg} ${ver}`)
  drop(rows, row => row.startsWith(`approval ${pkg} ${ver} `))
}

function set(rows: Map<string, string>, row: string, value: string | undefined): void {
  if (value === undefined) rows.delete(row)
  else rows.set(row, value)
}

function drop(rows: Map<string, string>, isMeant: (row: string) => boolean): void {
  for (const row of [...rows.keys()]) if (isMeant(row)) rows.delete(row)
}

/** Where the rows that a registry has are not those that follow from its log; in words. */
export function compareGate(told: ReplayedGate, shown: GateRows): string[] {
  const isUnread = (row: string) => [...told.unread.keys()].some(about => row.startsWith(about))
  const withheld = [...told.unread].filter(([, digest]) => !told.erased.has(digest))
  const isOther = (row: string, value: string) => shown.get(row) !== value && !isUnread(row)
  return [
    ...withheld.map(([about, digest]) => `${about.trim()}: its document ${digest} is not shown`),
    ...[...told.rows]
      .filter(([row, value]) => isOther(row, value))
      .map(([row, value]) => `${row}: ${value} by the log, ${shown.get(row) ?? 'not there'} in the table`),
    ...[...shown].flatMap(([row, value]) => {
      if (told.rows.has(row) || told.allowed.get(row) === value || isUnread(row)) return []
      // A package that was made restricted has no leaf that says so.
      return row.startsWith('access ') ? [] : [`${row}: ${value} in the table, and not in the log`]
    }),
  ]
}
