// SPDX-License-Identifier: Apache-2.0
/** Everything that somebody, a CI publisher, everybody of a package or everybody at all could act with ends at once. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type PackageName, parsePackageName, problem, type ReasonCode } from '@holdfast/core'
import {
  type Actor,
  authorize,
  type Grant,
  type Session,
  type Token,
  type TrustedPublisher,
} from '../identity/index.ts'
import { parseTime } from '../incident/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { checkKeys, parseReason } from './measure.ts'
import { provePresence } from './presence.ts'
import { endToken } from './token.ts'
import { trustEvent } from './trust.ts'

const perCommit = 500
const mostCommits = 2000

/** Whose means end, of which one is named or nobody, who is everybody; and when they were made. */
export interface RevokeQuery {
  /** A login. */
  readonly account?: string
  /** The id of a CI publisher. */
  readonly publisher?: string
  /** Whoever may publish it. */
  readonly package?: PackageName
  /** The id of one token. */
  readonly token?: string
  readonly since?: number
  readonly until?: number
}

/** What a revocation ends. */
export interface Means {
  /** Account or publisher, by whom they are held; empty for everybody. */
  readonly holders: readonly string[]
  readonly tokens: readonly Token[]
  readonly sessions: readonly Session[]
  /** Those of the holders; one that is named ends too. */
  readonly publishers: readonly TrustedPublisher[]
  /** Must be typed to confirm; empty where nothing need be. */
  readonly word: string
}

interface Why {
  readonly reason: ReasonCode
  readonly words: string
  readonly incident: string
  /** What was typed. */
  readonly confirm?: string
}

interface Holders {
  /** Logins by ids of accounts. */
  readonly accounts: ReadonlyMap<string, string>
  readonly publishers: readonly TrustedPublisher[]
}

const whose = ['account', 'publisher', 'package', 'token'] as const

/** Reads what came by the API or the command line. Throws `measure-invalid`. */
export function parseRevocation(text: Readonly<Record<string, string | undefined>>): {
  readonly query: RevokeQuery
  readonly why: Why
} {
  checkKeys(text, [...whose, 'since', 'until'], ['kind', 'preview'])
  if (whose.filter(each => text[each] !== undefined).length > 1)
    throw problem('measure-invalid', { why: `it names one of ${whose.join(', ')}` })
  const { account, publisher, package: name, token, since, until } = text
  const { reason = '', words = '', incident = '', confirm = '' } = text
  return {
    query: {
      ...(account === undefined ? {} : { account }),
      ...(publisher === undefined ? {} : { publisher }),
      ...(name === undefined ? {} : { package: parsePackageName(name) }),
      ...(token === undefined ? {} : { token }),
      ...(since === undefined ? {} : { since: parseTime(since) }),
      ...(until === undefined ? {} : { until: parseTime(until) }),
    },
    why: {
      reason: parseReason(reason),
      words: words.slice(0, 2000),
      incident: incident.slice(0, 64),
      confirm,
    },
  }
}

/** What would end, without ending it. Throws `user-not-found`, `measure-invalid`. */
export async function previewRevocation(ports: Ports, actor: Actor, query: RevokeQuery): Promise<Means> {
  await authorize(ports, actor, 'measure:take', '')
  return findMeans(ports, query, await findHolders(ports, query))
}

/**
 * Ends tokens and sessions, and a publisher that is named; that cannot be undone: new ones are made. Some in a commit, until none
 * is left: a crash leaves some, and the same again ends them. Throws `measure-unconfirmed` where a word must be typed.
 */
