// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import {
  type Account,
  type Actor,
  authorize,
  hashSecret,
  isToken,
  makeToken,
  randomId,
  type Token,
  type TokenLimits,
  tfaModeOf,
  tokenEnd,
  toPerson,
  type Whence,
} from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports, Tx } from '../ports.ts'
import { operatorEvent, userOf } from './leaf.ts'
import { addNotice } from './letter.ts'
import { factorMissing } from './mfa-rule.ts'
import { provePresence } from './presence.ts'

/** A token somebody wants. */
export interface TokenRequest {
  readonly name: string
  readonly description?: string
  readonly limits: TokenLimits
  /** How long it shall live; without it as long as is usual. */
  readonly lifeMs?: number
}

/** A new token: the secret is told this once. */
export interface NewToken {
  readonly secret: string
  readonly token: Token
}

const maxTokens = 250
const maxRobotTokens = 50
const hintLength = 'holdfast_12345678_'.length + 4

/**
 * Makes a token for an account: its owner's wish with the second factor, or the operator's at the machine, where that is
 * not switched off. Throws `token-life-too-long`, `operator-tokens-off`, `too-many`.
 */
export async function createToken(
  ports: Ports,
  actor: Actor,
  account: Account,
  request: TokenRequest,
): Promise<NewToken> {
  const grant = await authorize(ports, actor, 'token:create', account.id)
  await provePresence(ports, grant)
  // A password alone must not make what then publishes without anything more.
  if (
    request.limits.bypassTfa &&
    actor.kind === 'person' &&
    tfaModeOf(actor) === 'none' &&
    ports.config.mfa === 'required'
  )
    throw factorMissing(ports, request.name)
  const byOperator = actor.kind === 'operator'
  if (byOperator && ports.config.operatorTokens === 'off') throw problem('operator-tokens-off')
  const origin = byOperator ? 'operator' : 'made'
  const made = makeNewToken(ports, account.id, {
    ...request,
    limits: limitsBy(actor, request.limits),
    origin,
  })
  const events = [
    tokenCreated(made.token),
    ...(byOperator ? [operatorEvent('token', userOf(account.id), { token: made.token.id })] : []),
  ]
  await ports.store.commit(grant, events, async tx => {
    await checkStillHere(tx, account.id)
    await keepToken(tx, made)
    await addNotice(tx, ports, account, creationNotice(made.token))
  })
  return made
}

/** What a token is worth by how it was made is never the request's to say. */
function limitsBy(actor: Actor, { byOperator: _, withFactor: __, ...limits }: TokenLimits): TokenLimits {
  if (actor.kind === 'operator')
    return { ...limits, withFactor: true, ...(limits.bypassTfa ? { byOperator: true } : {}) }
  return actor.kind === 'person' && tfaModeOf(actor) !== 'none' ? { ...limits, withFactor: true } : limits
}

/** What the operator hands out in somebody's name must not stay unseen by them. */
function creationNotice({ name, origin, limits }: Token): string {
  if (origin !== 'operator') return `A token named '${name}' was made for your account`
  const names = limits.packages?.join(', ') ?? 'all your packages'
  return `The operator made a token for your account that may ${limits.permission === 'read-only' ? 'read' : `write to ${names}`}`
}

/** A token before it is stored. */
export function makeNewToken(
  ports: Ports,
  accountId: string,
  request: TokenRequest & Pick<Token, 'origin'> & Partial<Pick<Token, 'holder'>>,
): NewToken {
  const { name, description = '', origin, holder = 'account', limits, lifeMs } = request
  const secret = makeToken(ports.store.instance.id)
  const createdAt = ports.clock()
  const expiresAt = tokenEnd(origin, limits, lifeMs, createdAt)
  const [id, hint] = [randomId('t_'), secret.slice(0, hintLength)]
  const token: Token = {
    id,
    holder,
    accountId,
    name,
    description,
    origin,
    hint,
    limits,
    createdAt,
    expiresAt,
    lastUsedAt: null,
  }
  return { secret, token }
}

