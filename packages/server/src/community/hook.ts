// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'

/** An address of somebody's that is told of what they watch. */
export interface Hook {
  /** `wh_` and random letters. */
  readonly id: string
  readonly accountId: string
  readonly url: string
  /** What messages are signed with, sealed. */
  readonly secretSealed: string
  readonly createdAt: number
  /** Since when it took nothing; null while it does. */
  readonly failingSince: number | null
  /** One that took nothing for days is told nothing more until somebody revives it. */
  readonly isDead: boolean
}

/** One message to one hook. */
export interface Delivery {
  readonly hookId: string
  /** Of the event. */
  readonly position: number
  readonly state: 'waiting' | 'done'
  readonly attempts: number
  /** When it is tried next, or was last. */
  readonly at: number
  /** Of the last try, in words. */
  readonly why: string
}

const firstRetryMs = 10_000
const longestRetryMs = 6 * 3600_000
/** How long a hook may take nothing before it is dead. */
export const hookPatienceMs = 5 * 24 * 3600_000
const maxUrl = 1000

/** The address of a hook. Throws `invalid-body`; whether it may be reached is asked each time. */
export function parseHookUrl(text: string): string {
  const url = text.length <= maxUrl && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw problem('invalid-body', { why: 'the address must be https, without a user name' })
  return url.href
}

/** How long to wait after so many failures. */
export function retryAfterMs(attempts: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 3 ** Math.min(attempts, 12))
}
