// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { demand } from './probe.ts'
import { describeReply, type ProbeClient, readObject } from './probe-client.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Sets up an authenticator for an account as `npm profile enable-2fa auth-only` does; gives the recovery codes. */
export async function enrolAuthenticator(
  client: ProbeClient,
  account: { readonly password: string; readonly token: string },
): Promise<readonly string[]> {
  const ask = (tfa: unknown) =>
    client.ask('POST', '/npm/-/npm/v1/user', { token: account.token, body: JSON.stringify({ tfa }) })
  const begun = readObject(await ask({ password: account.password, mode: 'auth-only' }), 'enabling 2FA')
  const seed = new URL(String(begun['tfa'])).searchParams.get('secret') ?? ''
  const done = await ask([totp(seed, Date.now())])
  demand(done.status === 200, `an authenticator must be accepted: ${describeReply(done)}`)
  const { tfa } = JSON.parse(done.body.toString()) as { tfa?: unknown }
  return Array.isArray(tfa) ? tfa.map(String) : []
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