/** Asked while others wait: what a leaver makes in the moment of leaving would stay behind. */
export async function checkStillHere(tx: Tx, accountId: string): Promise<void> {
  await tx.identity.holdAccount(accountId)
  const account = await tx.identity.findAccount(accountId)
  if (account !== undefined && account.disabledAt !== null) throw problem('unauthenticated')
}

/**
 * Stores a new token of a person or a robot, which others wait for. Throws `too-many`: who can no longer read through the
 * list of what acts in their name does not see the one that a thief made.
 */
export async function keepToken(tx: Tx, { secret, token }: NewToken): Promise<void> {
  const { accountId, holder, createdAt } = token
  const limit = holder === 'robot' ? maxRobotTokens : maxTokens
  if ((await tx.identity.countTokens(accountId, createdAt)) >= limit)
    throw problem('too-many', { limit, what: `tokens of one ${holder} at a time` })
  await tx.identity.addToken(hashSecret(secret), token)
}

export function tokenCreated(token: Token): NewEvent {
  const { id, accountId, name, origin, limits, expiresAt } = token
  return { type: 'token-create', detail: { token: id, account: accountId, name, origin, limits, expiresAt } }
}

/** Ends a token, named by its id or by the secret itself; of one's own, whoever else holds it. Throws `token-not-found`. */
export async function revokeToken(ports: Ports, actor: Actor, idOrSecret: string): Promise<void> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const own = await ports.store.identity.listTokens(actor.id)
  const id = isToken(idOrSecret) ? await findIdBySecret(ports, idOrSecret) : idOrSecret
  const token = own.find(each => each.id === id)
  if (token === undefined) throw problem('token-not-found')
  const grant = await authorize(ports, actor, 'token:revoke', actor.id)
  await ports.store.commit(grant, [], tx => endToken(tx, token, 'request', ports.clock()))
}

/** Ends the token whose secret somebody shows: having it is enough to give it up. Fine when it is no longer good. */
export async function signOutToken(ports: Ports, secret: string, from: Whence): Promise<void> {
  const token = isToken(secret)
    ? await ports.store.identity.findToken(hashSecret(secret), ports.clock())
    : undefined
  if (token === undefined) return
  const actor = await holderOf(ports, token, from)
  if (actor === undefined) return
  const grant = await authorize(ports, actor, 'account:sign-out', token.accountId)
  await ports.store.commit(grant, [], tx => endToken(tx, token, 'request', ports.clock()))
}

/** Ends a token inside a commit, with its event; false when it was ended before, so that it is told once. */
export async function endToken(
  tx: Tx,
  { id }: Pick<Token, 'id'>,
  reason: 'request' | 'leaked',
  at: number,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<boolean> {
  const isEnded = await tx.identity.revokeToken(id, at)
  if (isEnded) tx.record({ type: 'token-revoke', fields: { subject: id, reason }, detail })
  return isEnded
}

/**
 * Ends every token that an account, a robot or the jobs of a publisher hold now, an event each. It is asked while others
 * wait, so that one made a moment ago is ended too.
 */
export async function endTokensOf(tx: Tx, holderId: string, at: number): Promise<void> {
  for (const token of await tx.identity.listTokens(holderId))
    if (token.expiresAt === null || token.expiresAt > at) await endToken(tx, token, 'request', at)
}

async function holderOf(ports: Ports, token: Token, from: Whence): Promise<Actor | undefined> {
  const { id, limits, expiresAt, accountId } = token
  // A machine has no account that could say so: its token alone does.
  if (token.holder !== 'account') return { kind: 'system', id: `sign-out-${token.holder}` }
  const account = await ports.store.identity.findAccount(accountId)
  return account && toPerson(account, { kind: 'token', id, limits, expiresAt }, from)
}

/** The tokens that work now, newest first. */
export async function listOwnTokens(ports: Ports, actor: Actor): Promise<readonly Token[]> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  await authorize(ports, actor, 'account:read', actor.id)
  const now = ports.clock()
  return (await ports.store.identity.listTokens(actor.id)).filter(
    token => token.expiresAt === null || token.expiresAt > now,
  )
}

async function findIdBySecret(ports: Ports, secret: string): Promise<string | undefined> {
  return (await ports.store.identity.findToken(hashSecret(secret), ports.clock()))?.id
}
