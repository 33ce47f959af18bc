// SPDX-License-Identifier: Apache-2.0
import { formatSecurityText } from '@holdfast/core'
import { securityTextOf } from '../../flow/index.ts'
import type { PageContext } from '../context.ts'

/** `/.well-known/security.txt` (RFC 9116). */
export function securityText(c: PageContext): Response {
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'public, max-age=3600',
    'x-content-type-options': 'nosniff',
  }
  return new Response(formatSecurityText(securityTextOf(c.env.ports)), { headers })
}
