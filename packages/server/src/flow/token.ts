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
  toPerson,
  type Whence,
} from '../identity/index.ts'
import type { NewEvent } from '../integrity/index.ts'
import type { Ports } from '../ports.ts'
import { addNotice } from './letter.ts'
import { provePresence } from './presence.ts'

/** A token somebody wants. */
export interface TokenRequest {
  readonly name: string
  readonly limits: TokenLimits
  readonly expiresAt: number | null
}

/** A new token: the secret is told this once. */
export interface NewToken {
  readonly secret: string
  readonly token: Token
}

const hintLength = 'holdfast_12345678_'.length + 4

/** Makes a token for an account: its owner's wish with the second factor, or the operator's at the machine. */
export async function createToken(
  ports: Ports,
  actor: Actor,
  account: Account,
  request: TokenRequest,
): Promise<NewToken> {
  const grant = await authorize(ports, actor, 'token:create', account.id)
  await provePresence(ports, grant)
  const made = makeNewToken(ports, account.id, request)
  await ports.store.commit(grant, tokenCreated(made.token), async tx => {
    await tx.identity.addToken(hashSecret(made.secret), made.token)
    await addNotice(tx, ports, account, `A token named '${request.name}' was made for your account`)
  })
  return made
}

/** A token before it is stored. */
export function makeNewToken(ports: Ports, accountId: string, request: TokenRequest): NewToken {
  const secret = makeToken(ports.store.instance.id)
  const id = randomId('t_')
  const hint = secret.slice(0, hintLength)
  return { secret, token: { ...request, id, accountId, hint, createdAt: ports.clock(), lastUsedAt: null } }
}

export function tokenCreated(token: Token): NewEvent {
  const { id, accountId, name, limits, expiresAt } = token
  return { type: 'token-create', detail: { token: id, account: accountId, name, limits, expiresAt } }
}

/** Ends a token, named by its id or by the secret itself; of one's own, whoever else holds it. Throws `token-not-found`. */
export async function revokeToken(ports: Ports, actor: Actor, idOrSecret: string): Promise<void> {
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const own = await ports.store.identity.listTokens(actor.id)
  const id = isToken(idOrSecret) ? await findIdBySecret(ports, idOrSecret) : idOrSecret
  const token = own.find(each => each.id === id)
  if (token === undefined) throw problem('token-not-found')
  const grant = await authorize(ports, actor, 'token:revoke', actor.id)
  await ports.store.commit(grant, tokenRevoked(token.id), tx =>
    tx.identity.revokeToken(token.id, ports.clock()),
  )
}

/** Ends the token whose secret somebody shows: having it is enough to give it up. Fine when it is no longer good. */
export async function signOutToken(ports: Ports, secret: string, from: Whence): Promise<void> {
  const token = isToken(secret)
    ? await ports.store.identity.findToken(hashSecret(secret), ports.clock())
    : undefined
  const account = token && (await ports.store.identity.findAccount(token.accountId))
  if (token === undefined || account === undefined) return
  const actor = toPerson(
    account,
    { kind: 'token', id: token.id, limits: token.limits, expiresAt: token.expiresAt },
    from,
  )
  const grant = await authorize(ports, actor, 'account:sign-out', account.id)
  await ports.store.commit(grant, tokenRevoked(token.id), tx =>
    tx.identity.revokeToken(token.id, ports.clock()),
  )
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

function tokenRevoked(id: string): NewEvent {
  return { type: 'token-revoke', fields: { subject: id, reason: 'request' } }
}
