// SPDX-License-Identifier: Apache-2.0
import { excerpt, looksLikeDrill, problem } from '@holdfast/core'

const login = /^[a-z0-9](?:[a-z0-9._-]{0,37}[a-z0-9])?$/
const address = /^[^\s@<>"(),:;\\[\]\p{Cc}]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/iu
const reserved = new Set(['admin', 'holdfast', 'npm', 'operator', 'root', 'system', 'undefined', 'null'])

/** A new user name or organisation: it may become a scope, a path segment and a word on a page. Throws `invalid-login`. */
export function parseLogin(input: unknown): string {
  const why = findLoginFault(input)
  if (why !== undefined) throw problem('invalid-login', { login: excerpt(input), why })
  return input as string
}

/** A mail address that a letter can be sent to without surprises. Throws `invalid-email`. */
export function parseEmail(input: unknown): string {
  // No quoting, comments, lists or line breaks: a letter must go to exactly one mailbox.
  if (typeof input === 'string' && input.length <= 254 && address.test(input)) return input
  throw problem('invalid-email', { email: excerpt(input) })
}

function findLoginFault(input: unknown): string | undefined {
  if (typeof input !== 'string') return 'it is not text'
  if (reserved.has(input)) return 'it is reserved'
  // Whoever had it could pass for a rehearsal.
  if (looksLikeDrill(input.slice(0, 64))) return 'it is reserved for drills'
  return login.test(input)
    ? undefined
    : 'it must be 1 to 39 lower-case letters, digits, `-`, `_` or `.`, with a letter or digit at both ends'
}