export async function revokeMeans(
  ports: Ports,
  actor: Actor,
  query: RevokeQuery,
  { confirm, ...why }: Why,
): Promise<Means> {
  const grant = await authorize(ports, actor, 'measure:take', '')
  await provePresence(ports, grant)
  const holders = await findHolders(ports, query)
  const found = await findMeans(ports, query, holders)
  const { word, publishers } = found
  if (word !== '' && confirm !== word)
    throw problem('measure-unconfirmed', { count: found.tokens.length + found.sessions.length, word })
  const ended = query.publisher === undefined ? [] : publishers
  const detail = { op: 'revoke', ...query, ...why }
  const events = [{ type: 'measure' as const, detail }, ...ended.map(each => trustEvent(each, 'remove'))]
  await ports.store.commit(grant, events, async tx => {
    if (query.token === undefined)
      for (const id of holders?.accounts.keys() ?? []) await tx.identity.endPresence(id)
    for (const { id } of ended) await tx.identity.removePublisher(id, ports.clock())
    await endSome(tx, found, ports.clock())
  })
  await endRest(ports, grant, () => findMeans(ports, query, holders))
  return found
}

/** What is made while others end is found by the next look, and ends too. */
async function endRest(ports: Ports, grant: Grant, find: () => Promise<Means>): Promise<void> {
  for (let commits = 0; commits < mostCommits; commits++) {
    await nextTurn()
    const found = await find()
    if (found.tokens.length + found.sessions.length === 0) return
    await ports.store.commit(grant, [], tx => endSome(tx, found, ports.clock()))
  }
}

/** Sessions first: they make tokens. */
async function endSome(tx: Tx, found: Means, at: number): Promise<void> {
  const sessions = found.sessions.slice(0, perCommit)
  for (const { id, accountId } of sessions) {
    await tx.identity.removeSession(id)
    tx.record({ type: 'session-end', detail: { account: accountId, session: id } })
  }
  for (const token of found.tokens.slice(0, perCommit - sessions.length))
    await endToken(tx, token, 'request', at)
}

async function findMeans(
  { store: { identity }, clock }: Ports,
  query: RevokeQuery,
  holders: Holders | undefined,
): Promise<Means> {
  const now = clock()
  const { since = 0, until = Number.MAX_SAFE_INTEGER } = query
  const isMeant = (each: Token | Session) =>
    each.createdAt >= since &&
    each.createdAt < until &&
    (each.expiresAt === null || each.expiresAt > now) &&
    (query.token === undefined || each.id === query.token)
  if (holders === undefined)
    return {
      holders: [],
      tokens: (await identity.listTokensMade(since, until)).filter(isMeant),
      sessions: (await identity.listSessionsMade(since, until)).filter(isMeant),
      publishers: [],
      word: 'everything',
    }
  const { accounts, publishers } = holders
  const ids = [...accounts.keys(), ...publishers.map(each => each.id)]
  const sessions = query.token === undefined ? [...accounts.keys()] : []
  return {
    holders: [...accounts.values(), ...publishers.map(each => each.id)],
    tokens: (await Promise.all(ids.map(id => identity.listTokens(id)))).flat().filter(isMeant),
    sessions: (await Promise.all(sessions.map(id => identity.listSessions(id)))).flat().filter(isMeant),
    publishers,
    word: '',
  }
}

/** Undefined for everybody. */
async function findHolders({ store, clock }: Ports, query: RevokeQuery): Promise<Holders | undefined> {
  const { identity } = store
  if (query.account !== undefined) {
    const found = await identity.findAccountByLogin(query.account)
    if (found === undefined) throw problem('user-not-found', { user: query.account })
    return { accounts: new Map([[found.id, found.login]]), publishers: [] }
  }
  if (query.publisher !== undefined) {
    const found = await identity.findPublisher(query.publisher)
    if (found === undefined) throw problem('measure-invalid', { why: 'there is no such publisher' })
    return { accounts: new Map(), publishers: [found] }
  }
  if (query.token !== undefined) {
    const holder = await identity.findTokenHolder(query.token)
    if (holder === undefined) throw problem('measure-invalid', { why: 'there is no such token' })
    // Of a robot or a job its id stands for it.
    const login = (await identity.findAccount(holder))?.login ?? holder
    return { accounts: new Map([[holder, login]]), publishers: [] }
  }
  if (query.package === undefined) return undefined
  const people = await identity.listHolders(query.package)
  const publishing = people.filter(each => each.role === 'owner' || each.role === 'maintainer')
  const publishers = await identity.listPublishers(query.package, clock())
  return { accounts: new Map(publishing.map(each => [each.accountId, each.login])), publishers }
}
