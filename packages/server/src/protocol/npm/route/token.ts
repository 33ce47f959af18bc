// SPDX-License-Identifier: Apache-2.0
/** `npm token` and `pnpm token` (protocol reference, section 9.3). */
import { type NamePattern, parseNamePattern, problem } from '@holdfast/core'
import * as v from 'valibot'
import { createToken, listOwnTokens, proveOwner, revokeToken } from '../../../flow/index.ts'
import type { Answer, Call } from '../../../http/index.ts'
import { parseNetwork, type Token, type TokenLimits } from '../../../identity/index.ts'
import type { Ports } from '../../../ports.ts'
import { done, json } from '../answer.ts'
import { part, readBody } from '../body.ts'
import { registryUrl } from '../packument.ts'
import { type Params, type Route, route } from '../router.ts'

export const tokenRoutes: readonly Route[] = [
  route('GET /-/npm/v1/tokens', listTokens),
  route('POST /-/npm/v1/tokens', makeToken),
  route('DELETE /-/npm/v1/tokens/token/:token', endToken),
]

const dayMs = 24 * 3600_000
const defaultPerPage = 50
const maxPerPage = 500
const texts = v.nullish(v.pipe(v.array(v.pipe(v.string(), v.maxLength(214))), v.maxLength(200)))
const permission = v.nullish(
  v.picklist(
    ['read-only', 'read-write', 'read-write-stage-only', 'no-access'],
    'must be read-only, read-write, read-write-stage-only or no-access',
  ),
)

const wish = v.object({
  name: v.nullish(v.pipe(v.string(), v.maxLength(200))),
  password: v.nullish(v.string()),
  description: v.nullish(v.pipe(v.string(), v.maxLength(1000))),
  packages: texts,
  packages_all: v.nullish(v.boolean()),
  scopes: texts,
  orgs: texts,
  packages_and_scopes_permission: permission,
  orgs_permission: permission,
  expires: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3650))),
  cidr_whitelist: texts,
  bypass_2fa: v.nullish(v.boolean()),
  readonly: v.nullish(v.boolean()),
})

type Wish = v.InferOutput<typeof wish>

async function listTokens(ports: Ports, call: Call): Promise<Answer> {
  const all = await listOwnTokens(ports, call.actor)
  const page = count(call.query.get('page'), 0)
  const perPage = Math.min(Math.max(count(call.query.get('perPage'), defaultPerPage), 1), maxPerPage)
  const shown = all.slice(page * perPage, (page + 1) * perPage)
  // Absolute, because pnpm resolves a path against the host and would lose the mount.
  const next = `${registryUrl(ports.config.publicUrl)}/-/npm/v1/tokens?page=${page + 1}&perPage=${perPage}`
  const urls = (page + 1) * perPage < all.length ? { next } : {}
  return json(200, { objects: shown.map(describe), total: all.length, urls })
}

async function makeToken(ports: Ports, call: Call): Promise<Answer> {
  const { actor } = call
  if (actor.kind !== 'person') throw problem('unauthenticated')
  const body = await readBody(call, wish)
  const limits = toLimits(body)
  // A stolen token must not breed: whoever makes one shows the password.
  const account = await proveOwner(ports, actor, body.password ?? '')
  const { secret, token } = await createToken(ports, actor, account, {
    name:
      body.name || body.description || `made with ${actor.from.client.split(' ')[0] || 'an unknown client'}`,
    description: body.description ?? '',
    limits,
    ...(body.expires == null ? {} : { lifeMs: body.expires * dayMs }),
  })
  return json(200, { ...describe(token), token: secret })
}

async function endToken(ports: Ports, call: Call, params: Params): Promise<Answer> {
  await revokeToken(ports, call.actor, part(params, 'token'))
  return done
}

/** pnpm and older npm ask for a token with or without the right to write; npm 11 names what it may touch. */
function toLimits(body: Wish): TokenLimits {
  const cidr = body.cidr_whitelist?.map(text => parseNetwork(text, 'cidr_whitelist'))
  const common = {
    bypassTfa: body.bypass_2fa === true,
    ...(cidr === undefined || cidr.length === 0 ? {} : { cidr }),
  }
  if (body.readonly != null) return { ...common, permission: body.readonly ? 'read-only' : 'read-write' }
  const writes = body.packages_and_scopes_permission === 'read-write'
  const stages = body.packages_and_scopes_permission === 'read-write-stage-only'
  const manages = body.orgs_permission === 'read-write' && (body.orgs?.length ?? 0) > 0
  if (stages && manages)
    throw problem('invalid-body', { why: 'a token stages versions or manages organisations, not both' })
  return {
    ...common,
    // npm 11 drops `--read-only` on the way, so what does not say `read-write` may only read.
    permission: writes || manages ? 'read-write' : stages ? 'stage-only' : 'read-only',
    // The right to manage an organisation must not become a right to write packages.
    ...(manages && !writes ? { packages: [] } : packagesOf(body)),
    // Such a token manages the organisations it names and nothing else: neither the account nor other tokens.
    orgs: manages ? (body.orgs ?? []).map(org => org.replace(/^@/, '')) : [],
  }
}

/** To read, nothing named means every package as far as the account goes; to write, they have to be named. */
function packagesOf(body: Wish): { packages?: readonly NamePattern[] } {
  const rights = body.packages_and_scopes_permission
  if (rights === 'no-access') return { packages: [] }
  const scopes = (body.scopes ?? []).map(scope => `@${scope.replace(/^@/, '').replace(/\/\*?$/, '')}/*`)
  const named = [...(body.packages ?? []), ...scopes]
  if (body.packages_all === true) return {}
  if (named.length > 0) return { packages: named.map(parseNamePattern) }
  if (rights !== 'read-write' && rights !== 'read-write-stage-only') return {}
  throw problem('invalid-body', {
    why: 'say what the token may write to: --packages, --scopes or --packages-all',
  })
}

/** A token as lists show it: never the secret. */
function describe(token: Token): Record<string, unknown> {
  const { limits } = token
  return {
    key: token.id,
    token: token.hint,
    name: token.name,
    description: token.description,
    origin: token.origin,
    created: new Date(token.createdAt).toISOString(),
    updated: new Date(token.lastUsedAt ?? token.createdAt).toISOString(),
    last_used: token.lastUsedAt === null ? null : new Date(token.lastUsedAt).toISOString(),
    readonly: limits.permission === 'read-only',
    cidr_whitelist: limits.cidr ?? null,
    bypass_2fa: limits.bypassTfa,
    ...(limits.packages === undefined ? {} : { packages: limits.packages }),
    ...(limits.orgs === undefined ? {} : { orgs: limits.orgs }),
    ...(token.expiresAt === null ? {} : { expires: new Date(token.expiresAt).toISOString() }),
  }
}

function count(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : otherwise
}
