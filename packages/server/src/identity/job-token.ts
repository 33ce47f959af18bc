// SPDX-License-Identifier: Apache-2.0
/** The token by which a CI job says who it is: hostile until every check here has passed (provenance reference, section 10). */
import { createHash } from 'node:crypto'
import { isProblem, type Problem, problem } from '@holdfast/core'
import type { JSONWebKeySet } from 'jose'
import type { CiIssuer, Config } from '../config.ts'
import type { Claims } from './job-facts.ts'

/** Never from the token: `none` and HS256 with a public key as secret are how others were fooled. */
const algorithms = ['RS256', 'ES256']
const toleranceSeconds = 30
/** A used token is remembered this much longer than it could still be taken. */
const marginMs = 5 * 60_000
/** GitHub makes a token when the job asks; elsewhere it is made when the job starts, and its steps take time. */
const maxAgeSeconds = { github: 10 * 60, gitlab: 3600, circleci: 3600, generic: 3600 } as const
const maxLength = 12 * 1024

/** A token whose signature, issuer, audience and times hold. */
export interface JobToken {
  readonly issuer: CiIssuer
  readonly claims: Claims
  /** What makes it one of its kind: its `jti`, else its digest. */
  readonly nonce: string
  /** Until when the nonce must be remembered. */
  readonly rememberUntil: number
}

/** The audiences a token for this instance may name: npm and pnpm leave the port out, yarn does not. */
export function audiencesOf({ publicUrl }: Pick<Config, 'publicUrl'>): readonly string[] {
  const { hostname, host, port } = new URL(publicUrl)
  return port === '' ? [`npm:${hostname}`] : [`npm:${hostname}`, `npm:${host}`]
}

/** The issuer that a token names, not verified: only to choose whose keys to check it with. */
export function readUnverifiedIssuer(jwt: string): string {
  const iss = decodePart(jwt, 1)['iss']
  if (typeof iss !== 'string') throw invalid('it names no issuer')
  return iss
}

/** The id of the key that a token was signed with. Throws `job-token-invalid` for anything but a plain signed token. */
export function readKeyId(jwt: string): string {
  if (jwt.length > maxLength || jwt.split('.').length !== 3) throw invalid('it is not a signed token')
  const header = decodePart(jwt, 0)
  // Keys are the issuer's business, never the token's own.
  if (['jku', 'jwk', 'x5u', 'x5c', 'crit'].some(name => Object.hasOwn(header, name)))
    throw invalid('it brings a key of its own')
  const typ = String(header['typ'] ?? 'JWT').toLowerCase()
  if (!['jwt', 'at+jwt'].includes(typ)) throw invalid('it is not an identity token')
  if (!algorithms.includes(String(header['alg'])))
    throw invalid(`it is not signed with ${algorithms.join(' or ')}`)
  if (typeof header['kid'] !== 'string' || header['kid'] === '') throw invalid('it names no key')
  return header['kid']
}

/** Checks signature, issuer, audience and times. Throws `job-token-invalid` with the reason. */
export async function verifyJobToken(
  jwt: string,
  issuer: CiIssuer,
  keys: JSONWebKeySet,
  audiences: readonly string[],
  now: number,
): Promise<JobToken> {
  const { createLocalJWKSet, jwtVerify } = await import('jose')
  const options = {
    algorithms,
    issuer: issuer.issuer,
    audience: [...audiences],
    requiredClaims: ['iss', 'aud', 'exp', 'iat', 'sub', ...(issuer.provider === 'github' ? ['jti'] : [])],
    clockTolerance: toleranceSeconds,
    maxTokenAge: maxAgeSeconds[issuer.provider],
    currentDate: new Date(now),
  }
  const { payload } = await jwtVerify(jwt, createLocalJWKSet(keys), options).catch((error: unknown) => {
    throw explain(error)
  })
  // A token for several is a token that another of them can pass on.
  if (Array.isArray(payload.aud) && payload.aud.length !== 1)
    throw invalid('it is meant for several audiences')
  return {
    issuer,
    claims: payload,
    nonce: nonceOf(jwt, payload.jti),
    rememberUntil: ((payload.exp ?? 0) + toleranceSeconds) * 1000 + marginMs,
  }
}

function nonceOf(jwt: string, jti: unknown): string {
  if (typeof jti === 'string' && jti !== '' && jti.length <= 200) return `jti ${jti}`
  // The signed part alone: the signature of ECDSA can be rewritten into another one that holds as well.
  const signed = jwt.slice(0, jwt.lastIndexOf('.'))
  return `sha256 ${createHash('sha256').update(signed).digest('hex')}`
}

function decodePart(jwt: string, part: 0 | 1): Record<string, unknown> {
  try {
    const text = Buffer.from(jwt.split('.')[part] ?? '', 'base64url').toString('utf8')
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Told below, as for what is JSON and no object.
  }
  throw invalid('it cannot be read')
}

/** What jose refuses, in its own words, which name the claim; anything else is a bug. */
function explain(error: unknown): unknown {
  if (isProblem(error) || !(error instanceof Error) || !('code' in error)) return error
  return String(error.code).startsWith('ERR_J') ? invalid(error.message) : error
}

function invalid(why: string): Problem {
  return problem('job-token-invalid', { why })
}
