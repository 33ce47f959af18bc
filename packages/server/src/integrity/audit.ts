// SPDX-License-Identifier: Apache-2.0
/** Looking back over everything that happened: what auditors ask, and how events look outside. */
import type { EventType, PackageName } from '@holdfast/core'
import type { StoredEvent } from './event.ts'

/** What an auditor looks for; what is left out matches everything. */
export interface EventQuery {
  readonly type?: EventType
  readonly actorId?: string
  /** Null: of the instance, and no package. */
  readonly package?: PackageName | null
  /** Milliseconds since the epoch, included. */
  readonly since?: number
  /** Milliseconds since the epoch, not included. */
  readonly until?: number
}

/** One event as it leaves the instance: to a file, or to the system that watches over all of a company. */
export interface AuditLine {
  readonly position: number
  readonly id: string
  readonly time: string
  readonly type: EventType
  readonly actor: { readonly kind: string; readonly id: string; readonly login?: string }
  /** Whose it is, where that is somebody else than the actor: the account that was refused, changed or invited. */
  readonly account?: { readonly id: string; readonly login?: string }
  readonly package?: PackageName
  readonly version?: string
  /** What the public log says of it, where it says anything. */
  readonly public?: unknown
  /** What only this record says. */
  readonly detail: { readonly [key: string]: unknown }
}

/** The event with the logins of its people, as far as they have one. */
export function toAuditLine(event: StoredEvent, logins: ReadonlyMap<string, string>): AuditLine {
  const { position, id, type, detail } = event
  const login = logins.get(event.actorId)
  const account = accountOf(event)
  const actor = { kind: event.actorKind, id: event.actorId, ...(login === undefined ? {} : { login }) }
  return {
    position,
    id,
    time: new Date(event.at).toISOString(),
    type,
    actor,
    ...(account === undefined ? {} : { account: withLogin(account, logins) }),
    ...(event.pkg === null ? {} : { package: event.pkg }),
    ...(event.ver === null ? {} : { version: event.ver }),
    ...(event.leaf === null ? {} : { public: JSON.parse(event.leaf) }),
    detail,
  }
}

/** The account an event is about, when that is not its actor. */
export function accountOf({ actorId, detail }: StoredEvent): string | undefined {
  const { account } = detail
  return typeof account === 'string' && account !== '' && account !== actorId ? account : undefined
}

function withLogin(id: string, logins: ReadonlyMap<string, string>): { id: string; login?: string } {
  const login = logins.get(id)
  return login === undefined ? { id } : { id, login }
}

const columns = [
  'position',
  'id',
  'time',
  'type',
  'actor kind',
  'actor',
  'login',
  'about',
  'package',
  'version',
  'detail',
] as const

/** The first line of a table of events. */
export const csvHead: string = `${columns.join(',')}\r\n`

/** One event as a line of a table (RFC 4180). */
export function formatCsv(line: AuditLine): string {
  const cells = [
    line.position,
    line.id,
    line.time,
    line.type,
    line.actor.kind,
    line.actor.id,
    line.actor.login ?? '',
    line.account?.login ?? line.account?.id ?? '',
    line.package ?? '',
    line.version ?? '',
    JSON.stringify(line.detail),
  ]
  return `${cells.map(each => formatCell(String(each))).join(',')}\r\n`
}

function formatCell(text: string): string {
  // A spreadsheet would run a cell that begins like a formula; names such as `@acme/ui` are the price.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** One event as a line of JSON. */
export function formatJsonLine(line: AuditLine): string {
  return `${JSON.stringify(line)}\n`
}
