// SPDX-License-Identifier: Apache-2.0
import type { Config } from '../config.ts'
import type { NewSession } from '../flow/index.ts'
import type { PageContext } from './context.ts'
import { pageHeaders } from './header.ts'

/** Sends the browser on with a GET; only to paths of this site. */
export function leadTo(c: PageContext, path: string, cookie?: string): Response {
  const headers = { ...pageHeaders(c.env.ports.config), location: path }
  return new Response(null, {
    status: 303,
    headers: cookie === undefined ? headers : { ...headers, 'set-cookie': cookie },
  })
}

/** The cookie of a session: out of reach of scripts, not sent along from other sites, gone when the session is. */
export function sessionCookie(config: Config, { secret, session }: NewSession): string {
  return cookie(config, secret, Math.floor((session.expiresAt - session.createdAt) / 1000))
}

/** Takes the cookie away. */
export function endedCookie(config: Config): string {
  return cookie(config, '', 0)
}

function cookie({ publicUrl }: Config, value: string, maxAgeSeconds: number): string {
  const rest = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}`
  // The prefix binds it to this very host: no neighbour under the same domain can plant one.
  return publicUrl.startsWith('https://')
    ? `__Host-holdfast-session=${value}; ${rest}; Secure`
    : `holdfast-session=${value}; ${rest}`
}
