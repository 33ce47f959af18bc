// SPDX-License-Identifier: Apache-2.0
/** Upstream registries, and the names that come from each, as a configuration writes them. */
import { readFileSync } from 'node:fs'
import { type NamePattern, parseNamePattern } from '@holdfast/core'
import * as v from 'valibot'
import type { NameRoute, OriginName } from './catalog/index.ts'

/** An upstream registry. */
export interface Origin {
  readonly name: OriginName
  /** Without a slash at the end. */
  readonly url: string
  /** Value of the header that goes to its own host, and to no other. A secret. */
  readonly authorization: string | undefined
  /** An http proxy that everything to it goes through. */
  readonly proxy: string | undefined
  /** Certificates (PEM) that are believed beside those of the machine. */
  readonly ca: string | undefined
}

/** A name of an origin; the others stand for this registry itself, or for all origins. */
const originName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,31}$/, 'the name of an origin must be a short word'),
  v.notValues(['hosted', 'upstreams', 'none'], 'this name has a meaning of its own'),
)
const text = v.string('must be text')
const word = v.pipe(text, v.regex(/^[\x21-\x7e]+$/, 'must be one word'))
const address = v.pipe(
  text,
  v.regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, 'must be an http or https address without a password'),
  v.transform(url => url.replace(/\/+$/, '')),
)
const proxyAddress = v.pipe(text, v.regex(/^https?:\/\/[^\s/?#]+\/?$/, 'must be an http address'))
const file = v.pipe(text, v.rawTransform(readText))

const entry = v.pipe(
  // An address alone says it all, mostly.
  v.unknown(),
  v.transform(said => (typeof said === 'string' ? { url: said } : said)),
  v.strictObject({
    url: address,
    token: v.optional(word),
    tokenFile: v.optional(v.pipe(file, word)),
    user: v.optional(v.pipe(word, v.excludes(':', 'must have no colon'))),
    password: v.optional(text),
    proxy: v.optional(proxyAddress),
    ca: v.optional(v.pipe(file, v.includes('-----BEGIN CERTIFICATE-----', 'holds no certificate (PEM)'))),
  }),
  v.check(
    ({ token, tokenFile, user }) => [token, tokenFile, user].filter(each => each !== undefined).length <= 1,
    'must have one of token, tokenFile and user',
  ),
  v.check(
    ({ user, password }) => (user === undefined) === (password === undefined),
    'user and password go together',
  ),
)

/** Hostile or mistyped text as the address of an origin; undefined where it is none. */
export function parseOriginUrl(said: string): string | undefined {
  const read = v.safeParse(address, said)
  return read.success ? read.output : undefined
}

/** The same for the address of a proxy. */
export function parseProxyUrl(said: string): string | undefined {
  const read = v.safeParse(proxyAddress, said)
  return read.success ? read.output : undefined
}

/** The key `origins`: what there is, by name. */
export const originList = v.pipe(
  v.record(originName, entry, 'must be a mapping from names to addresses'),
  v.transform(origins =>
    Object.entries(origins).map(
      ([name, { url, token, tokenFile, user, password, proxy, ca }]): Origin => ({
        name,
        url,
        authorization: formatAuthorization(token ?? tokenFile, user, password),
        proxy,
        ca,
      }),
    ),
  ),
)

/** The key `routes`: patterns with the origin that their names come from. */
export const routeList = v.pipe(
  v.record(
    v.pipe(text, v.check(isPattern, 'must be a name or a pattern such as @acme/*')),
    text,
    'must be a mapping from patterns to origins',
  ),
  v.transform(routes =>
    Object.entries(routes).map(
      ([pattern, origin]): NameRoute => ({ pattern: pattern as NamePattern, origin }),
    ),
  ),
)

/** What is wrong between the two keys. */
export function originFaults(
  origins: readonly Origin[] = [],
  routes: readonly NameRoute[] | undefined,
): readonly string[] {
  const known = new Set(origins.map(({ name }) => name))
  if (routes === undefined)
    return origins.length > 1 ? ['routes: say which names come from which of the origins'] : []
  const lost = routes.filter(({ origin }) => !known.has(origin))
  return lost.map(
    ({ pattern, origin }) => `routes: ${pattern} comes from ${origin}, which is not among origins`,
  )
}

/** The routes where nobody wrote any: everything comes from the one origin there is. */
export function routesOf(origins: readonly Origin[] = []): readonly NameRoute[] {
  const [only] = origins
  return only === undefined ? [] : [{ pattern: parseNamePattern('*'), origin: only.name }]
}

function formatAuthorization(
  token: string | undefined,
  user: string | undefined,
  password: string | undefined,
): string | undefined {
  if (token !== undefined) return `Bearer ${token}`
  return user === undefined ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function isPattern(said: string): boolean {
  try {
    parseNamePattern(said)
    return true
  } catch {
    return false
  }
}

/** The text of a file, without the line break that editors leave at its end. */
function readText({ dataset, addIssue, NEVER }: v.RawTransformContext<string>): string {
  try {
    return readFileSync(dataset.value, 'utf8').trim()
  } catch (error) {
    addIssue({ message: `cannot be read: ${error instanceof Error ? error.message : String(error)}` })
    return NEVER
  }
}
