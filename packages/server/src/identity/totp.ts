// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'

const periodMs = 30_000
// One step to either side: clocks differ, and people are slow.
const window = 1

/** A new seed of 160 bits, base32. */
export function makeTotpSeed(): string {
  return new Secret({ buffer: new Uint8Array(randomBytes(20)).buffer }).base32
}

/** What an authenticator app reads from the picture: `otpauth://totp/…`. */
export function totpAddress(seed: string, login: string, issuer: string): string {
  return totp(seed, login, issuer).toString()
}

/** The time step a code belongs to, or undefined when it is wrong. Digits only: white space would let a used code come again. */
export function findTotpStep(seed: string, code: string, now: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined
  const delta = totp(seed, '', '').validate({ token: code, timestamp: now, window })
  return delta === null ? undefined : Math.floor(now / periodMs) + delta
}

/** The code of a moment, as an authenticator app shows it. */
export function totpCode(seed: string, now: number): string {
  return totp(seed, '', '').generate({ timestamp: now })
}

function totp(seed: string, label: string, issuer: string): TOTP {
  return new TOTP({
    secret: Secret.fromBase32(seed),
    label,
    issuer,
    period: periodMs / 1000,
    digits: 6,
    algorithm: 'SHA1',
  })
}
