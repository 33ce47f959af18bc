// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { demand } from './probe.ts'
import type { ProbeAccount } from './probe-account.ts'
import { describeReply, type ProbeClient, readObject } from './probe-client.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Somebody with an authenticator who signed in with it. */
export interface Enrolled {
  /** The token of that sign-in. */
  readonly token: string
  /** Recovery codes that are left. */
  readonly codes: readonly string[]
}

/** Sets up an authenticator for an account as `npm profile enable-2fa auth-only` does, and signs in again with it. */
export async function enrolAuthenticator(client: ProbeClient, account: ProbeAccount): Promise<Enrolled> {
  const { login, password, token } = account
  const ask = (tfa: unknown) =>
    client.ask('POST', '/npm/-/npm/v1/user', { token, body: JSON.stringify({ tfa }) })
  const begun = readObject(await ask({ password, mode: 'auth-only' }), 'enabling 2FA')
  const seed = new URL(String(begun['tfa'])).searchParams.get('secret') ?? ''
  const done = readObject(await ask([totp(seed, Date.now())]), 'an authenticator')
  const [otp = '', ...codes] = (done['tfa'] as unknown[]).map(String)
  const body = JSON.stringify({ _id: `org.couchdb.user:${login}`, name: login, password, type: 'user' })
  const again = await client.ask('PUT', `/npm/-/user/org.couchdb.user:${login}`, { body, token: '', otp })
  demand(again.status === 201, `signing in with a code must work: ${describeReply(again)}`)
  return { token: String(JSON.parse(again.body.toString())['token']), codes }
}

/** The six digits of RFC 6238 at a moment, computed here and not by the server's library. */
export function totp(seed: string, now: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30_000)))
  const hash = createHmac('sha1', decodeBase32(seed)).update(counter).digest()
  const offset = (hash.at(-1) ?? 0) & 0x0f
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

function decodeBase32(text: string): Buffer {
  const bits = [...text].map(letter => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map(byte => Number.parseInt(byte, 2)))
}
