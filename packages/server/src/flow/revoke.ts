// SPDX-License-Identifier: Apache-2.0
/** Everything that somebody, a CI publisher or everybody of a package could act with ends at once. */
import { type PackageName, parsePackageName, problem, type ReasonCode } from '@holdfast/core'
import {
  type Actor,
  authorize,
  type Grant,
  type Session,
  type Token,
  type TrustedPublisher,
} from '../identity/index.ts'
import type { Ports } from '../ports.ts'
import { checkKeys, parseReason } from './measure.ts'
import { provePresence } from './presence.ts'
import { endTokensOf } from './token.ts'
import { trustEvent } from './trust.ts'

/** Whose means end: an account by its login, a CI publisher by its id, or whoever may publish a package. */
export type RevokeQuery =
  | { readonly account: string }
  | { readonly publisher: string }
  | { readonly package: PackageName }

/** What a revocation ends. */
export interface Means {
  /** Account or publisher, by whom they are held. */
  readonly holders: readonly string[]
  readonly tokens: readonly Token[]
  readonly sessions: readonly Session[]
  readonly publishers: readonly TrustedPublisher[]
}

interface Why {
  readonly reason: ReasonCode
  readonly words: string
  readonly incident: string
}

interface Found extends Means {
  readonly accountIds: readonly string[]
}

/** Reads what came by the API or the command line. Throws `measure-invalid`. */
export function parseRevocation(text: Readonly<Record<string, string | undefined>>): {
  readonly query: RevokeQuery
  readonly why: Why
} {
  const means = ['account', 'publisher', 'package'] as const
  checkKeys(text, means, ['kind', 'preview'])
  if (means.filter(each => text[each] !== undefined).length > 1)
    throw problem('measure-invalid', {
      why: 'it names an account, a publisher or a package, and one of them',
    })
  const { account, publisher, package: name, reason = '', words = '', incident = '' } = text
  const why = { reason: parseReason(reason), words: words.slice(0, 2000), incident: incident.slice(0, 64) }
  if (account) return { query: { account }, why }
  if (publisher) return { query: { publisher }, why }
  if (name) return { query: { package: parsePackageName(name) }, why }
  throw problem('measure-invalid', { why: 'it names no account, publisher or package' })
}

/** What would end, without ending it. Throws `user-not-found`, `measure-invalid`. */
export async function previewRevocation(ports: Ports, actor: Actor, query: RevokeQuery): Promise<Means> {
  await authorize(ports, actor, 'measure:take', '')
  return findMeans(ports, query)
}

/** Ends tokens and sessions, and publishers where one is named; that cannot be undone: new ones are made. */
export async function revokeMeans(ports: Ports, actor: Actor, query: RevokeQuery, why: Why): Promise<Means> {
  const grant = await authorize(ports, actor, 'measure:take', '')
  await provePresence(ports, grant)
  const found = await findMeans(ports, query)
  await end(ports, grant, found, 'publisher' in query, { op: 'revoke', ...query, ...why })
  return found
}

async function end(
  ports: Ports,
  grant: Grant,
  { accountIds, sessions, publishers }: Found,
  isOfPublisher: boolean,
  detail: Readonly<Record<string, string>>,
): Promise<void> {
  const now = ports.clock()
  const removed = isOfPublisher ? publishers : []
  const events = [{ type: 'measure' as const, detail }, ...removed.map(each => trustEvent(each, 'remove'))]
  await ports.store.commit(grant, events, async tx => {
    for (const id of accountIds) {
      await endTokensOf(tx, id, now)
      await tx.identity.endPresence(id)
    }
    for (const { id } of publishers) await endTokensOf(tx, id, now)
    for (const { id } of removed) await tx.identity.removePublisher(id, now)
    for (const { id } of sessions) await tx.identity.removeSession(id)
    for (const { id, accountId } of sessions)
      tx.record({ type: 'session-end', detail: { account: accountId, session: id } })
  })
}

async function findMeans(ports: Ports, query: RevokeQuery): Promise<Found> {
  const { accounts, publishers } = await findHolders(ports, query)
  const { identity } = ports.store
  const now = ports.clock()
  const holders = [...accounts.keys(), ...publishers.map(each => each.id)]
  const tokens = (await Promise.all(holders.map(id => identity.listTokens(id)))).flat()
  const sessions = (await Promise.all([...accounts.keys()].map(id => identity.listSessions(id)))).flat()
  return {
    accountIds: [...accounts.keys()],
    holders: [...accounts.values(), ...publishers.map(each => each.id)],
    tokens: tokens.filter(each => each.expiresAt === null || each.expiresAt > now),
    sessions: sessions.filter(each => each.expiresAt > now),
    publishers,
  }
}

async function findHolders(
  { store, clock }: Ports,
  query: RevokeQuery,
): Promise<{ accounts: ReadonlyMap<string, string>; publishers: readonly TrustedPublisher[] }> {
  if ('account' in query) {
    const found = await store.identity.findAccountByLogin(query.account)
    if (found === undefined) throw problem('user-not-found', { user: query.account })
    return { accounts: new Map([[found.id, found.login]]), publishers: [] }
  }
  if ('publisher' in query) {
    const found = await store.identity.findPublisher(query.publisher)
    if (found === undefined) throw problem('measure-invalid', { why: 'there is no such publisher' })
    return { accounts: new Map(), publishers: [found] }
  }
  const people = await store.identity.listHolders(query.package)
  const publishing = people.filter(each => each.role === 'owner' || each.role === 'maintainer')
  const publishers = await store.identity.listPublishers(query.package, clock())
  return { accounts: new Map(publishing.map(each => [each.accountId, each.login])), publishers }
}
