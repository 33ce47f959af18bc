// SPDX-License-Identifier: Apache-2.0
import { isProblem, problem } from '@holdfast/core'
import type { JSONWebKeySet, JWK } from 'jose'
import * as v from 'valibot'
import type { Ports } from '../ports.ts'

type Asked = Pick<Ports, 'outbound' | 'clock'>

interface KnownKeys {
  keys: readonly JWK[]
  /** When they were last asked for, with or without success. */
  askedAt: number
  asking: Promise<void> | undefined
  /** Why the last time failed, empty when it did not. */
  failure: string
}

/** How often an issuer is asked at most: tokens with made-up key ids must not become requests. */
const askEveryMs = 60_000
/** When keys are asked for again although they still fit: a withdrawn key does not count for ever. */
const freshMs = 24 * 3600_000
const maxIssuers = 200

const discovery = v.object({ issuer: v.string(), jwks_uri: v.string() })
const keySet = v.object({ keys: v.array(v.looseObject({ kty: v.string(), kid: v.optional(v.string()) })) })

const knownOf = new WeakMap<Ports['outbound'], Map<string, KnownKeys>>()

/**
 * The public key of an issuer with this id, as a set of one. Remembered; an issuer that is down goes on with the keys
 * that are known. Throws `job-token-invalid`, or `remote-failed` when the issuer was never reached.
 */
export async function findIssuerKey(ports: Asked, issuer: string, kid: string): Promise<JSONWebKeySet> {
  const known = remembered(ports, issuer)
  // Whoever comes while they are asked for waits for the same answer.
  if (known.asking !== undefined) await known.asking
  const age = ports.clock() - known.askedAt
  const isOld = age >= freshMs
  if (isOld || (age >= askEveryMs && !known.keys.some(key => key.kid === kid)))
    await askOnce(ports, issuer, known)
  const key = known.keys.find(each => each.kid === kid)
  if (key !== undefined) return { keys: [key] }
  if (known.keys.length === 0 && known.failure !== '')
    throw problem('remote-failed', { host: new URL(issuer).host, why: known.failure })
  throw problem('job-token-invalid', { why: 'its issuer has no key with its key id' })
}

function remembered(ports: Asked, issuer: string): KnownKeys {
  const all = knownOf.get(ports.outbound) ?? new Map<string, KnownKeys>()
  knownOf.set(ports.outbound, all)
  const known = all.get(issuer) ?? { keys: [], askedAt: -freshMs, asking: undefined, failure: '' }
  if (!all.has(issuer) && all.size >= maxIssuers) all.delete(all.keys().next().value ?? '')
  all.set(issuer, known)
  return known
}

/** One request for all who wait for it. */
function askOnce(ports: Asked, issuer: string, known: KnownKeys): Promise<void> {
  known.asking ??= ask(ports, issuer, known).finally(() => {
    known.asking = undefined
  })
  return known.asking
}

async function ask(ports: Asked, issuer: string, known: KnownKeys): Promise<void> {
  known.askedAt = ports.clock()
  try {
    const keys = await fetchKeys(ports, issuer)
    // An empty answer never replaces keys that work.
    if (keys.length > 0) known.keys = keys
    known.failure = keys.length > 0 ? '' : 'it publishes no key'
  } catch (error) {
    if (!isProblem(error)) throw error
    known.failure = error.message
  }
}

async function fetchKeys(ports: Asked, issuer: string): Promise<readonly JWK[]> {
  const found = await fetchJson(
    ports,
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    discovery,
  )
  const host = new URL(issuer).host
  // Another issuer's document must not lend its keys to this name.
  if (found.issuer !== issuer) throw problem('remote-failed', { host, why: 'it calls itself another issuer' })
  if (!URL.canParse(found.jwks_uri) || new URL(found.jwks_uri).host !== host)
    throw problem('remote-failed', { host, why: 'its keys lie on another host' })
  const { keys } = await fetchJson(ports, found.jwks_uri, keySet)
  return keys.filter(({ kty, kid }) => ['RSA', 'EC'].includes(kty) && kid !== undefined) as JWK[]
}

async function fetchJson<S extends v.GenericSchema>(
  ports: Asked,
  url: string,
  shape: S,
): Promise<v.InferOutput<S>> {
  const { status, bytes } = await ports.outbound.ask({ url, deadlineMs: 5000, maxBytes: 64 * 1024 })
  const parsed = status === 200 ? v.safeParse(shape, parse(bytes)) : undefined
  if (parsed?.success === true) return parsed.output
  throw problem('remote-failed', {
    host: new URL(url).host,
    why: `status ${status} at ${new URL(url).pathname}`,
  })
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
