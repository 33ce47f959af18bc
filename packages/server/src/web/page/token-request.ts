// SPDX-License-Identifier: Apache-2.0
import { parseNamePattern, problem } from '@holdfast/core'
import type { TokenRequest } from '../../flow/index.ts'
import { parseNetwork } from '../../identity/index.ts'
import type { Form } from '../form.ts'

const dayMs = 86_400_000

/** How long a token may live, in days. */
export const lives = [
  ['1', '1 day'],
  ['7', '7 days'],
  ['30', '30 days'],
  ['90', '90 days'],
  ['365', '1 year (only to read)'],
] as const

const permissions = ['read-only', 'stage-only', 'read-write'] as const

/** The posted form as a wish; what is left out is the narrow choice. Throws `invalid-body`, `invalid-pattern`. */
export function tokenRequest(posted: Form): TokenRequest {
  const packages = posted.words('packages').map(parseNamePattern)
  const cidr = posted.words('cidr').map(text => parseNetwork(text, 'Networks'))
  const days = lives.find(([value]) => value === posted.text('expires'))?.[0] ?? '1'
  const name = posted.text('name').slice(0, 100)
  if (name === '') throw problem('invalid-body', { why: 'the token has no name' })
  return {
    name,
    limits: {
      permission: permissions.find(each => each === posted.text('permission')) ?? 'read-only',
      ...(packages.length > 0 ? { packages } : {}),
      ...(cidr.length > 0 ? { cidr } : {}),
      bypassTfa: posted.text('bypass') === 'yes',
    },
    lifeMs: Number(days) * dayMs,
  }
}
