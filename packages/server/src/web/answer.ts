// SPDX-License-Identifier: Apache-2.0
import { formatSessionCookie } from '../http/index.ts'
import type { PageContext } from './context.ts'
import { pageHeaders } from './header.ts'

/** Sends the browser on with a GET, only to paths of this site; with a session's secret it is signed in, with an empty one signed out. */
export function leadTo(c: PageContext, path: string, secret?: string): Response {
  const { config } = c.env.ports
  const headers = { ...pageHeaders(config), location: path }
  return new Response(null, {
    status: 303,
    headers:
      secret === undefined ? headers : { ...headers, 'set-cookie': formatSessionCookie(config, secret) },
  })
}
