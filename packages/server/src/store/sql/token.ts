// SPDX-License-Identifier: Apache-2.0
import type { Selectable } from 'kysely'
import type { Token, TokenLimits } from '../../identity/index.ts'
import type { Schema } from './schema.ts'

/** A token's row; the secret itself is nowhere. */
export function fromToken(hash: string, token: Token): Schema['token'] {
  return {
    id: token.id,
    hash,
    holder: token.holder,
    account: token.accountId,
    name: token.name,
    description: token.description,
    origin: token.origin,
    hint: token.hint,
    limits: JSON.stringify(token.limits),
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    last_used_at: token.lastUsedAt,
    revoked_at: null,
  }
}

export function toToken(row: Selectable<Schema['token']>): Token {
  return {
    id: row.id,
    holder: row.holder as Token['holder'],
    accountId: row.account,
    name: row.name,
    description: row.description,
    origin: row.origin as Token['origin'],
    hint: row.hint,
    limits: JSON.parse(row.limits) as TokenLimits,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
  }
}
