// SPDX-License-Identifier: Apache-2.0
/**
 * The form of a token: `holdfast_<instance id>_<32 random characters><checksum>`. Prefix and checksum (CRC-32 of all
 * before it, six base-62 digits) let anybody find leaked ones without false alarms; the instance id says whom to tell.
 */

/** With what every token begins. */
export const tokenPrefix = 'holdfast_'
/** How many characters a token has. */
export const tokenLength = 56
/** The form as every engine of regular expressions reads it; its checksum has to be computed. */
export const tokenPattern = 'holdfast_[a-z0-9]{8}_[0-9A-Za-z]{38}'

const checksumLength = 6
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const form = new RegExp(`^${tokenPattern}$`)

/** True when the text has the form of a token of any instance, checksum included. */
export function isToken(text: string): boolean {
  const body = text.slice(0, -checksumLength)
  return form.test(text) && tokenChecksum(body) === text.slice(-checksumLength)
}

/** The six characters that follow such a beginning of a token. */
export function tokenChecksum(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let i = 0; i < checksumLength; i++) {
    text = digits[rest % 62] + text
    rest = Math.floor(rest / 62)
  }
  return text
}

/** The instance id that a token names. */
export function instanceOfToken(token: string): string {
  return token.slice(tokenPrefix.length, tokenPrefix.length + 8)
}

/** CRC-32 of ASCII text, as in gzip. */
function crc32(text: string): number {
  let value = 0xffffffff
  for (let i = 0; i < text.length; i++) {
    value ^= text.charCodeAt(i) & 0xff
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0)
  }
  return (value ^ 0xffffffff) >>> 0
}
