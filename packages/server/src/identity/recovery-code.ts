// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto'
import { hashSecret } from './token.ts'

const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789'
const form = /^[a-hjkmnp-z2-9]{5}(?:-[a-hjkmnp-z2-9]{5}){3}$/
const howMany = 10

/** Ten codes for the drawer, of 99 bits each: letters and digits that nobody mistakes for one another. */
export function makeRecoveryCodes(): readonly string[] {
  return Array.from({ length: howMany }, makeCode)
}

/** Whether text has exactly the form of a recovery code, so that one code has one spelling. */
export function isRecoveryCode(text: string): boolean {
  return form.test(text)
}

/** What is stored: bound to the account. */
export function hashRecoveryCode(accountId: string, code: string): string {
  return hashSecret(`recovery ${accountId} ${code}`)
}

function makeCode(): string {
  let letters = ''
  while (letters.length < 20) {
    // 248 is the largest multiple of 31 in a byte: no letter is likelier than another.
    for (const byte of randomBytes(32)) if (byte < 248 && letters.length < 20) letters += alphabet[byte % 31]
  }
  return [0, 5, 10, 15].map(at => letters.slice(at, at + 5)).join('-')
}
