// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto'
import { tokenChecksum, tokenPrefix } from '@holdfast/core'

export { isToken } from '@holdfast/core'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const randomLength = 32

/**
 * A new token secret: `holdfast_<instance id>_<32 random characters><checksum>`. The prefix and the checksum (CRC-32,
 * six base-62 digits, over all before it) let scanners find leaked ones without false alarms, and the instance id says
 * whom to tell. 190 bits of randomness, so a plain SHA-256 is enough at rest.
 */
export function makeToken(instanceId: string): string {
  const body = `${tokenPrefix}${instanceId}_${randomText(randomLength)}`
  return body + tokenChecksum(body)
}

/** What is stored instead of a secret: SHA-256, hex. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex')
}

/** Unguessable text of `length` base-62 characters, without modulo bias. */
export function randomText(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += alphabet[byte % 62]
    }
  }
  return text
}

/** An opaque id for the log: a prefix and 64 random bits. */
export function randomId(
  prefix:
    | 'a_'
    | 'r_'
    | 't_'
    | 's_'
    | 'w_'
    | 'wv_'
    | 'rv_'
    | 'wh_'
    | 'nt_'
    | 'an_'
    | 'drill-'
    | 'tp_'
    | 'rb_'
    | 'tm_'
    | 'rep_'
    | 'case-'
    | 'lock-'
    | 'measure-',
): string {
  return prefix + randomBytes(8).toString('hex')
}
