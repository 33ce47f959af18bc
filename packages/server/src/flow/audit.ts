// SPDX-License-Identifier: Apache-2.0
import type { PackageName } from '@holdfast/core'
import { type Actor, authorize } from '../identity/index.ts'
import {
  type AuditLine,
  accountOf,
  type EventQuery,
  type StoredEvent,
  toAuditLine,
} from '../integrity/index.ts'
import type { Ports } from '../ports.ts'

/** What somebody asks of the record, as they typed it. */
export interface AuditWish extends Omit<EventQuery, 'actorId'> {
  /** A login, or the id of whatever acted. */
  readonly actor?: string
  readonly package?: PackageName
}

/** A page of the record, newest first, and the position to go on before; undefined at the end. */
export interface AuditPage {
  readonly lines: readonly AuditLine[]
  readonly next: number | undefined
}

/** What happened, for auditors; what was refused a moment ago is written first. Throws `forbidden`. */
export async function readAudit(
  ports: Ports,
  actor: Actor,
  wish: AuditWish,
  before: number,
  limit: number,
): Promise<AuditPage> {
  await authorize(ports, actor, 'instance:audit', '')
  await ports.trail.flush()
  const { actor: who, ...rest } = wish
  const query = who === undefined ? rest : { ...rest, actorId: await idOf(ports, who) }
  const events = await ports.store.events.search(query, before, limit)
  const logins = await loginsOf(ports, events)
  return {
    lines: events.map(event => toAuditLine(event, logins)),
    next: events.length === limit ? events.at(-1)?.position : undefined,
  }
}

const exportedAtOnce = 1000

/** All of it in pages, newest first: nothing is gathered. Throws `forbidden` before the first. */
export async function exportAudit(
  ports: Ports,
  actor: Actor,
  wish: AuditWish,
): Promise<AsyncIterable<readonly AuditLine[]>> {
  const first = await readAudit(ports, actor, wish, Number.MAX_SAFE_INTEGER, exportedAtOnce)
  return goOn(first, before => readAudit(ports, actor, wish, before, exportedAtOnce))
}

async function* goOn(
  first: AuditPage,
  readPage: (before: number) => Promise<AuditPage>,
): AsyncGenerator<readonly AuditLine[], void> {
  for (let page = first; ; page = await readPage(page.next)) {
    yield page.lines
    if (page.next === undefined) return
  }
}

/** Names of the accounts in these events, each asked for once. */
export async function loginsOf(
  ports: Ports,
  events: readonly StoredEvent[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  const actors = events.filter(event => event.actorKind === 'person').map(event => event.actorId)
  const ids = [...actors, ...events.flatMap(event => accountOf(event) ?? [])]
  for (const id of new Set(ids)) {
    const account = await ports.store.identity.findAccount(id)
    if (account !== undefined) found.set(id, account.login)
  }
  return found
}

async function idOf(ports: Ports, who: string): Promise<string> {
  const account = await ports.store.identity.findAccountByLogin(who)
  return account?.id ?? who
}
