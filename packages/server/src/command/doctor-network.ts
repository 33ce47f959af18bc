// SPDX-License-Identifier: Apache-2.0
/** What doctor looks at from outside: whether clients reach this instance, and what stands in between. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findPasskeyPlace } from '../flow/index.ts'
import { type Config, isLoopback, openKeyFolder } from '../main.ts'
import { type Check, type Finding, fail, ok, warn } from './doctor-check.ts'

const patienceMs = 5000

/** Checks that ask the address by which clients come. */
export function networkChecks(config: Config, url: string): Check[] {
  return [
    { name: 'public-url', look: () => checkAnswers(config, url) },
    { name: 'proxy', look: () => checkProxy(config, url) },
    { name: 'passkeys', look: async () => checkPasskeys(config) },
  ]
}

/** The answer must be signed with our key: another instance, or a stale name in the DNS, would answer as well. */
async function checkAnswers(config: Config, url: string): Promise<Finding> {
  const answer = await ask(`${url}/npm/-/npm/v1/keys`)
  if (typeof answer === 'string') return explainSilence(url, answer)
  if (answer.status !== 200) {
    return fail(
      'public-url',
      `${url} answers with status ${answer.status} where the signing keys should be.`,
      'Check that publicUrl is the address of this registry, and that the proxy passes every path on.',
    )
  }
  if (!existsSync(join(config.keys, 'npm.pem')))
    return warn(
      'public-url',
      `${url} answers, and there is no key here to compare.`,
      'Run doctor where the keys folder is.',
    )
  const { keyId } = await openKeyFolder(config.keys)
  if (keysOf(await answer.json()).includes(keyId)) return ok('public-url', `${url} answers as this instance.`)
  return fail(
    'public-url',
    `${url} is answered by another instance: it does not know the key ${keyId}.`,
    'Check publicUrl, DNS and the proxy, or --data and --config.',
  )
}

/** A registry that serves this machine alone may just not be running. */
function explainSilence(url: string, why: string): Finding {
  const say = `${url} does not answer: ${why}.`
  if (isLoopback(new URL(url).hostname))
    return warn('public-url', say, 'Start the registry, or name its address with --url.')
  return fail('public-url', say, 'Start the registry; check publicUrl, DNS, certificate and proxy.')
}

function keysOf(body: unknown): unknown[] {
  const keys: unknown = typeof body === 'object' && body !== null && 'keys' in body ? body.keys : undefined
  return Array.isArray(keys)
    ? keys.map(key => (typeof key === 'object' && key !== null ? key.keyid : undefined))
    : []
}

/**
 * Whether forwarded addresses are believed where they must be. We speak plain HTTP ourselves, so an https address means
 * a proxy; so do headers that we never send. Whether `trustedProxies` names the right one cannot be seen from here.
 */
async function checkProxy({ trustedProxies, host }: Config, url: string): Promise<Finding> {
  const seen = await explainProxy(url)
  const known = trustedProxies.length > 0
  if (seen !== undefined && !known) {
    const todo = `Name the proxy's address in trustedProxies${isLoopback(host) ? ', here probably 127.0.0.1' : ''}.`
    return warn(
      'proxy',
      `${seen}, but trustedProxies is empty: all clients seem to come from the proxy, share its limits, and stand in the records under its address.`,
      todo,
    )
  }
  if (seen === undefined && known) return ok('proxy', 'trustedProxies is set, and no proxy shows itself.')
  return ok('proxy', known ? `${seen}, and trustedProxies is set.` : 'No proxy shows itself in front.')
}

/** Passkeys belong to a host name for ever, so it is better seen before people enrol. */
function checkPasskeys({ publicUrl }: Config): Finding {
  const place = findPasskeyPlace(publicUrl)
  if (place !== undefined)
    return ok('passkeys', `Passkeys work at ${place.origin}, and belong to ${place.rpId}.`)
  return warn(
    'passkeys',
    `Browsers make no passkeys for ${publicUrl}: it is a number.`,
    'Set publicUrl to an https address with a host name that stays.',
  )
}

async function explainProxy(url: string): Promise<string | undefined> {
  if (url.startsWith('https://')) return 'The address is https, which a proxy must have added'
  const answer = await ask(`${url}/-/health/live`)
  if (typeof answer === 'string') return undefined
  const name = answer.headers.get('via') ?? answer.headers.get('server')
  return name === null ? undefined : `A proxy answers (${name.replace(/[^\w ./-]/g, '?').slice(0, 60)})`
}

/** The answer, or why there is none. */
async function ask(url: string): Promise<Response | string> {
  try {
    return await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(patienceMs) })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return cause instanceof Error ? cause.message : String(cause)
  }
}
