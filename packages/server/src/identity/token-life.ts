// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'
import type { TokenLimits } from './actor.ts'
import type { Token } from './port.ts'

/** How a token came to be: its owner made it, a command line signed in, or the machine's owner handed it out. */
export type TokenOrigin = 'made' | 'login' | 'operator'

const dayMs = 24 * 3600_000
/** What a token gets that says nothing of its end. */
const defaultMs: Readonly<Record<TokenOrigin, number>> = {
  made: 30 * dayMs,
  login: 30 * dayMs,
  operator: 3600_000,
}
/** The longest lives, for tokens that may write and for those that only read. */
const longestMs: Readonly<Record<TokenOrigin, { readonly write: number; readonly read: number }>> = {
  made: { write: 90 * dayMs, read: 365 * dayMs },
  login: { write: 30 * dayMs, read: 30 * dayMs },
  operator: { write: dayMs, read: 365 * dayMs },
}

/** When a token made now ends. Throws `token-life-too-long`: a leaked token that never ends is found years later. */
export function tokenEnd(
  origin: TokenOrigin,
  limits: TokenLimits,
  lifeMs: number | undefined,
  now: number,
): number {
  const wanted = lifeMs ?? defaultMs[origin]
  const writes = limits.permission === 'read-write'
  const longest = longestMs[origin][writes ? 'write' : 'read']
  if (wanted > longest)
    throw problem('token-life-too-long', {
      right: writes ? 'write' : 'read',
      longest: inDays(longest),
      wanted: inDays(wanted),
    })
  return now + wanted
}

function inDays(ms: number): string {
  const days = Math.ceil(ms / dayMs)
  return days === 1 ? '1 day' : `${days} days`
}

/** Days before its end at which the owner of a token is told. */
export type NoticeDays = 14 | 3 | 1

const noticeDays: readonly NoticeDays[] = [1, 3, 14]

/** How far ahead one has to look for tokens whose owner may have to be told. */
export const noticeAheadMs: number = 14 * dayMs

/** Which notice is due now, after the one `told` last: each comes once, and none for an end that was that near from the start. */
export function dueNotice(token: Token, told: number | undefined, now: number): NoticeDays | undefined {
  const { origin, expiresAt, createdAt } = token
  // Signing in again is all that a command line needs, and npm says so.
  if (origin === 'login' || expiresAt === null || expiresAt <= now) return undefined
  const due = noticeDays.find(days => expiresAt - now <= days * dayMs)
  if (due === undefined || expiresAt - createdAt <= due * dayMs) return undefined
  return told === undefined || told > due ? due : undefined
}
