// SPDX-License-Identifier: Apache-2.0
import type { Config } from '../config.ts'

const maxAgeSeconds = 30 * 24 * 3600

/**
 * The `set-cookie` text of a session; an empty secret ends it. On https the name is `__Host-…`, which no other host or
 * path can set, so that nobody can plant a session of their own.
 */
export function formatSessionCookie(config: Pick<Config, 'publicUrl'>, secret: string): string {
  const secure = config.publicUrl.startsWith('https://')
  const name = secure ? '__Host-holdfast-session' : 'holdfast-session'
  const age = secret === '' ? 0 : maxAgeSeconds
  return `${name}=${secret}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
}
