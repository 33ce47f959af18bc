// SPDX-License-Identifier: Apache-2.0
/** What a browser's passkey is asked to sign: made for one purpose, good for ten minutes, once. */
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { isProblem, type Problem, problem } from '@holdfast/core'
import { isLoopback } from '../config.ts'
import { hashSecret } from '../identity/index.ts'
import type { Ports } from '../ports.ts'

const validMs = 10 * 60_000

/** Where passkeys of this instance work: the relying party's id and the one origin of its pages. */
export interface PasskeyPlace {
  readonly rpId: string
  readonly origin: string
}

/** A page's wish to the browser: the options of WebAuthn as JSON, and what comes back with the answer. */
export interface PasskeyWish {
  readonly options: object
  readonly sealed: string
}

/** What the page sends back: the sealed wish and the browser's answer as JSON text, both hostile. */
export interface PasskeyAnswer {
  readonly sealed: string
  readonly text: string
}

/** What lies in a sealed wish. */
export interface Challenge {
  readonly challenge: string
  /** What it was asked for, by whom: an answer given for one thing is no answer to another. */
  readonly purpose: string
  /** The account that a new passkey is made for. */
  readonly accountId: string
  readonly until: number
}

/** The place of a public address; undefined where browsers know no passkeys. */
export function findPasskeyPlace(publicUrl: string): PasskeyPlace | undefined {
  const { protocol, hostname, port, origin } = new URL(publicUrl)
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) === 0) return { rpId: host, origin }
  // Browsers make passkeys for names only; one's own machine has one.
  return isLoopback(host)
    ? { rpId: 'localhost', origin: `${protocol}//localhost${port === '' ? '' : `:${port}`}` }
    : undefined
}

/** The same, where it is needed. Throws `passkeys-unavailable`. */
export function getPasskeyPlace(ports: Pick<Ports, 'config'>): PasskeyPlace {
  const { publicUrl } = ports.config
  const place = findPasskeyPlace(publicUrl)
  if (place === undefined) throw problem('passkeys-unavailable', { address: publicUrl })
  return place
}

/** A fresh challenge. Nothing is kept of it here until it is answered, so that asking costs nothing. */
export function makeChallenge(
  ports: Pick<Ports, 'sealer' | 'clock'>,
  purpose: string,
  accountId = '',
): { readonly challenge: string; readonly sealed: string } {
  const challenge = randomBytes(32).toString('base64url')
  const made: Challenge = { challenge, purpose, accountId, until: ports.clock() + validMs }
  return { challenge, sealed: ports.sealer.seal(JSON.stringify(made)) }
}

/** Takes a challenge back, once. Throws `passkey-refused`. */
export async function takeChallenge(ports: Ports, sealed: string, purpose: string): Promise<Challenge> {
  const opened = openChallenge(ports, sealed)
  // Another page's, another session's or another command's challenge: an answer must not serve what it was not asked for.
  if (opened.purpose !== purpose) throw refused('it answers another request')
  const now = ports.clock()
  if (opened.until <= now) throw refused('this page was open for too long')
  // Replay: whoever sees an answer on its way must not be able to give it again.
  const isFirst = await ports.store.upkeep.useChallenge(hashSecret(opened.challenge), opened.until, now)
  if (!isFirst) throw refused('this answer was given before')
  return opened
}

/** The account that a refused sign-up asked its passkey for: the next try replaces that passkey on the device. */
export function accountOfChallenge(ports: Ports, sealed: string): string {
  return openChallenge(ports, sealed).accountId
}

/** The refusal of a passkey, with what is wrong with it. */
export function refused(why: string): Problem {
  return problem('passkey-refused', { why })
}

function openChallenge(ports: Ports, sealed: string): Challenge {
  try {
    return JSON.parse(ports.sealer.open(sealed)) as Challenge
  } catch (error) {
    if (!isProblem(error)) throw error
    throw refused('it answers no request of this registry')
  }
}
